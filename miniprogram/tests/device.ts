/** A phone for what is tested: `uni` with a storage, a network that answers as told, and a list of where one went. */

import type { RequestOptions } from "../src/platform";

export type Reply = { statusCode: number; data?: unknown } | { errMsg: string };

/** A picture on its way, in the shape of `uni.uploadFile`. */
export interface Uploaded {
  url: string;
  name: string;
  filePath: string;
  formData?: Record<string, string>;
}

export class Device {
  readonly stored = new Map<string, unknown>();
  readonly asked: RequestOptions[] = [];
  readonly uploaded: Uploaded[] = [];
  /** Pages opened: `reLaunch /pages/login/login`. */
  readonly went: string[] = [];
  /** The pages that are open, the last one on top. */
  pages: { route: string; options: Record<string, string> }[] = [{ route: "pages/home/home", options: {} }];
  replies: Reply[] = [];
  /** How large a file is, by its path; others are small. */
  readonly bytes = new Map<string, number>();

  constructor() {
    const go = (how: string) => ({ url, complete }: { url: string; complete?: () => void }) => {
      this.went.push(`${how} ${url}`);
      complete?.();
    };
    Object.assign(globalThis, {
      getCurrentPages: () => this.pages,
      uni: {
        getStorageSync: (key: string) => this.stored.get(key) ?? "",
        setStorageSync: (key: string, value: unknown) => void this.stored.set(key, value),
        removeStorageSync: (key: string) => void this.stored.delete(key),
        getStorageInfoSync: () => ({ keys: [...this.stored.keys()] }),
        navigateTo: go("navigateTo"),
        redirectTo: go("redirectTo"),
        reLaunch: go("reLaunch"),
        navigateBack: () => void this.went.push("navigateBack"),
        getFileInfo: ({ filePath, success }: { filePath: string; success: (found: { size: number }) => void }) => success({ size: this.bytes.get(filePath) ?? 1000 }),
        uploadFile: (options: Uploaded & Pick<RequestOptions, "success" | "fail">) => {
          this.uploaded.push(options);
          const reply = this.replies.shift() ?? { errMsg: "not expected" };
          void Promise.resolve().then(() => ("statusCode" in reply ? options.success({ ...reply, data: JSON.stringify(reply.data) }) : options.fail(reply)));
          return {};
        },
        request: (options: RequestOptions) => {
          this.asked.push(options);
          const reply = this.replies.shift() ?? { errMsg: "not expected" };
          void Promise.resolve().then(() => ("statusCode" in reply ? options.success({ data: undefined, ...reply }) : options.fail(reply)));
          return { abort: () => undefined };
        },
      },
    });
  }
}

/** A refusal of the server, as it is sent. */
export function problem(status: number, code: string, more: object = {}): Reply {
  return { statusCode: status, data: { type: "", title: code, status, code, detail: "请这样做。", ...more } };
}
