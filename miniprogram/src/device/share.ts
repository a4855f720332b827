import { copyText } from "./files";

/** Hand a link on: by the phone's own sharing where it has one, else by the clipboard. Says which it was; null if the
 * person changed their mind or neither works. */
export async function shareLink(text: string, url: string): Promise<"shared" | "copied" | null> {
  // #ifdef H5
  if (typeof navigator.share === "function") {
    try {
      await navigator.share({ text, url });
      return "shared";
    } catch (error) {
      if (error instanceof DOMException && error.name === "AbortError") return null;
    }
  }
  // #endif
  return (await copyText(`${text}\n${url}`)) ? "copied" : null;
}
