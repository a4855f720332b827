/// <reference types="@dcloudio/types" />
declare module "*.vue" {
  import type { DefineComponent } from "vue";
  const component: DefineComponent<Record<string, unknown>, Record<string, unknown>, unknown>;
  export default component;
}

/** Scheme and host of the API without a slash at the end; empty in a browser. */
declare const __ORIGIN__: string;

/** What of the mini-program's own API `uni` does not have. */
declare const wx: {
  requirePrivacyAuthorize?(options: { success(): void; fail(): void }): void;
  cropImage?(options: { src: string; cropScale: "3:4"; success(result: { tempFilePath: string }): void; fail(): void }): void;
  requestPayment(options: {
    timeStamp: string;
    nonceStr: string;
    package: string;
    signType: string;
    paySign: string;
    success(): void;
    fail(error: { errMsg?: string }): void;
  }): void;
};

/** This front end's version, such as "1.2.3": of package.json. */
declare const __VERSION__: string;

/** Which build this is. */
declare const __PLATFORM__: "h5" | "mp-weixin" | "app";
