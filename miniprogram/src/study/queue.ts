/** What was watched, on its way to the server. The phone's half of the rules in docs/decisions/0015: a chunk is kept
 * until the server calls it durable, and sent for as long as it is not credited. One request at a time; every answer
 * names the whole state, so a lost answer, a lost Redis or a restart of the phone need nothing of their own. */

import type { components } from "../api/schema";
import { Problem } from "../api/errors";
import type { StoragePort, Timers } from "../platform";
import { chunksOf } from "./bitmap";
import { Shelf, type Kept, type LessonKey } from "./kept";

export type Play = components["schemas"]["StudyPlayOut"];
export type Beat = Required<components["schemas"]["StudyBeatIn"]>;
export type BeatAnswer = components["schemas"]["StudyBeatOut"];

/** Why nothing is sent until the lesson is opened again. `face_check`: a check is due, and stays due until `open`
 * brings a ticket made after it. `other_device`: another device studies now. `purged`: the hours were taken back.
 * `ticket`: it ran out. `refused`: the server does not take what is kept; `problem` says what to do. */
export type Halt = "face_check" | "other_device" | "purged" | "ticket" | "refused";

/** What the screen shows. `credited` and `percent` are the server's last word, `unsent` counts what it has not got,
 * `kept` what is not durable yet. `reach`: chunks from the film's start without a gap, credited or kept;
 * `seen`: the second up to which this phone knows it watched, within a chunk too. `savedAt`: the
 * server's time when it last had something new in its database, null before. `saved` is false while the phone has no room to store it: it is lost if the app is
 * closed. `trouble` is the last failure, null once an answer came. */
export interface View extends LessonKey {
  credited: number;
  percent: number;
  resumeAt: number;
  done: boolean;
  unsent: number;
  kept: number;
  reach: number;
  seen: number;
  savedAt: string | null;
  saved: boolean;
  halt: Halt | null;
  trouble: Error | null;
}

export interface QueuePorts {
  storage: StoragePort;
  timers: Timers;
  /** POST /api/v1/heartbeat, without retries of its own; settles in bounded time. */
  send(beat: Beat): Promise<BeatAnswer>;
  /** Called after every change. */
  changed?(view: View): void;
  random?: () => number;
}

const EVERY = 30_000; // between beats while all goes well: three chunks of ten seconds
const SHORTEST = 1_000; // between two beats that follow each other directly
const LONGEST = 60_000; // between attempts while there is no network
const NOTED = 2; // seconds of watching between two notes of where it stands
const AT_ONCE = 1_000; // chunks the server takes in one beat

interface Open {
  kept: Kept;
  chunks: number;
  credited: Set<number>;
  percent: number;
  resumeAt: number;
  done: boolean;
  savedAt: string | null;
  store: string;
  halt: Halt | null;
  trouble: Error | null;
  /** Beats in a row that failed, or of whose chunks none was credited. */
  fruitless: number;
}

/** One for the whole app: the server lets a person study one lesson at a time. */
export class StudyQueue {
  private readonly shelf: Shelf;
  private current: Open | null = null;
  private sending = false;
  /** Runs until the next beat may go; `hurry` says that `wake` may cut it short. */
  private pause: { cancel: () => void; hurry: boolean } | null = null;

  constructor(private readonly ports: QueuePorts) {
    this.shelf = new Shelf(ports.storage);
  }

  get view(): View | null {
    const open = this.current;
    if (open === null) return null;
    return {
      enrolment: open.kept.enrolment,
      lesson: open.kept.lesson,
      credited: open.credited.size,
      percent: open.percent,
      resumeAt: open.resumeAt,
      done: open.done,
      unsent: unsent(open).length,
      kept: open.kept.chunks.size,
      reach: reach(open),
      seen: open.kept.seen,
      savedAt: open.savedAt,
      saved: this.shelf.safe,
      halt: open.halt,
      trouble: open.trouble,
    };
  }

  /** Lessons with chunks that wait for a ticket of their own: play them again, and they are sent. */
  unfinished(): (LessonKey & { kept: number })[] {
    return this.shelf
      .all()
      .filter((kept) => kept.chunks.size > 0 && kept !== this.current?.kept)
      .map(({ enrolment, lesson, chunks }) => ({ enrolment, lesson, kept: chunks.size }));
  }

