import type { StoragePort } from "../platform";

/** A lesson of an enrolment. */
export interface LessonKey {
  enrolment: string;
  lesson: string;
}

/** What the phone keeps of one lesson: the chunks watched and not yet durable, all of one `epoch`; the player's
 * `position` in seconds; `seen`, the second up to which it was watched without a gap, within a chunk too (0: not known);
 * and, for the lesson opened last, the `ticket` to report them with. */
export interface Kept extends LessonKey {
  epoch: number;
  chunks: Set<number>;
  position: number;
  seen: number;
  ticket: string | null;
}

const PREFIX = "study.kept.";

/** The lessons kept on the phone. What the storage refuses (it is full) stays in memory and is tried again with the
 * next change. */
export class Shelf {
  private readonly lessons = new Map<string, Kept>();
  private readonly unsaved = new Set<string>();

  constructor(private readonly storage: StoragePort) {
    for (const name of storage.keys()) {
      if (!name.startsWith(PREFIX)) continue;
      const kept = parsed(storage.get(name));
      if (kept !== null && nameOf(kept) === name) this.lessons.set(name, kept);
      else storage.remove(name); // cut off in the middle of a write, or of another version: it cannot be reported
    }
  }

  /** Whether the phone's storage has everything. */
  get safe(): boolean {
    return this.unsaved.size === 0;
  }

  all(): Kept[] {
    return [...this.lessons.values()];
  }

  find(key: LessonKey): Kept | null {
    return this.lessons.get(nameOf(key)) ?? null;
  }

  /** Store the lesson as it is now; one with neither chunks nor a ticket is forgotten. */
  save(kept: Kept): void {
    this.lessons.set(nameOf(kept), kept);
    this.unsaved.add(nameOf(kept));
    for (const name of [...this.unsaved]) this.write(name);
  }

  private write(name: string): void {
    const kept = this.lessons.get(name);
    if (kept === undefined) return;
    try {
      if (kept.chunks.size === 0 && kept.ticket === null) {
        this.storage.remove(name);
        this.lessons.delete(name);
      } else {
        this.storage.set(name, JSON.stringify({ ...kept, chunks: [...kept.chunks] }));
      }
    } catch {
      return; // no room on the phone: `safe` tells the screen
    }
    this.unsaved.delete(name);
  }
}

function nameOf({ enrolment, lesson }: LessonKey): string {
  return `${PREFIX}${enrolment}.${lesson}`;
}

function parsed(text: string | null): Kept | null {
  let value: unknown;
  try {
    value = JSON.parse(text ?? "");
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null) return null;
  const { enrolment, lesson, epoch, chunks, position, seen = 0, ticket } = value as Partial<Record<keyof Kept, unknown>>;
  const sound =
    typeof enrolment === "string" &&
    typeof lesson === "string" &&
    isCount(epoch) &&
    Array.isArray(chunks) &&
    chunks.every(isCount) &&
    typeof position === "number" &&
    typeof seen === "number" &&
    (ticket === null || typeof ticket === "string");
  return sound ? { enrolment, lesson, epoch, chunks: new Set(chunks as number[]), position, seen, ticket } : null;
}

function isCount(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0;
}
