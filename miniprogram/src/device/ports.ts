import type { RequestPort, StoragePort, Timers } from "../platform";

/** The platform's own request. `uni` parses JSON where it can. */
export const request: RequestPort = (options) => {
  const task = uni.request({
    url: options.url,
    method: options.method,
    data: options.data,
    header: options.header,
    timeout: options.timeout,
    success: (result) => options.success(result as Parameters<typeof options.success>[0]),
    fail: (error) => options.fail(error as { errMsg?: string }),
  });
  return task as unknown as { abort(): void };
};

export const timers: Timers = {
  after(milliseconds, action) {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
};

export const storage: StoragePort = {
  get(key) {
    const value: unknown = uni.getStorageSync(key);
    return typeof value === "string" && value !== "" ? value : null;
  },
  set: (key, value) => uni.setStorageSync(key, value),
  remove: (key) => uni.removeStorageSync(key),
  keys: () => uni.getStorageInfoSync().keys,
};

/** Write what is nice to have: a full storage does not stop anybody. */
export function remember(key: string, value: string | null): void {
  try {
    if (value === null) storage.remove(key);
    else storage.set(key, value);
  } catch {
    // no room on the phone: it is asked again next time
  }
}
