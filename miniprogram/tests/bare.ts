import { afterEach, beforeEach } from "vitest";

/** While a test runs, what WeChat's mini-program does not have is taken away, so that its use fails. */
const LACKING = [
  "fetch", "Request", "Response", "Headers", "FormData", "Blob", "File", "URL", "URLSearchParams", "AbortController",
  "atob", "btoa", "Buffer", "TextEncoder", "TextDecoder", "structuredClone", "crypto", "localStorage", "sessionStorage",
  "navigator", "EventSource", "WebSocket",
];

const room = globalThis as Record<string, unknown>;
const taken = new Map<string, PropertyDescriptor>();

beforeEach(() => {
  for (const name of LACKING) {
    const found = Object.getOwnPropertyDescriptor(room, name);
    if (found !== undefined) taken.set(name, found);
    delete room[name];
  }
});

afterEach(() => {
  for (const [name, found] of taken) Object.defineProperty(room, name, found); // vitest itself uses some of them
  taken.clear();
});
