import assert from "node:assert/strict";
import { test } from "vitest";

import { startOf, Watching } from "../src/study/watching";

const FILM = { seconds: 35, chunkSeconds: 10, chunks: 4 };

/** A player whose time goes on in quarters of a second, as a phone tells it. */
class Player {
  now = 0;
  at: number;
  readonly seen: number[] = [];
  readonly watching: Watching;

  constructor(start = 0, free = false, film = FILM) {
    this.at = start;
    this.watching = new Watching(film, start, free, () => this.now);
  }

  /** Play for `seconds`, `pace` times as fast as a clock. */
  play(seconds: number, pace = 1): this {
    for (let step = 0; step < (seconds * 4) / pace; step++) {
      this.now += 250;
      this.at = Math.min(FILM.seconds, this.at + 0.25 * pace);
      this.told();
    }
    return this;
  }

  /** Somebody or something moves the player. */
  jump(to: number): this {
    this.watching.moved();
    this.at = to;
    this.told();
    return this;
  }

  end(): this {
    this.seen.push(...this.watching.ends());
    return this;
  }

  private told(): void {
    const { seen, back } = this.watching.runs(this.at);
    this.seen.push(...seen);
    if (back !== null) {
      this.watching.moved();
      this.at = back;
    }
  }
}

test("a film that is watched through reports each chunk once, the shorter last one at its end", () => {
  const player = new Player().play(35);
  assert.deepEqual(player.seen, [0, 1, 2]);
  assert.deepEqual(player.end().seen, [0, 1, 2, 3]);
});

test("nobody gets ahead of what they have watched: the player goes back to it, and the chunk still counts", () => {
  const player = new Player().play(4).jump(25);
  assert.equal(player.at, 4);
  assert.deepEqual(player.play(6.5).seen, [0]);
});

test("many small steps forward do not add up to a chunk that was not watched", () => {
  const player = new Player();
  for (let step = 0; step < 60; step++) player.play(0.25).jump(player.at + 3);
  assert.ok(player.at < 20, `${player.at}`); // each step lands where it was
  assert.deepEqual(player.end().seen.filter((chunk) => chunk > 1), []);
});

test("a film wound to its end without being watched reports nothing", () => {
  const player = new Player(0, true).play(2);
  player.jump(34.9);
  assert.deepEqual(player.play(0.1).end().seen, []);
});

test("going back is always allowed, and what is seen twice may be told twice", () => {
  const player = new Player().play(21).jump(5);
  assert.equal(player.at, 5);
  assert.deepEqual(player.play(16).seen, [0, 1, 0, 1]);
  assert.equal(player.watching.reach, 21);
});

test("a pause, and a wait for the network, are no jump; a move behind their back is one", () => {
  const player = new Player().play(6);
  player.watching.rests();
  player.now += 600_000;
  assert.deepEqual(player.play(5).seen, [0]);

  const moved = new Player(0, true).play(6);
  moved.watching.rests();
  moved.now += 600_000;
  moved.at = 17; // no event told of it
  assert.deepEqual(moved.play(4).seen, []);
});

test("once the lesson is done, the film may be wound, and only whole chunks count", () => {
  const player = new Player(0, true).jump(13).play(8);
  assert.equal(player.at, 21);
  assert.deepEqual(player.seen, []); // chunk 1 from 13 on
  assert.deepEqual(player.play(9.5).seen, [2]);
});

test("a player that lands a little beside the place it was sent to loses no chunk", () => {
  assert.deepEqual(new Player(20.8).play(9.5).seen, [2]);
  const free = new Player(0, true).jump(10.9);
  assert.deepEqual(free.play(9.5).seen, [1]);
});

test("a lesson goes on where the server says, or after what this phone has not sent yet", () => {
  const film = { ...FILM, resumeAt: 17, inOrder: true, done: false };
  assert.equal(startOf(film, new Set([0, 1]), 2), 17);
  assert.equal(startOf(film, new Set([0]), 3), 30);
  assert.equal(startOf(film, new Set([0]), 4), 30); // all of it: the last chunk again, while it is on its way
  assert.equal(startOf({ ...film, inOrder: false }, new Set(), 0), 10);
  assert.equal(startOf({ ...film, done: true }, new Set([0, 1, 2, 3]), 4), 0);
});

test("within a chunk this phone goes on a little before the second that it had watched", () => {
  const film = { ...FILM, resumeAt: 10, inOrder: true, done: false };
  assert.equal(startOf(film, new Set([0]), 1, 18.6), 16);
  assert.equal(startOf(film, new Set([0]), 1, 11), 10); // never before the chunk
  assert.equal(startOf(film, new Set([0]), 1, 9), 10); // of before: the chunk was sent since
  assert.equal(startOf(film, new Set([0]), 1, 25), 10); // of another place: the server knows better
  assert.equal(startOf(film, new Set([0]), 3, 33), 31); // after what is kept and not sent, in the short last chunk
  assert.equal(startOf(film, new Set([0]), 3, 35), 30);
  assert.equal(startOf({ ...film, done: true }, new Set([0]), 1, 18), 0);
});

test("however often the page is loaded anew, no chunk counts before its seconds were watched", () => {
  for (const every of [0.5, 1.25, 2.5, 3, 7, 11]) {
    for (const miss of [-1.25, 0, 1.25]) {
      let [watched, seen] = [0, 0];
      const chunks = new Set<number>();
      for (let visit = 0; visit < 400 && chunks.size < FILM.chunks; visit += 1) {
        let known = 0;
        while (chunks.has(known)) known += 1;
        const start = startOf({ ...FILM, resumeAt: known * 10, inOrder: true, done: false }, new Set(chunks), known, seen);
        const player = new Player(start);
        player.jump(Math.max(0, start + miss)).play(every);
        if (player.at >= FILM.seconds) player.end();
        watched += every;
        seen = Math.min(player.watching.reach, Math.floor(player.watching.reach / 2) * 2 + 1.99); // noted every two seconds
        for (const chunk of player.seen) chunks.add(chunk);
        const credit = [...chunks].reduce((sum, chunk) => sum + (chunk === 3 ? 5 : 10), 0);
        assert.ok(credit <= watched + 2, `${credit} s for ${watched} s, a visit of ${every} s, ${miss} s beside`);
      }
      if (every >= 7 && miss === 0) assert.equal(chunks.size, FILM.chunks);
    }
  }
});
