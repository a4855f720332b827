/** The room that WeChat gives to a mini-program: a document to draw into, that the program itself cannot reach. */

import { readFileSync } from "node:fs";
import Module, { createRequire } from "node:module";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../../build/mp-weixin");
export const require = createRequire(import.meta.url);

/** What a browser or node has and WeChat's mini-program has not: its code finds nothing under these names. */
const LACKING = [
  "window", "document", "self", "navigator", "location", "history", "localStorage", "sessionStorage", "indexedDB",
  "fetch", "Request", "Response", "Headers", "FormData", "Blob", "File", "FileReader", "URL", "URLSearchParams",
  "XMLHttpRequest", "AbortController", "EventSource", "WebSocket", "Image", "Event", "CustomEvent", "EventTarget",
  "MutationObserver", "requestAnimationFrame", "getComputedStyle", "atob", "btoa", "TextEncoder", "TextDecoder",
  "structuredClone", "crypto", "performance", "process", "Buffer",
];
/** Those of them that can go for good, also from `globalThis`: neither vitest nor the simulator needs them. */
const GONE = ["fetch", "Request", "Response", "Headers", "FormData", "URLSearchParams", "XMLHttpRequest", "EventSource", "WebSocket", "localStorage", "sessionStorage"];
const OF_DOM = ["document", "Event", "CustomEvent", "HTMLElement", "Node", "Element", "DocumentFragment", "MutationObserver", "requestAnimationFrame", "cancelAnimationFrame", "getComputedStyle", "Text", "Comment"];

export const room = globalThis as unknown as Record<string, unknown>;

interface Loader {
  _extensions: Record<string, (module: { _compile(code: string, file: string): void }, file: string) => void>;
}

/** Furnish the room; to be called once, before the simulator is loaded. */
export function furnish(): Document {
  const { JSDOM } = require("jsdom") as { JSDOM: new (page: string, options: object) => { window: Window } };
  const { window } = new JSDOM("<!DOCTYPE html><body></body>", { pretendToBeVisual: true, url: "http://localhost/" });
  room.window = window;
  (window as unknown as Record<string, unknown>).global = globalThis;
  for (const name of OF_DOM) room[name] = (window as unknown as Record<string, unknown>)[name];
  const { _extensions: load } = Module as unknown as Loader;
  const usual = load[".js"]!;
  load[".js"] = (module, file) => {
    if (!file.startsWith(ROOT)) return usual(module, file);
    module._compile(`(function (${LACKING.join()}) {${readFileSync(file, "utf8")}\n}).call(this)`, file);
  };
  return window.document;
}

/** Take away what the room lacks; after the simulator is loaded. */
export function clear(): void {
  for (const name of GONE) delete room[name];
}

interface Written {
  tag?: string;
  wxVkey?: number;
  children?: (Written | string)[];
}

/** WeChat draws the branches of a `wx:if` as different nodes. The simulator takes the one for the other where both look
 * alike, and a component would go on living in the wrong branch: here each branch gets a name of its own. */
export function separateBranches(): void {
  const file = require.resolve("j-component/src/template/transform.js");
  const usual = require(file) as (write: (data: object) => Written, using: object) => unknown;
  const module = require.cache[file];
  if (module === undefined) throw new Error("the simulator lies elsewhere");
  module.exports = (write: (data: object) => Written, using: object) => usual((data) => named(write(data)), using);
}

function named(node: Written): Written {
  if (node.wxVkey !== undefined && node.tag === "virtual") node.tag = `virtual-${node.wxVkey}`;
  for (const child of node.children ?? []) if (typeof child === "object") named(child);
  return node;
}
