import type { Output } from "../api/calls";

export type WechatCall = NonNullable<Output<"/api/v1/orders/{order_id}/payments", "post">["jsapi"]>;

/** How WeChat's payment window was left. `done` proves nothing: the server asks WeChat. */
export type WechatEnd = "done" | "cancelled" | "failed";

/** Open WeChat's payment window, in the mini-program or in WeChat's own browser. */
export function wechatPay(call: WechatCall): Promise<WechatEnd> {
  // #ifdef MP-WEIXIN
  return new Promise((resolve) => {
    const { timeStamp, nonceStr, package: prepay, paySign } = call;
    wx.requestPayment({
      timeStamp,
      nonceStr,
      package: prepay,
      signType: call.signType,
      paySign,
      success: () => resolve("done"),
      fail: ({ errMsg }) => resolve(/cancel/.test(errMsg ?? "") ? "cancelled" : "failed"),
    });
  });
  // #endif
  // #ifdef H5
  return bridge().then(
    (ready) =>
      new Promise((resolve) => {
        if (ready === null) return resolve("failed");
        ready.invoke("getBrandWCPayRequest", { ...call }, ({ err_msg }) => {
          resolve(/:ok$/.test(err_msg) ? "done" : /:cancel$/.test(err_msg) ? "cancelled" : "failed");
        });
      }),
  );
  // #endif
  // #ifdef APP-PLUS
  return Promise.resolve("failed");
  // #endif
}

// #ifdef H5
interface Bridge {
  invoke(name: string, given: Record<string, string>, back: (answer: { err_msg: string }) => void): void;
}

const PATIENCE = 5_000; // WeChat puts its bridge into the page a moment after it has loaded

/** What WeChat's browser puts into its pages; null where there is none. */
function bridge(): Promise<Bridge | null> {
  const found = () => (window as Window & { WeixinJSBridge?: Bridge }).WeixinJSBridge ?? null;
  if (found() !== null) return Promise.resolve(found());
  return new Promise((resolve) => {
    const answer = () => resolve(found());
    document.addEventListener("WeixinJSBridgeReady", answer, { once: true });
    setTimeout(answer, PATIENCE);
  });
}
// #endif
