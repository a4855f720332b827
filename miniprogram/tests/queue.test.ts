import assert from "node:assert/strict";
import { test } from "vitest";

import { Unreachable } from "../src/api/errors";
import { StudyQueue, type Beat, type BeatAnswer, type Play } from "../src/study/queue";
import { base64, problem } from "./server";
import { settled, Storage, Time } from "./time";

const KEY = { enrolment: "e1", lesson: "l1" };
const OTHER = { enrolment: "e1", lesson: "l2" };

function aPlay(changes: Partial<Play> = {}): Play {
  return {
    ticket: "ticket-1",
    video_url: "/video/x",
    hls_url: null,
    title: "安全生产",
    seconds: 30_000,
    chunk_seconds: 10,
    chunks: 3_000,
    in_order: true,
    resume_at: 0,
    watched: "",
    durable: "",
    epoch: 0,
    store: "s",
    number: 1,
    bytes: null,
    autoplay: true,
    next_lesson_id: null,
    face_until: null,
    server_now: "2026-01-01T08:00:00+08:00",
    ...changes,
  };
}

function anAnswer(credited: number[], durable: number[] = [], changes: Partial<BeatAnswer> = {}): BeatAnswer {
  return {
    credited: base64(credited),
    durable: base64(durable),
    percent: 1,
    next: "go_on",
    reason: null,
    refused: [],
    wait_seconds: 0,
    resume_at: 0,
    epoch: 0,
    store: "s",
    server_now: "2026-01-01T08:00:00+08:00",
    ...changes,
  };
}

/** A phone whose beats are answered by hand. */
class Phone {
  readonly time = new Time();
  readonly beats: Beat[] = [];
  private answers: { resolve(answer: BeatAnswer): void; reject(error: unknown): void }[] = [];
  queue: StudyQueue;

  constructor(readonly storage = new Storage()) {
    this.queue = new StudyQueue({
      storage,
      timers: this.time,
      random: () => 0,
      send: (beat) => {
        this.beats.push(beat);
        return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
      },
    });
  }

  get sent(): number[][] {
    return this.beats.map((beat) => beat.chunks);
  }

  async answer(answer: BeatAnswer | Error): Promise<void> {
    const waiting = this.answers.shift();
    assert.ok(waiting, "no beat is on its way");
    if (answer instanceof Error) waiting.reject(answer);
    else waiting.resolve(answer);
    await settled();
  }
}

function watching(changes: Partial<Play> = {}): Phone {
  const phone = new Phone();
  phone.queue.open(KEY, aPlay(changes));
  return phone;
}

test("a chunk is kept until it is durable, and not sent again once it is credited", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([0]));
  assert.equal(phone.queue.view?.kept, 1);
  phone.queue.watched(1, 20);
  await phone.time.pass(30_000);
  assert.deepEqual(phone.sent, [[0], [1]]);
  await phone.answer(anAnswer([0, 1], [0]));
  assert.equal(phone.queue.view?.kept, 1);
  await phone.time.pass(30_000);
  assert.deepEqual(phone.sent[2], []); // asks what is durable by now
  await phone.answer(anAnswer([0, 1], [0, 1]));
  await phone.time.pass(300_000);
  assert.equal(phone.beats.length, 3);
});

test("while a beat is on its way no other is sent", async () => {
  const phone = watching();
  for (let chunk = 0; chunk < 5; chunk++) phone.queue.watched(chunk, chunk * 10);
  phone.queue.wake();
  await phone.time.pass(300_000);
  assert.deepEqual(phone.sent, [[0]]);
  phone.queue.open(KEY, aPlay({ ticket: "ticket-2" }));
  assert.equal(phone.beats.length, 1);
  await phone.answer(anAnswer([0]));
  assert.deepEqual(phone.beats[1], { ticket: "ticket-2", chunks: [0, 1, 2, 3, 4], position: 0 });
});

test("the rest follows after as long as the server says, whatever wakes the phone", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([], [], { next: "wait", refused: [0], wait_seconds: 42.5 }));
  phone.queue.wake();
  phone.queue.watched(1, 20);
  await phone.time.pass(42_000);
  assert.equal(phone.beats.length, 1);
  await phone.time.pass(600);
  assert.deepEqual(phone.sent, [[0], [0, 1]]);
});

