/** Imported first by every test: what WeChat's mini-program does not have is taken away, so that its use fails. */

const LACKING = [
  "fetch", "Request", "Response", "Headers", "FormData", "Blob", "File", "URL", "URLSearchParams", "AbortController",
  "atob", "btoa", "Buffer", "TextEncoder", "TextDecoder", "structuredClone", "crypto", "localStorage", "sessionStorage",
  "navigator", "EventSource", "WebSocket",
];

for (const name of LACKING) delete (globalThis as Record<string, unknown>)[name];
