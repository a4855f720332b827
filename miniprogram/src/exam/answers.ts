/** The answers of an attempt, on their way to the server: kept on the phone until the server confirms them, sent one at
 * a time, each question's newest choice alone. The server numbers the answers to a question; a choice says which one it
 * replaces, so that nothing counts twice and another page's answer is never overwritten unseen. */

import { Problem } from "../api/errors";
import type { components } from "../api/schema";
import type { StoragePort, Timers } from "../platform";
import { AnswerShelf, type Kept, type Place } from "./kept";

export type Answer = components["schemas"]["ExamAnswerOut"];
export type Result = components["schemas"]["ExamResultOut"];

/** How one question stands. `waiting`: sending failed, it is on the phone and will be sent again. `mine`: what was
 * chosen here when another page had answered already; `choice` is that page's. */
export interface QuestionView {
  choice: string;
  state: "open" | "saving" | "waiting" | "saved";
  mine: string | null;
}

/** The end. `lost`: questions whose last answer here came too late to count. */
export interface Over {
  result: Result;
  lost: number[];
}

export interface AnswerPorts {
  storage: StoragePort;
  timers: Timers;
  /** PUT …/answers/{n}, without retries of its own; settles in bounded time. */
  send(answer: Answer): Promise<Answer>;
  /** POST …/hand-in. */
  handIn(answers: Answer[]): Promise<Result>;
  /** Called after every change. */
  changed?(): void;
  random?: () => number;
}

const SHORTEST = 1_000; // before an answer is sent again
const LONGEST = 15_000; // an exam is short: the network is tried often
const TRIES = 5; // of a hand-in whose own answers stood on the server already

/** The result that a refusal carries when the attempt has ended; null for every other trouble. */
export function resultOf(error: unknown): Result | null {
  const ended = ["exam_time_over", "exam_handed_in", "exam_left"];
  return error instanceof Problem && ended.includes(error.code) ? ((error.extra.result as Result | undefined) ?? null) : null;
}

/** One for each attempt. What was kept is sent as soon as the queue exists. */
export class AnswerQueue {
  over: Over | null = null;
  /** The last failure; null once an answer came. */
  trouble: Error | null = null;
  private readonly shelf: AnswerShelf;
  private readonly saved = new Map<number, Answer>();
  private readonly stuck = new Set<number>(); // refused for another reason than a newer answer: until `wake`
  private flight: Promise<void> | null = null;
  private pause: (() => void) | null = null;
  private failures = 0;
  private handing = false;
  private closed = false;

  constructor(
    attempt: string,
    private readonly ports: AnswerPorts,
  ) {
    this.shelf = new AnswerShelf(attempt, ports.storage);
    this.pump();
  }

  /** Whether what is not sent would outlive the app. */
  get safe(): boolean {
    return this.shelf.safe;
  }

  get place(): Place {
    return this.shelf.place;
  }

  set place(place: Place) {
    this.shelf.place = place;
  }

  view(number: number): QuestionView {
    const kept = this.shelf.answers.get(number);
    const saved = this.saved.get(number)?.choice ?? "";
    if (kept === undefined) return { choice: saved, state: saved === "" ? "open" : "saved", mine: null };
    if (kept.refused) return { choice: saved, state: saved === "" ? "open" : "saved", mine: kept.choice };
    const failing = this.trouble !== null || this.stuck.has(number);
    return { choice: kept.choice, state: failing ? "waiting" : "saving", mine: null };
  }

  /** Not confirmed by the server, in the order they were first chosen. */
  unsent(): Answer[] {
    return [...this.shelf.answers].filter(([, { refused }]) => !refused).map(([number, { choice, version }]) => ({ number, choice, version }));
  }

  /** What the server has, as it opened the paper. */
  open(answers: Answer[]): void {
    for (const answer of answers) this.heard(answer);
    this.pump();
    this.tell();
  }

  /** The person chooses; an empty choice takes the answer back. False once the attempt is over. */
  choose(number: number, choice: string): boolean {
    if (this.over !== null) return false;
    const before = this.shelf.answers.get(number);
    const saved = this.saved.get(number);
    const going = before !== undefined && !before.refused;
    if (going ? before.choice === choice : (saved?.choice ?? "") === choice) {
      if (!going) this.shelf.drop(number);
    } else if (going && before.tried.length === 0 && (saved?.choice ?? "") === choice && (saved?.version ?? 0) === before.version) {
      this.shelf.drop(number); // changed back before anything was sent
    } else {
      const version = going ? before.version : (saved?.version ?? 0);
      this.shelf.put(number, { choice, version, tried: going ? before.tried : [], refused: false });
      this.stuck.delete(number);
    }
    this.pump();
    this.tell();
    return true;
  }

  /** Of two answers the other page's stays. */
  keepTheirs(number: number): void {
    if (this.shelf.answers.get(number)?.refused) this.shelf.drop(number);
    this.tell();
  }

