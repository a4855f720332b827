import { reactive } from "vue";

import { timers } from "../../device/ports";

/** What the person does before the picture is taken, and for how long. */
export const PROMPTS = [
  { text: "把脸放进圆圈，正对镜头", seconds: 3 },
  { text: "请慢慢眨一下眼睛", seconds: 2 },
  { text: "看着镜头，不要动", seconds: 3 },
] as const;

/** Leads through the prompts, second by second; `over` runs at the end, once, unless it is stopped before. */
export function usePrompts(over: () => void) {
  let cancel: () => void = () => undefined;
  const prompts = reactive({ at: -1, left: 0, text: "正在打开摄像头" });

  function step(at: number): void {
    const prompt = PROMPTS[at];
    if (prompt === undefined) return over();
    Object.assign(prompts, { at, left: prompt.seconds, text: prompt.text });
    tick();
  }

  function tick(): void {
    cancel = timers.after(1000, () => {
      prompts.left -= 1;
      if (prompts.left > 0) tick();
      else step(prompts.at + 1);
    });
  }

  function stop(): void {
    cancel();
    Object.assign(prompts, { at: -1, left: 0, text: "正在打开摄像头" });
  }

  return { prompts, start: () => step(0), stop };
}
