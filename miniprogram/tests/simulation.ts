import { Unreachable } from "../src/api/errors";
import { StudyQueue, type Beat, type BeatAnswer, type Play } from "../src/study/queue";
import { ModelServer, problem } from "./server";
import { dice, settled, Storage, Time } from "./time";

const KEY = { enrolment: "enrolment-1", lesson: "lesson-1" };
const TOTAL = 40;

/** What the server says on its way to the phone; a twin changes it to show that the checks see a loss. */
export interface Lies {
  answer?(answer: BeatAnswer): BeatAnswer;
  play?(play: Play): Play;
}

/** One learner's phone and the server through `steps` random events, then peace. The broken rules, in words. */
export async function simulate(seed: number, steps: number, lies: Lies = {}): Promise<string[]> {
  const world = new World(seed, lies);
  await world.play();
  for (let step = 0; step < steps && world.broken.length === 0; step++) await world.step();
  if (world.broken.length === 0) await world.peace();
  return world.broken.map((rule) => `seed ${seed}: ${rule}`);
}

class World {
  readonly broken: string[] = [];
  private readonly time = new Time();
  private readonly storage = new Storage();
  private readonly server = new ModelServer(() => this.time.now, TOTAL, this.seed % 2 === 0, 120);
  private readonly roll = dice(this.seed);
  private queue!: StudyQueue;
  private life = 0; // of the app: what an earlier life waits for never comes
  private epoch = 0; // that the phone studies in
  private readonly watched = new Map<number, Set<number>>();
  private ticket = "";
  private chunk = 0;
  private onTheWay = 0;
  private notBefore = 0;
  private halted = false;
  private told = new Set<number>(); // credited, as the last answer that arrived says
  private stormy = true;

  constructor(
    private readonly seed: number,
    private readonly lies: Lies,
  ) {
    this.start();
  }

  async step(): Promise<void> {
    const luck = this.roll();
    if (luck < 0.5) await this.watch();
    else if (luck < 0.62) this.server.flush();
    else if (luck < 0.68) await this.time.pass(this.roll() * 60_000);
    else if (luck < 0.73) this.queue.wake();
    else if (luck < 0.77) this.server.lose(this.roll() < 0.4);
    else if (luck < 0.8) await this.restart();
    else if (luck < 0.83) this.storage.full = !this.storage.full;
    else if (luck < 0.845) this.server.faceDue = true;
    else if (luck < 0.86) this.server.takeOver();
    else if (luck < 0.875) this.server.purge();
    else if (luck < 0.9) await this.play(); // opened again, perhaps with a beat on its way
    else if (this.queue.view === null || this.queue.view.halt !== null) await this.play();
    await settled();
    this.check();
  }

  /** No more trouble: in the end everything watched must be durable, and nothing else. */
  async peace(): Promise<void> {
    this.stormy = false;
    this.storage.full = false;
    await this.time.pass(120_000); // answers of the storm
    for (let round = 0; round < 60; round++) {
      if (this.queue.view === null || this.queue.view.halt !== null) await this.play();
      await this.time.pass(31_000);
      this.server.flush();
    }
    this.check();
    const missing = [...this.truth(this.server.epoch)].filter((chunk) => !this.server.durable.has(chunk));
    if (missing.length > 0) this.broken.push(`lost: ${missing.join(" ")}`);
    if (this.queue.view?.kept !== 0) this.broken.push(`still keeps ${this.queue.view?.kept} chunks`);
  }

  async play(): Promise<void> {
    const given = this.server.play();
    const play = this.lies.play?.(given) ?? given;
    this.epoch = given.epoch;
    this.ticket = given.ticket;
    this.chunk = play.resume_at / play.chunk_seconds;
    this.halted = false;
    this.notBefore = 0;
    this.told = new Set(this.server.credited);
    this.queue.open(KEY, play);
    await settled();
  }

  private async watch(): Promise<void> {
    const view = this.queue.view;
    if (view === null || view.halt === "purged" || this.chunk >= TOTAL) return;
    await this.time.pass(10_000 * (0.5 + this.roll())); // some play at double speed
    if (this.queue.watched(this.chunk, this.chunk * 10)) this.truth(this.epoch).add(this.chunk);
    this.chunk += 1;
  }