  /** After a start of the app: go on sending for the lesson that was open, with its ticket. Its key, or null. */
  resume(): LessonKey | null {
    const kept = this.shelf.all().find((each) => each.ticket !== null);
    if (kept === undefined) return null;
    this.begin({
      kept,
      chunks: Infinity, // the server knows; what was kept was checked when it was watched
      credited: new Set(),
      percent: 0,
      resumeAt: kept.position,
      done: false,
      savedAt: null,
      store: "",
      halt: null,
      trouble: null,
      fruitless: 0,
    });
    return { enrolment: kept.enrolment, lesson: kept.lesson };
  }

  /** The server gave a ticket for the lesson (`POST …/play`). Chunks of another epoch are dropped: those hours were
   * taken back. Ends the tickets of all other lessons, as the server did. */
  open(key: LessonKey, play: Play): void {
    const credited = chunksOf(play.watched);
    const durable = chunksOf(play.durable);
    const before = this.shelf.find(key); // without its ticket and with no chunk it is forgotten
    for (const other of this.shelf.all()) if (other.ticket !== null) this.shelf.save(Object.assign(other, { ticket: null }));
    const chunks = before?.epoch === play.epoch ? [...before.chunks] : [];
    const kept: Kept = {
      enrolment: key.enrolment,
      lesson: key.lesson,
      epoch: play.epoch,
      chunks: new Set(chunks.filter((chunk) => chunk < play.chunks && !durable.has(chunk))),
      position: play.resume_at,
      seen: before?.epoch === play.epoch ? before.seen : 0,
      ticket: play.ticket,
    };
    this.shelf.save(kept);
    this.begin({
      kept,
      chunks: play.chunks,
      credited,
      percent: Math.floor((credited.size * 100) / play.chunks),
      resumeAt: play.resume_at,
      done: false,
      savedAt: null,
      store: play.store,
      halt: null,
      trouble: null,
      fruitless: 0,
    });
  }

  /** Chunk number `chunk` was watched to its end; `position` of the player in seconds. False after the hours were
   * taken back: it belongs to what the server no longer counts. Raises `Error` where no lesson is open, `RangeError`
   * for a chunk that the lesson has not. */
  watched(chunk: number, position: number): boolean {
    const open = this.opened();
    if (!Number.isInteger(chunk) || chunk < 0 || chunk >= open.chunks) throw new RangeError(`no chunk ${chunk}`);
    if (open.halt === "purged") return false;
    open.kept.chunks.add(chunk);
    open.kept.position = position;
    this.shelf.save(open.kept);
    this.pump();
    this.tell();
    return true;
  }

  /** The player stands at `position` (seconds); goes along with the next beat. `seen`: everything before that second
   * was watched. Kept every few seconds, so that a reload goes on within a chunk; no chunk counts by it. */
  at(position: number, seen: number): void {
    const { kept } = this.opened();
    const due = Math.floor(seen / NOTED) !== Math.floor(kept.seen / NOTED);
    Object.assign(kept, { position, seen });
    if (due) this.shelf.save(kept);
  }

  /** Send now if the server allows it: the network is back, the player pauses, the page is left, the film is over. */
  wake(): void {
    if (this.pause?.hurry) this.endPause();
    this.pump();
  }

  /** Stop sending. What is kept stays on the phone. With `signedOut` the ticket goes too, so that nothing is sent
   * before the person has signed in and opened the lesson again. */
  close({ signedOut = false } = {}): void {
    const open = this.current;
    if (open === null) return;
    this.current = null;
    this.endPause();
    if (signedOut) open.kept.ticket = null;
    this.shelf.save(open.kept);
  }

  private opened(): Open {
    if (this.current === null) throw new Error("no lesson is open");
    return this.current;
  }

  private begin(open: Open): void {
    this.current = open;
    this.endPause();
    this.pump();
    this.tell();
  }

  /** Send a beat, unless one is on its way, a pause runs, or there is nothing to send or to ask for. */
  private pump(): void {
    const open = this.current;
    if (open === null || open.halt !== null || this.sending || this.pause !== null) return;
    const { kept } = open;
    if (kept.ticket === null || kept.chunks.size === 0) return;
    const chunks = unsent(open).slice(0, AT_ONCE);
    const answer = this.ports.send({ ticket: kept.ticket, chunks, position: kept.position });
    this.sending = true;
    answer.then(
      (body) => this.settled(open, () => this.answered(open, chunks, body)),
      (error: unknown) => this.settled(open, () => this.failed(open, error)),
    );
  }