test("a large batch goes in parts", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  for (let chunk = 1; chunk < 1500; chunk++) phone.queue.watched(chunk, chunk * 10);
  await phone.answer(new Unreachable("no_network", ""));
  phone.queue.wake();
  assert.equal(phone.sent[1]?.length, 1000);
  await phone.answer(anAnswer([...Array(1000).keys()]));
  await phone.time.pass(1_000);
  assert.deepEqual([phone.sent[2]?.[0], phone.sent[2]?.length], [1000, 500]);
});

test("what is refused without a wait is not sent in a tight loop", async () => {
  const phone = watching();
  phone.queue.watched(5, 60);
  await phone.answer(anAnswer([], [], { refused: [5] }));
  await phone.time.pass(29_000);
  assert.equal(phone.beats.length, 1);
  await phone.time.pass(1_000);
  assert.equal(phone.beats.length, 2);
});

test("a face check stays due until the lesson is opened again", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([], [], { next: "face_check" }));
  phone.queue.watched(1, 20);
  phone.queue.wake();
  await phone.time.pass(300_000);
  assert.equal(phone.queue.view?.halt, "face_check");
  assert.equal(phone.beats.length, 1);
  phone.queue.open(KEY, aPlay({ ticket: "ticket-2" }));
  assert.deepEqual(phone.beats[1], { ticket: "ticket-2", chunks: [0, 1], position: 0 });
  assert.equal(phone.queue.view?.halt, null);
});

test("another device ends the sending and loses nothing", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([], [], { next: "kicked", reason: "other_device" }));
  assert.equal(phone.queue.view?.halt, "other_device");
  assert.equal(phone.queue.view.kept, 1);
  await phone.time.pass(300_000);
  assert.equal(phone.beats.length, 1);
});

test("hours taken back take what is kept with them", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  phone.queue.watched(1, 20);
  await phone.answer(anAnswer([], [], { next: "kicked", reason: "purged", epoch: 1 }));
  assert.equal(phone.queue.view?.halt, "purged");
  assert.equal(phone.queue.view.kept, 0);
  assert.equal(phone.queue.watched(2, 30), false);
  phone.queue.open(KEY, aPlay({ epoch: 1, ticket: "ticket-2" }));
  assert.equal(phone.beats.length, 1);
});

test("hours taken back while the phone was off take what it kept with them", () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  const later = new Phone(phone.storage);
  later.queue.open(KEY, aPlay({ epoch: 1 }));
  assert.deepEqual([later.queue.view?.kept, later.beats.length], [0, 0]);
});

test("a store that was rebuilt gets what it lost at once", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([0]));
  phone.queue.watched(1, 20);
  await phone.time.pass(30_000);
  await phone.answer(anAnswer([], [], { store: "s2", refused: [1] }));
  await phone.time.pass(1_000);
  assert.deepEqual(phone.sent[2], [0, 1]);
});

test("a lesson that is done goes on until all of it is durable", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([0], [], { next: "done" }));
  assert.equal(phone.queue.view?.done, true);
  await phone.time.pass(30_000);
  await phone.answer(anAnswer([0], [0], { next: "done" }));
  assert.equal(phone.queue.view?.kept, 0);
  await phone.time.pass(300_000);
  assert.equal(phone.beats.length, 2);
});

test("without a network it tries again ever more slowly, and at once when the network is back", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  const pauses: number[] = [];
  for (let round = 0; round < 8; round++) {
    const sent = phone.beats.length;
    await phone.answer(new Unreachable("no_network", ""));
    const from = phone.time.now;
    while (phone.beats.length === sent) await phone.time.pass(1_000);
    pauses.push((phone.time.now - from) / 1_000);
  }
  assert.deepEqual(pauses, [2, 4, 8, 16, 32, 60, 60, 60]);
  await phone.answer(new Unreachable("no_network", ""));
  phone.queue.wake();
  assert.equal(phone.beats.length, 10);
  assert.ok(phone.queue.view?.trouble instanceof Unreachable);
});

