import type { View } from "./queue";

/** How long, for a person: "2 小时 5 分", "12 分", "40 秒". */
export function spanText(seconds: number): string {
  if (seconds < 60) return `${Math.ceil(seconds)} 秒`;
  const minutes = Math.ceil(seconds / 60);
  const hours = Math.floor(minutes / 60);
  return [hours ? `${hours} 小时` : "", minutes % 60 ? `${minutes % 60} 分` : ""].filter(Boolean).join(" ");
}

/** The hour and minute in Shanghai of a server's time, such as "14:03": they stand in the text itself. */
export function hourText(moment: string): string {
  return /T(\d\d:\d\d)/.exec(moment)?.[1] ?? "";
}

/** The day of a server's time, such as "1 月 16 日". */
export function dayText(moment: string): string {
  const found = /^\d{4}-(\d\d)-(\d\d)/.exec(moment);
  return found ? `${Number(found[1])} 月 ${Number(found[2])} 日` : "";
}

export interface Saved {
  kind: "good" | "warn" | "plain";
  text: string;
}

/** What stands below the film: how safe the progress is. `savedAt`: the server's time of the last word that something
 * is in its database. */
export function savedText(view: View | null, savedAt: string | null, chunkSeconds: number, online: boolean): Saved {
  if (view && !view.saved) return { kind: "warn", text: "手机存储已满，学习记录暂时存不下。请清理手机空间，先不要关闭本页。" };
  const waits = view ? spanText(view.unsent * chunkSeconds) : "";
  if (view && view.unsent > 0 && view.halt !== null) {
    return { kind: "warn", text: `这台设备上有 ${waits}学习记录还没有上传，在这台设备上继续学习时会补传。` };
  }
  if (view && view.unsent > 0 && (!online || view.trouble !== null)) {
    return { kind: "warn", text: `网络不通，${waits}学习记录已存在本机，连上网会自动补传。可以继续看。` };
  }
  if (!online && !view?.done) return { kind: "warn", text: "网络不通。已看的先存在手机里，有网会自动补传。可以继续看。" };
  if (savedAt !== null) return { kind: "good", text: `进度已保存，${hourText(savedAt)}` };
  return { kind: "plain", text: "看的时候自动保存进度" };
}
