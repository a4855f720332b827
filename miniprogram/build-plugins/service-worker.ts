import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join, relative, resolve } from "node:path";
import type { Plugin } from "vite";

import { filesOf } from "./compressed";

/** Writes the service worker with the list of the shell's files: what `index.html` names, and the pages of the main
 * package. The version is the digest of all of them, so that a new build is a new worker. */
export function serviceWorker(): Plugin {
  let root = "";
  let output = "";
  return {
    name: "service-worker",
    enforce: "post",
    apply: "build",
    configResolved(config) {
      root = config.root;
      output = resolve(root, config.build.outDir);
    },
    closeBundle: {
      order: "post",
      sequential: true,
      handler() {
        const index = readFileSync(join(output, "index.html"), "utf8");
        const named = new Set([...index.matchAll(/(?:src|href)="\.?\/((?:assets|static)\/[^"]+)"/g)].map((found) => found[1]));
        const shell = filesOf(output)
          .map((path) => relative(output, path).split("\\").join("/"))
          .filter((path) => named.has(path) || /^assets\/(pages-|uni-app|z-|z_)/.test(path));
        const rest = filesOf(output)
          .map((path) => relative(output, path).split("\\").join("/"))
          .filter((path) => path.startsWith("assets/") && !shell.includes(path));
        const digest = createHash("sha256").update(index);
        for (const path of shell) digest.update(readFileSync(join(output, path)));
        const source = readFileSync(join(root, "src/service-worker.js"), "utf8")
          .replace('"VERSION"', JSON.stringify(digest.digest("hex").slice(0, 16)))
          .replace('["REST"]', JSON.stringify(rest.map((path) => `/${path}`)))
          .replace('["FILES"]', JSON.stringify(["/", ...shell.map((path) => `/${path}`)]));
        writeFileSync(join(output, "service-worker.js"), source);
      },
    },
  };
}
