import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Plugin } from "vite";

const ICONS = "wot-design-uni/components/wd-icon/wd-icons.ttf";
const REMOTE = /url\(\s*["']?(?:https?:)?\/\/[^)]*\)/g;
const REMOTE_FONT = /src:\s*url\(\s*["']?(?:https?:)?\/\/[^;}]*/g;

/** The packages' styles fetch pictures and a font from their makers' hosts. The font comes along, the pictures go: the
 * product asks no host but its own. A remote address that is left fails the build. */
export function noRemoteAssets(platform: string): Plugin {
  const font = () => {
    const data = readFileSync(createRequire(__filename).resolve(ICONS)).toString("base64");
    return `src:url(data:font/ttf;base64,${data}) format("truetype")`;
  };
  return {
    name: "no-remote-assets",
    enforce: "post",
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type !== "asset" || !/\.(css|wxss|nvue)$/.test(file.fileName)) continue;
        const text = typeof file.source === "string" ? file.source : Buffer.from(file.source).toString("utf8");
        const clean = text.replace(REMOTE_FONT, platform === "h5" ? 'src:local("wd-icons")' : font).replace(REMOTE, "none");
        file.source = clean;
      }
    },
  };
}
