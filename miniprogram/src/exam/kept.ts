import type { StoragePort } from "../platform";

/** What the phone keeps of one answer that the server has not confirmed. `version`: of the server's answer that it
 * replaces. `tried`: choices that were sent with this version and not heard of: one of them may stand on the server.
 * `refused`: another page answered first; it is shown beside that answer and sent only when chosen again. */
export interface Kept {
  choice: string;
  version: number;
  tried: string[];
  refused: boolean;
}

/** Where the person is in the paper: the question that is open, and those marked to come back to. */
export interface Place {
  at: number;
  marked: number[];
}

const PREFIX = "exam.kept.";

/** The answers of one attempt on the phone, one entry each: two pages of the same browser do not overwrite each other's.
 * What the storage refuses (it is full) stays in memory and is tried again with the next change. */
export class AnswerShelf {
  readonly answers = new Map<number, Kept>();
  private readonly unsaved = new Set<number>();

  constructor(
    private readonly attempt: string,
    private readonly storage: StoragePort,
  ) {
    for (const name of storage.keys()) {
      const number = Number(name.slice(this.prefix.length));
      if (!name.startsWith(this.prefix) || !Number.isInteger(number) || number < 1) continue;
      const kept = keptOf(parsed(storage.get(name)));
      if (kept !== null) this.answers.set(number, kept);
      else storage.remove(name); // cut off in the middle of a write: it cannot be sent
    }
  }

  /** The attempts that have answers here. */
  static attempts(storage: StoragePort): string[] {
    const names = storage.keys().filter((name) => name.startsWith(PREFIX) && /\.\d+$/.test(name));
    return [...new Set(names.map((name) => name.slice(PREFIX.length).replace(/\.\d+$/, "")))];
  }

  /** Whether the phone's storage has everything. */
  get safe(): boolean {
    return this.unsaved.size === 0;
  }

  get place(): Place {
    const value = parsed(this.storage.get(`${this.prefix}place`)) as Partial<Place> | null;
    const marked = Array.isArray(value?.marked) ? value.marked.filter((each) => Number.isInteger(each)) : [];
    return { at: Number.isInteger(value?.at) ? (value?.at as number) : 1, marked };
  }

  set place(place: Place) {
    try {
      this.storage.set(`${this.prefix}place`, JSON.stringify(place));
    } catch {
      // no room on the phone: the paper opens at its first question next time
    }
  }

  put(number: number, kept: Kept): void {
    this.answers.set(number, kept);
    this.write(number);
  }

  drop(number: number): void {
    this.answers.delete(number);
    this.write(number);
  }

  /** The attempt is over: nothing of it is needed here. */
  clear(): void {
    this.answers.clear();
    this.unsaved.clear();
    for (const name of this.storage.keys()) if (name.startsWith(this.prefix)) this.storage.remove(name);
  }

  private get prefix(): string {
    return `${PREFIX}${this.attempt}.`;
  }

  private write(changed: number): void {
    this.unsaved.add(changed);
    for (const number of [...this.unsaved]) {
      const kept = this.answers.get(number);
      try {
        if (kept === undefined) this.storage.remove(this.prefix + number);
        else this.storage.set(this.prefix + number, JSON.stringify(kept));
      } catch {
        continue; // no room on the phone: `safe` tells the screen
      }
      this.unsaved.delete(number);
    }
  }
}

function parsed(text: string | null): unknown {
  try {
    return JSON.parse(text ?? "null");
  } catch {
    return null;
  }
}

function keptOf(value: unknown): Kept | null {
  if (typeof value !== "object" || value === null) return null;
  const { choice, version, tried, refused } = value as Partial<Record<keyof Kept, unknown>>;
  const sound =
    typeof choice === "string" &&
    Number.isInteger(version) &&
    Array.isArray(tried) &&
    tried.every((each) => typeof each === "string") &&
    typeof refused === "boolean";
  return sound ? { choice, version: version as number, tried: tried as string[], refused } : null;
}
