import { Problem, Unreachable } from "./api/errors";
import type { Timers } from "./platform";

export interface WatchPorts<Answer> {
  timers: Timers;
  /** Rejects with `Problem` or `Unreachable`. */
  ask(): Promise<Answer>;
  /** Each answer. Gives the milliseconds until it is asked again; null: it is over, and not asked any more. */
  told(answer: Answer): number | null;
  /** A question failed. `over`: the server refuses it, and it is not asked again. */
  failed(trouble: Problem | Unreachable, over: boolean): void;
}

const LONGEST = 20_000;

/** Asks how something stands, one question at a time: as often as `told` wishes, less often while nothing answers, not
 * while it is paused, and never again once it is over or stopped. */
export class Watch<Answer> {
  private asking = false;
  private paused = false;
  private over = false;
  private failures = 0;
  private pause: (() => void) | null = null;

  constructor(private readonly ports: WatchPorts<Answer>) {}

  /** Ask now, and then again and again; while a question is on its way, that one is enough. */
  start(): void {
    this.paused = false;
    if (this.over || this.asking) return;
    this.endPause();
    this.asking = true;
    this.ports.ask().then(
      (answer) => this.answered(answer),
      (error: unknown) => this.refused(error),
    );
  }

  /** The page is not seen: ask nothing until `start`. What is on its way is still told. */
  rest(): void {
    this.paused = true;
    this.endPause();
  }

  /** The page is gone: ask nothing, tell nothing. */
  stop(): void {
    this.over = true;
    this.endPause();
  }

  private answered(answer: Answer): void {
    this.asking = false;
    if (this.over) return;
    this.failures = 0;
    const wait = this.ports.told(answer);
    if (wait === null) this.over = true;
    else this.wait(wait);
  }

  private refused(error: unknown): void {
    this.asking = false;
    if (!(error instanceof Problem || error instanceof Unreachable)) throw error;
    if (this.over) return;
    this.failures += 1;
    this.over = error instanceof Problem && error.status < 500 && error.status !== 429;
    if (!this.over) {
      const asked = error instanceof Problem ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      this.wait(Math.max(asked, Math.min(LONGEST, 2_000 * 2 ** Math.min(this.failures - 1, 5))));
    }
    this.ports.failed(error, this.over);
  }

  private wait(milliseconds: number): void {
    if (this.paused || this.over || this.asking) return;
    this.endPause();
    this.pause = this.ports.timers.after(milliseconds, () => {
      this.pause = null;
      this.start();
    });
  }

  private endPause(): void {
    this.pause?.();
    this.pause = null;
  }
}
