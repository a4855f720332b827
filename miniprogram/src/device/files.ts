import { Unreachable } from "../api/errors";

/** Put a text into the clipboard; true if that worked. */
export function copyText(text: string): Promise<boolean> {
  return new Promise((resolve) => {
    uni.setClipboardData({ data: text, showToast: false, success: () => resolve(true), fail: () => resolve(false) });
  });
}

/** Show a PDF of ours, whose address carries its own ticket: in a tab of the browser, or in the phone's viewer, which
 * can keep it. Rejects with `Unreachable`. */
export function openPdf(address: string): Promise<void> {
  // #ifdef H5
  const tab = window.open(address, "_blank");
  if (tab === null) window.location.assign(address); // Safari opens no tab once the tap is over: the file takes this one
  else tab.opener = null;
  return Promise.resolve();
  // #endif
  // #ifndef H5
  return new Promise((resolve, reject) => {
    const failed = (error: { errMsg?: string }) => reject(new Unreachable("no_network", error.errMsg ?? "the PDF"));
    uni.downloadFile({
      url: address.startsWith("/") ? __ORIGIN__ + address : address,
      success: ({ statusCode, tempFilePath }) => {
        if (statusCode !== 200) return reject(new Unreachable("bad_answer", "the PDF", statusCode));
        uni.openDocument({ filePath: tempFilePath, fileType: "pdf", showMenu: true, success: () => resolve(), fail: failed });
      },
      fail: failed,
    });
  });
  // #endif
}

/** Dial a number on a phone, without its extension; in a browser the address `tel:` does it. */
export function dial(number: string): void {
  uni.makePhoneCall({ phoneNumber: number.replace(/转.*$/, "").replace(/[^\d+]/g, ""), fail: () => undefined });
}