  /** Send now: the network is back, the app is in front again. */
  wake(): void {
    this.stuck.clear();
    this.endPause();
    this.pump();
  }

  /** Stop sending. What is kept stays on the phone. */
  close(): void {
    this.closed = true;
    this.endPause();
  }

  /** Hand the paper in with everything that is not confirmed. Whatever ends the attempt gives its result. Rejects with
   * `Unreachable` (try again: it counts once) or `Problem`; `answer_conflict` where another page answered first: those
   * questions have `mine` now. */
  async handIn(): Promise<Over> {
    this.handing = true;
    this.endPause();
    try {
      while (this.flight !== null) await this.flight;
      for (let tried = 1; this.over === null; tried++) {
        const brought = this.unsent();
        try {
          const result = await this.ports.handIn(brought);
          this.end(result, result.not_taken ?? []);
        } catch (error) {
          const result = resultOf(error);
          if (result !== null) this.end(result);
          else if (!this.ours(error) || tried === TRIES) throw error;
        }
      }
      return this.over as Over;
    } finally {
      this.handing = false;
      this.pump();
      this.tell();
    }
  }

  /** The attempt ended elsewhere, or by the person's leaving. */
  end(result: Result, lost: number[] = this.unsent().map(({ number }) => number)): void {
    if (this.over !== null) return;
    this.over = { result, lost };
    this.endPause();
    this.shelf.clear();
    this.tell();
  }

  /** Whether a refused hand-in met only answers of this page, whose confirmation was lost. */
  private ours(error: unknown): boolean {
    if (!(error instanceof Problem) || error.code !== "answer_conflict") return false;
    const answers = (error.extra.answers ?? []) as Answer[];
    for (const answer of answers) this.heard(answer);
    return answers.every(({ number }) => !this.shelf.answers.get(number)?.refused);
  }

  private pump(): void {
    if (this.closed || this.over !== null || this.handing || this.flight !== null || this.pause !== null) return;
    const next = this.unsent().find(({ number }) => !this.stuck.has(number));
    if (next === undefined) return;
    const kept = this.shelf.answers.get(next.number) as Kept;
    if (!kept.tried.includes(next.choice)) this.shelf.put(next.number, { ...kept, tried: [...kept.tried, next.choice] });
    this.flight = this.ports.send(next).then(
      (answer) => this.settled(() => this.confirmed(answer)),
      (error: unknown) => this.settled(() => this.failed(next.number, error)),
    );
  }

  private settled(apply: () => void): void {
    this.flight = null;
    if (this.over === null && !this.closed) apply(); // once closed, what is kept belongs to the next queue
    this.pump();
    this.tell();
  }

  private confirmed(answer: Answer): void {
    this.trouble = null;
    this.failures = 0;
    this.heard({ number: answer.number, choice: answer.choice, version: answer.version });
  }

  /** What the server has for a question now, beside what is kept here. */
  private heard(answer: Answer): void {
    const { number } = answer;
    const before = this.saved.get(number);
    if (before !== undefined && before.version > answer.version) return; // an older word
    this.saved.set(number, answer);
    const kept = this.shelf.answers.get(number);
    if (kept === undefined) return;
    const late = answer.version === kept.version && kept.tried.length > 0; // another choice may still arrive and replace it
    if (kept.choice === answer.choice && answer.version >= kept.version && !late) this.shelf.drop(number);
    else if (kept.refused || kept.version === answer.version) return;
    else if (answer.version === kept.version + 1 && kept.tried.includes(answer.choice)) {
      this.shelf.put(number, { ...kept, version: answer.version, tried: [] }); // it was ours, and there is a newer choice
    } else this.shelf.put(number, { ...kept, tried: [], refused: true });
  }

  private failed(number: number, error: unknown): void {
    const result = resultOf(error);
    if (result !== null) return this.end(result);
    if (error instanceof Problem && error.code === "answer_conflict" && error.extra.answer) {
      this.trouble = null;
      this.failures = 0;
      return this.heard(error.extra.answer as Answer);
    }
    if (error instanceof Problem && error.status < 500 && ![401, 409, 429].includes(error.status)) {
      this.stuck.add(number);
      return;
    }
    this.trouble = error instanceof Error ? error : new Error(String(error));
    this.failures += 1;
    const growing = Math.min(LONGEST, SHORTEST * 2 ** Math.min(this.failures - 1, 10));
    const asked = error instanceof Problem ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
    const spread = 1 + (this.ports.random ?? Math.random)() / 4;
    this.pause = this.ports.timers.after(Math.max(growing, asked) * spread, () => {
      this.pause = null;
      this.pump();
    });
  }

  private endPause(): void {
    this.pause?.();
    this.pause = null;
  }

  private tell(): void {
    this.ports.changed?.();
  }
}
