import { remember, storage } from "./ports";

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";
let own: string | null = null; // while the phone has no room to keep it

/** A name of this device, made up once and kept: the server lets a person study on one device at a time. It says
 * nothing about the device. */
export function deviceId(): string {
  const kept = storage.get("study.device");
  if (kept !== null) return kept;
  own ??= Array.from({ length: 20 }, () => LETTERS.charAt(Math.floor(Math.random() * LETTERS.length))).join("");
  remember("study.device", own);
  return own;
}
