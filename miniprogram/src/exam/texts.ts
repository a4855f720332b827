import { hourText } from "../study/texts";
import type { QuestionView } from "./answers";

export const TYPES: Record<string, string> = { single: "单选题", multiple: "多选题", judge: "判断题" };

/** The choice after a tap on `letter`: in a multiple choice it is added or taken away, in the others it alone counts. */
export function chosen(type: string, before: string, letter: string): string {
  if (type !== "multiple") return letter;
  const letters = before.includes(letter) ? before.replace(letter, "") : before + letter;
  return [...letters].sort().join("");
}

export interface SavedLine {
  kind: "good" | "warn" | "plain";
  text: string;
}

/** How safe the answer on the screen is. `safe`: the phone has room to keep it. */
export function savedLine(view: QuestionView | undefined, safe: boolean): SavedLine {
  if (view === undefined || view.state === "open") return { kind: "plain", text: "选好后自动保存" };
  if (view.state === "saved") return { kind: "good", text: "已保存" };
  if (!safe) return { kind: "warn", text: "手机存储已满，这题还没有保存。请不要关闭本页。" };
  if (view.state === "saving") return { kind: "plain", text: "正在保存" };
  return { kind: "warn", text: "还没保存到系统，已存在本机，会自动再发" };
}

/** "第 3、7、12 题"; of many the first few: "第 1、2、3 等题". */
export function questionsText(numbers: readonly number[], most = 8): string {
  const more = numbers.length > most ? " 等题" : " 题";
  return `第 ${numbers.slice(0, most).join("、")}${more}`;
}

/** What becomes of an attempt whose page is left without handing in. `deadline`: its end; `resumeBy`: until when coming
 * back is no leaving (null: not known just now); `rule`: the programme's, with its sentence `leaveText`. */
export function awayText(attempt: { deadline: string; resumeBy: string | null; rule: string | null; leaveText: string }): string[] {
  const clock = `还没有交卷，计时不会停，${hourText(attempt.deadline)} 自动交卷。`;
  if (attempt.rule === "continue") return [clock, "在那之前可以随时回来接着答。"];
  const until = attempt.resumeBy === null ? "请马上回来接着答" : `${hourText(attempt.resumeBy)} 前回来接着答`;
  return [clock, `${until}，不算退出（刷新页面、断网也不算）。回来晚了，按中途退出处理。`, attempt.leaveText].filter(Boolean);
}

/** What the clock has to say beside the figures. */
export function timeWarning(left: number | null): string {
  if (left === null || left > 600) return "";
  if (left === 0) return "时间到，正在自动交卷。";
  return left <= 60 ? "不到 1 分钟，时间一到自动交卷。" : "不到 10 分钟，请抓紧检查。";
}
