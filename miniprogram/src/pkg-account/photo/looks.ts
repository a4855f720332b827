import type { Pixels } from "../../device/camera";

/** What to change before the picture is taken. Only advice: the server judges the picture itself. */
export type Look = "dark" | "bright" | "ground";

const DARK = 70; // mean brightness, 0 to 255
const BRIGHT = 235;
const LIGHT = 170; // a white wall in a living room is not 255
const TINT = 40;
const GROUND_SHARE = 0.6;
const ENOUGH = 48; // points looked at in a line

/** What strikes in what the camera sees. `whiteGround`: the programme wants one. */
export function looksOf({ data, width, height }: Pixels, whiteGround: boolean): Look | null {
  const at = (x: number, y: number) => {
    const place = (y * width + x) * 4;
    return [data[place] ?? 0, data[place + 1] ?? 0, data[place + 2] ?? 0] as const;
  };
  let sum = 0;
  let seen = 0;
  let white = 0;
  let edge = 0;
  const step = Math.max(1, Math.floor(width / ENOUGH));
  for (let y = 0; y < height; y += step) {
    for (let x = 0; x < width; x += step) {
      const [red, green, blue] = at(x, y);
      const light = 0.299 * red + 0.587 * green + 0.114 * blue;
      sum += light;
      seen += 1;
      // the upper corners show the wall behind the head
      if (y >= height * 0.4 || (x > width / 6 && x < (width * 5) / 6)) continue;
      edge += 1;
      if (Math.min(red, green, blue) >= LIGHT && Math.max(red, green, blue) - Math.min(red, green, blue) <= TINT) white += 1;
    }
  }
  if (seen === 0) return null;
  if (sum / seen < DARK) return "dark";
  if (sum / seen > BRIGHT && !whiteGround) return "bright";
  return whiteGround && white / edge < GROUND_SHARE ? "ground" : null;
}

export const SENTENCES: Record<Look, string> = {
  dark: "太暗了，请到亮一点的地方",
  bright: "太亮了，请避开强光",
  ground: "背景还不够白，请靠近白墙",
};