  private async restart(): Promise<void> {
    if (this.queue.view?.saved === false) return; // the screen has warned
    this.start();
    if (this.queue.resume() === null || this.roll() < 0.5) await this.play();
  }

  private start(): void {
    const life = ++this.life;
    this.onTheWay = 0;
    this.notBefore = 0;
    this.halted = false;
    this.told = new Set();
    this.queue = new StudyQueue({
      storage: this.storage,
      timers: { after: (wait, action) => this.time.after(wait, () => life === this.life && action()) },
      random: this.roll,
      send: (beat) => this.send(beat, life),
    });
  }

  private send(beat: Beat, life: number): Promise<BeatAnswer> {
    if (++this.onTheWay > 1) this.broken.push("two beats at once");
    if (this.time.now < this.notBefore) this.broken.push("did not wait");
    if (this.halted) this.broken.push("sent after a stop");
    if (beat.chunks.some((chunk) => this.told.has(chunk))) this.broken.push("sent what is credited");
    const trouble = this.stormy ? this.roll() : 1;
    const there = this.roll() * 3_000;
    const back = trouble < 0.1 ? 40_000 : this.roll() * 3_000; // some answers take longer than four chunks
    return new Promise((resolve, reject) => {
      const arrive = (action: () => void) =>
        this.time.after(back, () => {
          if (life !== this.life) return;
          this.onTheWay -= 1;
          action();
        });
      this.time.after(there, () => {
        if (trouble >= 0.1 && trouble < 0.2) return arrive(() => reject(new Unreachable("no_network", "no way there")));
        if (trouble >= 0.2 && trouble < 0.25) return arrive(() => reject(problem("recording_paused", 503, 5)));
        let answer: BeatAnswer;
        try {
          answer = this.server.beat(trouble >= 0.25 && trouble < 0.28 ? { ...beat, ticket: "-1:0" } : beat);
        } catch (error) {
          return arrive(() => reject(error));
        }
        for (const chunk of beat.chunks) {
          const old = this.server.everCredited.has(`${this.server.epoch}:${chunk}`);
          if (old && !this.truth(this.server.epoch).has(chunk)) this.broken.push(`chunk ${chunk} counted without being watched`);
        }
        if (trouble >= 0.28 && trouble < 0.4) return arrive(() => reject(new Unreachable("timeout", "answer lost")));
        if (trouble >= 0.4 && trouble < 0.42) return arrive(() => resolve({ ...answer, credited: "<html>" }));
        const opened = beat.ticket;
        return arrive(() => {
          if (opened === this.ticket) {
            this.told = this.setOf(answer);
            if (answer.next === "wait") this.notBefore = this.time.now + answer.wait_seconds * 1000;
            this.halted = answer.next === "kicked" || answer.next === "face_check";
          }
          resolve(this.lies.answer?.(answer) ?? answer);
        });
      });
    });
  }

  private setOf(answer: BeatAnswer): Set<number> {
    return new Set([...Array(TOTAL).keys()].filter((chunk) => bit(answer.credited, chunk)));
  }

  private stored(): { chunks: number[]; epoch: number; ticket: string | null } | null {
    const text = this.storage.get(`study.kept.${KEY.enrolment}.${KEY.lesson}`);
    return text === null ? null : (JSON.parse(text) as { chunks: number[]; epoch: number; ticket: string | null });
  }

  private truth(epoch: number): Set<number> {
    const set = this.watched.get(epoch) ?? new Set();
    this.watched.set(epoch, set);
    return set;
  }

  private check(): void {
    const view = this.queue.view;
    if (view?.saved === false) return;
    const stored = new Set(this.stored()?.chunks);
    const known = new Set([...this.told, ...stored]).size;
    if (view !== null && view.credited + view.unsent !== known) this.broken.push("shows a chunk twice, or not at all");
    if (this.epoch !== this.server.epoch) return;
    for (const chunk of this.truth(this.epoch)) {
      if (!stored.has(chunk) && !this.server.durable.has(chunk)) this.broken.push(`chunk ${chunk} is nowhere`);
    }
  }
}

function bit(base64: string, chunk: number): boolean {
  const six = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".indexOf(base64.charAt(Math.floor(chunk / 6)));
  return six > 0 && (six & (32 >> chunk % 6)) !== 0;
}
