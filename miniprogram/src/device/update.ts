/** Load the newest version of this front end; true if the app starts anew now. */
export async function update(): Promise<boolean> {
  // #ifdef H5
  const worker = await navigator.serviceWorker?.getRegistration();
  await worker?.update().catch(() => undefined); // the page itself is asked for below
  window.location.reload();
  return true;
  // #endif
  // #ifdef MP-WEIXIN
  return new Promise((resolve) => {
    const manager = uni.getUpdateManager();
    manager.onCheckForUpdate(({ hasUpdate }) => hasUpdate || resolve(false));
    manager.onUpdateFailed(() => resolve(false));
    manager.onUpdateReady(() => {
      resolve(true);
      manager.applyUpdate();
    });
  });
  // #endif
  // #ifdef APP-PLUS
  return false;
  // #endif
}
