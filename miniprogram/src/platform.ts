/** What the code here needs of the platform it runs on: the mini-program, the browser or the app. Nothing of a
 * browser is used directly, so that the same code runs where WeChat has no `fetch`, `atob` or `localStorage`. */

export type Method = "GET" | "POST" | "PUT" | "DELETE";

/** One request in the shape of `uni.request` and `wx.request`. `timeout` in milliseconds. */
export interface RequestOptions {
  url: string;
  method: Method;
  data?: string;
  header: Record<string, string>;
  timeout: number;
  success(result: RequestResult): void;
  fail(error: { errMsg?: string }): void;
}

/** `data` is parsed JSON where the platform parses it, and text where it does not. */
export interface RequestResult {
  statusCode: number;
  data: unknown;
  header?: Record<string, unknown>;
}

/** `uni.request` or `wx.request`. */
export type RequestPort = (options: RequestOptions) => { abort(): void } | void;

/** Timers. `after` runs `action` once in `milliseconds`; calling what it gives back takes that back. */
export interface Timers {
  after(milliseconds: number, action: () => void): () => void;
}

/** What stays on the phone: `uni.getStorageSync` and its kin. `set` throws when the phone has no room left. */
export interface StoragePort {
  get(key: string): string | null;
  set(key: string, value: string): void;
  remove(key: string): void;
  keys(): string[];
}