test("a server that names a time is not asked before", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(problem("recording_paused", 503, 20));
  phone.queue.wake();
  await phone.time.pass(19_000);
  assert.equal(phone.beats.length, 1);
  await phone.time.pass(1_000);
  assert.equal(phone.beats.length, 2);
});

test("a ticket that ran out waits for a new one", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(problem("play_ticket_invalid", 401));
  await phone.time.pass(300_000);
  assert.deepEqual([phone.queue.view?.halt, phone.queue.view?.kept, phone.beats.length], ["ticket", 1, 1]);
});

test("what the server does not take is shown and not sent for ever", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(problem("wrong_chunks", 422));
  await phone.time.pass(300_000);
  assert.deepEqual([phone.queue.view?.halt, phone.beats.length], ["refused", 1]);
});

test("after a restart it goes on with the ticket it had", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  phone.queue.watched(1, 20);
  const later = new Phone(phone.storage);
  assert.deepEqual(later.queue.resume(), KEY);
  assert.deepEqual(later.beats, [{ ticket: "ticket-1", chunks: [0, 1], position: 20 }]);
});

test("after signing out nothing is sent, and nothing is lost", () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  phone.queue.close({ signedOut: true });
  const later = new Phone(phone.storage);
  assert.equal(later.queue.resume(), null);
  assert.deepEqual(later.queue.unfinished(), [{ ...KEY, kept: 1 }]);
});

test("another lesson leaves the first one's chunks for its next ticket", async () => {
  const phone = watching();
  phone.queue.watched(0, 10);
  await phone.answer(new Unreachable("no_network", ""));
  phone.queue.open(OTHER, aPlay({ ticket: "ticket-2" }));
  assert.deepEqual(phone.queue.unfinished(), [{ ...KEY, kept: 1 }]);
  phone.queue.watched(0, 10);
  await phone.answer(anAnswer([0], [0]));
  phone.queue.open(KEY, aPlay({ ticket: "ticket-3" }));
  assert.deepEqual(phone.beats.map((beat) => beat.ticket), ["ticket-1", "ticket-2", "ticket-3"]);
  assert.deepEqual(phone.queue.unfinished(), []);
});

test("a phone without room says so and keeps the chunk in memory", async () => {
  const phone = watching();
  phone.storage.full = true;
  phone.queue.watched(0, 10);
  assert.deepEqual([phone.queue.view?.saved, phone.queue.view?.kept], [false, 1]);
  phone.storage.full = false;
  phone.queue.watched(1, 20);
  assert.equal(phone.queue.view?.saved, true);
  assert.deepEqual(new Phone(phone.storage).queue.resume(), KEY);
});

test("a damaged entry in the storage is left out", () => {
  const storage = new Storage();
  storage.set("study.kept.e1.l1", '{"enrolment":"e1","lesson":"l1","epo');
  storage.set("study.kept.e1.l2", '{"enrolment":"e1","lesson":"l2","epoch":0,"chunks":[-1],"position":0,"ticket":"t"}');
  storage.set("theme", "dark");
  assert.equal(new Phone(storage).queue.resume(), null);
  assert.deepEqual(storage.keys(), ["theme"]);
});

test("chunks that the lesson has not are refused", () => {
  const phone = watching({ chunks: 3 });
  for (const chunk of [-1, 3, 0.5, NaN]) assert.throws(() => phone.queue.watched(chunk, 0), RangeError);
});

test("a reload finds the second within a chunk; taken-back hours and another lesson know of none", async () => {
  const phone = new Phone();
  phone.queue.open(KEY, aPlay());
  phone.queue.at(7.4, 7.4);
  const later = new Phone(phone.storage);
  later.queue.open(KEY, aPlay({ ticket: "ticket-2" }));
  assert.ok((later.queue.view?.seen ?? 0) >= 6);
  later.queue.open(OTHER, aPlay({ ticket: "ticket-3" }));
  assert.equal(later.queue.view?.seen, 0);
  later.queue.open(KEY, aPlay({ ticket: "ticket-4", epoch: 1 }));
  assert.equal(later.queue.view?.seen, 0);
});
