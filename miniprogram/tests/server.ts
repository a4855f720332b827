import { Problem, type ProblemCode } from "../src/api/errors";
import type { Beat, BeatAnswer, Play } from "../src/study/queue";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The bitmap of these chunks as the server writes it. */
export function base64(chunks: Iterable<number>): string {
  const wanted = new Set(chunks);
  const bytes = Math.floor(Math.max(-1, ...wanted) / 8) + 1;
  let text = "";
  for (let start = 0; start < bytes * 8; start += 6) {
    let six = 0;
    for (let bit = 0; bit < 6; bit++) six = six * 2 + (wanted.has(start + bit) ? 1 : 0);
    text += ALPHABET.charAt(six);
  }
  return text + "=".repeat((4 - (text.length % 4)) % 4);
}

export function problem(code: ProblemCode, status: number, retryAfterSeconds: number | null = null): Problem {
  return new Problem({ type: "", title: code, status, code, detail: code }, retryAfterSeconds);
}

const CHUNK = 10;

/** The server's rules for one lesson in a few lines: a lease, a bucket that fills with the wall clock, what is
 * credited (in Redis) and what of it is durable (in SQL). Written from docs/decisions/0015, not from its code. */
export class ModelServer {
  epoch = 0;
  store = "store-0";
  credited = new Set<number>();
  durable = new Set<number>();
  faceDue = false;
  /** The server's own record of what it credited, for the tests: "epoch:chunk". */
  readonly everCredited = new Set<string>();
  private session = 0;
  private sessions = 0;
  private bucket = { at: 0, seconds: 0 };
  private durableBucket = { at: 0, seconds: 0 };

  constructor(
    private readonly now: () => number,
    readonly total: number,
    private readonly inOrder = true,
    private readonly allowance = 900,
  ) {}

  /** POST …/play after whatever face check was due. */
  play(): Play {
    this.session = ++this.sessions;
    this.faceDue = false;
    return {
      ticket: `${this.session}:${this.epoch}`,
      video_url: "/video/x",
      hls_url: null,
      title: "安全生产",
      seconds: this.total * CHUNK,
      chunk_seconds: CHUNK,
      chunks: this.total,
      in_order: this.inOrder,
      resume_at: this.prefix() * CHUNK,
      watched: base64(this.credited),
      durable: base64(this.durable),
      epoch: this.epoch,
      store: this.store,
      number: 1,
      bytes: null,
      autoplay: true,
      next_lesson_id: null,
      face_until: null,
      server_now: "2026-01-01T08:00:00+08:00",
    };
  }

  /** POST /heartbeat. */
  beat({ ticket, chunks }: Beat): BeatAnswer {
    if (chunks.some((chunk) => chunk >= this.total)) throw problem("wrong_chunks", 422);
    const [session, epoch] = ticket.split(":").map(Number);
    if (session === -1) throw problem("play_ticket_invalid", 401);
    const refused: number[] = [];
    let wait = 0;
    const stop = session !== this.session ? "other_device" : epoch !== this.epoch ? "purged" : null;
    if (stop === null && !this.faceDue) {
      this.fill();
      for (const chunk of [...chunks].sort((one, other) => one - other)) {
        if (this.credited.has(chunk)) continue;
        if (wait > 0 || (this.inOrder && chunk > this.prefix())) refused.push(chunk);
        else if (this.bucket.seconds < CHUNK) {
          wait = CHUNK - this.bucket.seconds;
          refused.push(chunk);
        } else {
          this.bucket.seconds -= CHUNK;
          this.credited.add(chunk);
          this.everCredited.add(`${this.epoch}:${chunk}`);
        }
      }
    }
    const next = stop ? "kicked" : this.faceDue ? "face_check" : this.credited.size >= this.total * 0.9 ? "done" : wait ? "wait" : "go_on";
    return {
      credited: base64(this.credited),
      durable: base64(this.durable),
      percent: Math.floor((this.credited.size * 100) / this.total),
      next,
      reason: stop,
      refused,
      wait_seconds: wait,
      resume_at: this.prefix() * CHUNK,
      epoch: this.epoch,
      store: this.store,
      server_now: "2026-01-01T08:00:00+08:00",
    };
  }

  /** The flusher ran. */
  flush(): void {
    this.durable = new Set(this.credited);
    this.durableBucket = { ...this.bucket };
  }

  /** Redis lost everything since the last flush; `silently` without a new name (its last second only). */
  lose(silently: boolean): void {
    this.credited = new Set(this.durable);
    this.bucket = { ...this.durableBucket };
    if (!silently) this.store = `${this.store}+`;
  }

  purge(): void {
    this.epoch += 1;
    this.credited = new Set();
    this.durable = new Set();
    this.bucket = { at: this.now(), seconds: 0 };
    this.durableBucket = { ...this.bucket };
  }

  /** Somebody studies on another device. */
  takeOver(): void {
    this.session = ++this.sessions;
  }

  private fill(): void {
    const now = this.now();
    this.bucket.seconds = Math.min(this.allowance, this.bucket.seconds + (now - this.bucket.at) / 1000);
    this.bucket.at = now;
  }

  private prefix(): number {
    let chunk = 0;
    while (this.credited.has(chunk)) chunk++;
    return chunk;
  }
}
