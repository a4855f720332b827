/** What of a film was watched, told by the player's time as it runs. A chunk counts once it was seen from its beginning
 * to its end without a jump. Until the lesson is done nobody gets further ahead than they have watched: that is checked
 * here, whatever moved the player (a key, a headset, a script), and again by the server, which alone credits. */

export interface Film {
  seconds: number;
  chunkSeconds: number;
  chunks: number;
}

/** What to do now: report `seen` chunks; set the player `back` to this second, unless null. */
export interface Step {
  seen: number[];
  back: number | null;
}

const SLACK = 1.5; // seconds by which players miss the place they were sent to
const LONGEST = 2; // seconds between two times of a player that runs

export class Watching {
  /** The player's way since its last jump: where it began, where it is, and the next chunk that it will have seen. */
  private run: { from: number; last: number; at: number | null; next: number } | null = null;
  private furthest: number; // everything before this second was watched

  /** `start`: where the player begins; where an order is kept, everything before was watched. `free`: anywhere may be
   * looked at (the lesson is done, or no order is kept). `now` in milliseconds. */
  constructor(
    private readonly film: Film,
    start: number,
    public free: boolean,
    private readonly now: () => number,
  ) {
    this.furthest = free ? 0 : start;
  }

  /** Up to here, in seconds, it may be looked at. */
  get reach(): number {
    return this.free ? this.film.seconds : this.furthest;
  }

  /** The player runs and stands at `position`. */
  runs(position: number): Step {
    if (!this.free && position > this.furthest + SLACK) {
      this.run = null;
      return { seen: [], back: this.furthest };
    }
    const { run } = this;
    const elapsed = run?.at == null ? 0 : Math.min((this.now() - run.at) / 1000, LONGEST);
    const jumped = run === null || position < run.last - SLACK || position > run.last + elapsed + SLACK;
    const going = jumped ? this.begin(position) : run;
    going.last = Math.max(going.last, position);
    going.at = this.now();
    this.run = going;
    if (going.from <= this.furthest + SLACK) this.furthest = Math.max(this.furthest, going.last);
    const seen: number[] = [];
    while (going.next < this.film.chunks - 1 && (going.next + 1) * this.film.chunkSeconds <= going.last) seen.push(going.next++);
    return { seen, back: null };
  }

  /** The player paused, or waits for the network. */
  rests(): void {
    if (this.run !== null) this.run.at = null;
  }

  /** The player was sent elsewhere. */
  moved(): void {
    this.run = null;
  }

  /** The film is over: its last chunk is seen, if the end was reached by watching. A file may be shorter than its
   * lesson by a moment. */
  ends(): number[] {
    const { run } = this;
    this.run = null;
    if (run === null || run.last < this.film.seconds - LONGEST) return [];
    const seen: number[] = [];
    for (let chunk = run.next; chunk < this.film.chunks; chunk++) seen.push(chunk);
    return seen;
  }

  /** A chunk whose first part was watched before counts as well as one that begins now. */
  private begin(position: number): { from: number; last: number; at: null; next: number } {
    const { chunkSeconds } = this.film;
    const known = position <= this.furthest + SLACK;
    const next = known ? Math.floor(position / chunkSeconds) : Math.ceil((position - SLACK) / chunkSeconds);
    return { from: position, last: position, at: null, next };
  }
}

const BACK = 2; // seconds, more than players miss a place by: nothing is left out by going on within a chunk

/** Where to go on, in seconds: where the server says, or after what this phone has watched and not yet sent; within the
 * chunk that comes next, as far as this phone has watched it (`seen`). `reach`: chunks from the start without a gap, what
 * is kept included; `credited`: those of the server alone. */
export function startOf(film: Film & { resumeAt: number; inOrder: boolean; done: boolean }, credited: Set<number>, reach: number, seen = 0): number {
  if (film.done) return 0;
  if (!film.inOrder) return Math.floor(film.resumeAt / film.chunkSeconds) * film.chunkSeconds;
  let known = 0;
  while (credited.has(known)) known += 1;
  const start = reach <= known ? film.resumeAt : Math.min(reach, film.chunks - 1) * film.chunkSeconds;
  const within = seen > start && seen < start + film.chunkSeconds && seen < film.seconds;
  return within ? Math.max(start, Math.floor(seen) - BACK) : start;
}
