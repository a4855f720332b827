/** WeChat asks for the person's consent to its privacy guide before the camera, the album or the phone number may be
 * used. True once it is given; elsewhere there is nothing to ask. */
export function privacyAgreed(): Promise<boolean> {
  // #ifdef MP-WEIXIN
  return new Promise((resolve) => {
    if (typeof wx.requirePrivacyAuthorize !== "function") return resolve(true); // a WeChat from before the rule
    wx.requirePrivacyAuthorize({ success: () => resolve(true), fail: () => resolve(false) });
  });
  // #endif
  // #ifndef MP-WEIXIN
  return Promise.resolve(true);
  // #endif
}
