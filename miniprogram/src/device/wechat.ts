import { Unreachable } from "../api/errors";

/** What `wx.login` gives: a code by which the server learns which WeChat this is. Only in the mini-program. */
export function wechatCode(): Promise<string> {
  return new Promise((resolve, reject) => {
    uni.login({
      provider: "weixin",
      success: ({ code }) => (code ? resolve(code) : reject(new Unreachable("no_network", "wx.login gave no code"))),
      fail: (error: { errMsg?: string }) => reject(new Unreachable("no_network", error.errMsg ?? "wx.login failed")),
    });
  });
}
