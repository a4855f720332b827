import { reactive } from "vue";

import { timers } from "../device/ports";

/** Seconds that somebody has to wait, counted down; 0: no more. */
export interface Wait {
  seconds: number;
  /** `over` runs when they have passed, unless another wait began or this one was ended. */
  begin(seconds: number, over?: () => void): void;
  end(): void;
}

export function useWait(): Wait {
  let stop: () => void = () => undefined;
  const wait: Wait = reactive({
    seconds: 0,
    begin(seconds: number, over: () => void = () => undefined): void {
      stop();
      const until = Date.now() + seconds * 1000; // a phone that slept has waited too
      const turn = () => {
        wait.seconds = Math.max(0, Math.min(seconds, Math.ceil((until - Date.now()) / 1000)));
        if (wait.seconds > 0) stop = timers.after(1000, turn);
        else over();
      };
      turn();
    },
    end(): void {
      stop();
      wait.seconds = 0;
    },
  });
  return wait;
}

/** How long, for a person who waits: "45 秒", "12 分钟", "2 小时". */
export function waitText(seconds: number): string {
  if (seconds < 90) return `${seconds} 秒`;
  const minutes = Math.ceil(seconds / 60);
  return minutes <= 90 ? `${minutes} 分钟` : `${Math.ceil(minutes / 60)} 小时`;
}
