import { ref } from "vue";

/** Whether the phone says that it has a network, and whether that one costs money. Only a hint: what counts is whether
 * a call gets an answer. */
export const online = ref(true);
export const mobileData = ref(false);

/** Called once, when the app starts. `back` runs each time the network comes back. */
export function watchNetwork(back: () => void): void {
  function told(connected: boolean, costs: boolean): void {
    const before = online.value;
    online.value = connected;
    mobileData.value = costs;
    if (connected && !before) back();
  }
  // #ifdef H5
  // the browser itself: `uni` takes the speed ("4g" on any good line) for the kind of network
  const { connection } = navigator as Navigator & { connection?: EventTarget & { type?: string } };
  const look = () => told(navigator.onLine, connection?.type === "cellular");
  look();
  connection?.addEventListener("change", look);
  window.addEventListener("online", look);
  window.addEventListener("offline", look);
  // #endif
  // #ifndef H5
  const costs = (type: string) => ["2g", "3g", "4g", "5g"].includes(type);
  uni.getNetworkType({ success: ({ networkType }) => told(networkType !== "none", costs(networkType)) });
  uni.onNetworkStatusChange(({ isConnected, networkType }) => told(isConnected, costs(networkType)));
  // #endif
}
