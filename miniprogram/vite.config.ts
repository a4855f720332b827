import { readFileSync } from "node:fs";

import uni from "@dcloudio/vite-plugin-uni";
import { defineConfig } from "vite";

import { compressed } from "./build-plugins/compressed";
import { noRemoteAssets } from "./build-plugins/no-remote-assets";
import { serviceWorker } from "./build-plugins/service-worker";

const platform = process.env.UNI_PLATFORM ?? "h5";

/** H5: an empty base, the server is the page's own. Elsewhere: the product's public address. */
const origin = platform === "h5" ? "" : process.env.PUBLIC_URL ?? "https://zhukao.invalid";

const { version } = JSON.parse(readFileSync(new URL("./package.json", import.meta.url), "utf8")) as { version: string };

export default defineConfig({
  define: { __VERSION__: JSON.stringify(version), __ORIGIN__: JSON.stringify(origin), __PLATFORM__: JSON.stringify(platform) },
  build: { target: "es2018", reportCompressedSize: false },
  plugins: [uni(), noRemoteAssets(platform), ...(platform === "h5" ? [serviceWorker(), compressed()] : [])],
  server: {
    port: Number(process.env.DEV_PORT ?? 5173),
    strictPort: true,
    proxy: Object.fromEntries(
      ["/api", "/video", "/texts", "/style", "/verify", "/face"].map((path) => [path, process.env.API_ORIGIN ?? "http://127.0.0.1:8000"]),
    ),
  },
});