  /** What an answer says of a lesson that has been opened again since then is about a ticket that has ended. */
  private settled(open: Open, apply: () => void): void {
    this.sending = false;
    if (this.current === open) apply();
    this.pump();
    if (this.current === open) this.tell();
  }

  private answered(open: Open, sent: number[], answer: BeatAnswer): void {
    let credited: Set<number>;
    let durable: Set<number>;
    try {
      credited = chunksOf(answer.credited);
      durable = chunksOf(answer.durable);
    } catch (error) {
      this.failed(open, error);
      return;
    }
    const { kept } = open;
    open.trouble = null;
    if (answer.epoch !== kept.epoch) {
      Object.assign(kept, { epoch: answer.epoch, chunks: new Set(), seen: 0, ticket: null });
      open.halt = "purged";
    } else {
      const before = kept.chunks.size;
      for (const chunk of durable) kept.chunks.delete(chunk);
      if (kept.chunks.size < before) open.savedAt = answer.server_now;
      if (answer.next === "kicked") open.halt = answer.reason === "purged" ? "purged" : "other_device";
      if (answer.next === "face_check") open.halt = "face_check";
      if (open.halt !== null) kept.ticket = null;
    }
    const rebuilt = answer.store !== open.store && open.store !== "";
    if (rebuilt || sent.length === 0 || sent.some((chunk) => credited.has(chunk))) open.fruitless = 0;
    else open.fruitless += 1;
    open.credited = credited;
    open.percent = answer.percent;
    open.resumeAt = answer.resume_at;
    open.done = answer.next === "done";
    open.store = answer.store;
    this.shelf.save(kept);
    if (answer.next === "wait") {
      this.rest(Math.max(SHORTEST, Math.ceil(answer.wait_seconds * 1000)), false);
    } else {
      // more than was sent: watched meanwhile, beyond one beat's size, or lost with the server's store (`store`
      // changed, or its last second was lost without a word)
      const tried = new Set(sent);
      const more = unsent(open).some((chunk) => !tried.has(chunk));
      const soon = Math.min(EVERY, SHORTEST * 2 ** Math.min(open.fruitless, 10));
      this.rest(more ? soon : EVERY, true);
    }
  }

  private failed(open: Open, error: unknown): void {
    open.trouble = error instanceof Error ? error : new Error(String(error));
    open.fruitless += 1;
    if (error instanceof Problem && error.code === "play_ticket_invalid") {
      this.halt(open, "ticket");
    } else if (error instanceof Problem && error.status < 500 && error.status !== 429) {
      this.halt(open, "refused");
    } else {
      const growing = Math.min(LONGEST, SHORTEST * 2 ** Math.min(open.fruitless, 10));
      const asked = error instanceof Problem ? (error.retryAfterSeconds ?? 0) * 1000 : 0;
      const spread = 1 + (this.ports.random ?? Math.random)() / 2;
      this.rest(Math.max(growing, asked) * spread, asked === 0);
    }
  }

  private halt(open: Open, why: Halt): void {
    open.halt = why;
    open.kept.ticket = null;
    this.shelf.save(open.kept);
  }

  private rest(milliseconds: number, hurry: boolean): void {
    this.endPause();
    const cancel = this.ports.timers.after(milliseconds, () => {
      this.pause = null;
      this.pump();
    });
    this.pause = { cancel, hurry };
  }

  private endPause(): void {
    this.pause?.cancel();
    this.pause = null;
  }

  private tell(): void {
    if (this.view !== null) this.ports.changed?.(this.view);
  }
}

/** Kept and not credited, in the film's order. */
function unsent({ kept, credited }: Open): number[] {
  return [...kept.chunks].filter((chunk) => !credited.has(chunk)).sort((one, other) => one - other);
}

function reach({ kept, credited, chunks }: Open): number {
  let chunk = 0;
  while (chunk < chunks && (credited.has(chunk) || kept.chunks.has(chunk))) chunk += 1;
  return chunk;
}
