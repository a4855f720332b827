/** Go to a provider's page that the server named (`isAllowed`). In a browser it takes the page's place and comes back
 * to an address of ours (`landing.ts`); in the app it opens in the phone's browser. */
export function openProvider(url: string): void {
  // #ifdef H5
  if (!isAllowed(url, window.location.origin)) throw new TypeError(`not opened: ${url}`);
  window.location.assign(url);
  // #endif
  // #ifdef APP-PLUS
  const address = url.startsWith("/") ? __ORIGIN__ + url : url;
  if (!isAllowed(address, __ORIGIN__)) throw new TypeError(`not opened: ${url}`);
  plus.runtime.openURL(address);
  // #endif
  // #ifdef MP-WEIXIN
  throw new TypeError(`a mini-program opens no other host's page: ${url}`);
  // #endif
}

const LOOPBACK = /^http:\/\/(?:127\.0\.0\.1|localhost)(?::\d+)?(?=[/?#]|$)/;

/** Whether we let the person be led to `url`: a path of ours, or another host's page over https without a user's name
 * in it. A provider's stand-in on this machine (http) only from a page that is on this machine itself: `here`, the
 * page's origin. No `javascript:`, no `data:`, nothing that an app's scheme would open. */
export function isAllowed(url: string, here: string): boolean {
  if (!/^[!-~]+$/.test(url) || url.includes("\\")) return false;
  if (/^\/(?!\/)/.test(url)) return true;
  if (/^https:\/\/[A-Za-z0-9.-]+(?::\d+)?(?=[/?#]|$)/.test(url)) return true;
  return LOOPBACK.test(here) && LOOPBACK.test(url);
}

/** Open the address of an app to install; false where nothing of another host opens. */
export function openDownload(url: string): boolean {
  // #ifdef H5
  window.open(url, "_blank", "noopener");
  return true;
  // #endif
  // #ifdef APP-PLUS
  plus.runtime.openURL(url);
  return true;
  // #endif
  // #ifdef MP-WEIXIN
  void url;
  return false;
  // #endif
}
