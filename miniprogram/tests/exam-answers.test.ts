import assert from "node:assert/strict";
import { beforeEach, test } from "vitest";

import { Problem, Unreachable } from "../src/api/errors";
import { AnswerQueue, type Answer } from "../src/exam/answers";
import { chosen, questionsText, savedLine, timeWarning } from "../src/exam/texts";
import { ExamServer, lost, refusal } from "./exam-server";
import { dice, settled, Storage, Time } from "./time";

type Fate = "arrives" | "lost on the way" | "answer lost";
let time: Time;
let storage: Storage;
let server: ExamServer;
let fate: (answer: Answer | null) => Fate;
let delay: number;
let flying: number;
let most: number;
let sent: Answer[];

beforeEach(() => {
  time = new Time();
  storage = new Storage();
  server = new ExamServer();
  fate = () => "arrives";
  delay = 50;
  flying = 0;
  most = 0;
  sent = [];
});

/** A request: the server does it, unless it is lost on the way; the answer may be. */
function over<Given>(answer: Answer | null, act: () => Given): Promise<Given> {
  flying += 1;
  most = Math.max(most, flying);
  const destiny = fate(answer);
  return new Promise<Given>((resolve, reject) => {
    time.after(delay, () => {
      flying -= 1;
      if (destiny === "lost on the way") return reject(lost());
      try {
        const given = act();
        if (destiny === "answer lost") reject(lost());
        else resolve(given);
      } catch (error) {
        reject(destiny === "answer lost" ? lost() : error);
      }
    });
  });
}

/** The app is started (again): nothing is left but what lies in the phone's storage. */
function start(own: Storage = storage): AnswerQueue {
  return new AnswerQueue("a1", {
    storage: own,
    timers: time,
    random: () => 0,
    send: (answer) => {
      sent.push(answer);
      return over(answer, () => server.save(answer));
    },
    handIn: (answers) => over(null, () => server.handIn(answers)),
  });
}

const saved = () => Object.fromEntries([...server.answers].map(([number, { choice }]) => [number, choice]));

test("an answer is saving, then saved, and leaves nothing on the phone", async () => {
  const queue = start();
  queue.open([]);
  assert.equal(queue.view(1).state, "open");
  queue.choose(1, "A");
  assert.deepEqual(queue.view(1), { choice: "A", state: "saving", mine: null });
  assert.equal(storage.values.size, 1);
  await time.pass(100);
  assert.deepEqual(queue.view(1), { choice: "A", state: "saved", mine: null });
  assert.equal(storage.values.size, 0);
});

test("requests never overlap, and of choices made meanwhile only the newest is sent", async () => {
  const queue = start();
  for (const choice of ["A", "B", "C", "D"]) queue.choose(1, choice);
  queue.choose(2, "B");
  await time.pass(1000);
  assert.equal(most, 1);
  assert.deepEqual(server.changes, ["1:A", "1:D", "2:B"]);
});

test("a choice taken back while it was on its way ends as what the person sees", async () => {
  const queue = start();
  queue.choose(1, "A");
  queue.choose(1, "B");
  queue.choose(1, "A");
  await time.pass(1000);
  assert.deepEqual(saved(), { 1: "A" });
  queue.choose(1, "");
  await time.pass(1000);
  assert.deepEqual(saved(), { 1: "" });
  assert.equal(queue.view(1).state, "open");
});

test("an answer whose confirmation was lost is not taken for another page's", async () => {
  const queue = start();
  fate = () => "answer lost";
  queue.choose(1, "A");
  await time.pass(60);
  assert.equal(queue.view(1).state, "waiting");
  queue.choose(1, "B");
  fate = () => "arrives";
  await time.pass(5000);
  assert.deepEqual(server.changes, ["1:A", "1:B"]);
  assert.deepEqual(queue.view(1), { choice: "B", state: "saved", mine: null });
});

test("sent again it counts once", async () => {
  const queue = start();
  fate = () => "answer lost";
  queue.choose(1, "A");
  await time.pass(10_000);
  fate = () => "arrives";
  await time.pass(20_000);
  assert.ok(sent.length > 3);
  assert.deepEqual(server.changes, ["1:A"]);
  assert.equal(server.answers.get(1)?.version, 1);
});

test("where another page answered first, its answer stands, both are shown, and the person decides", async () => {
  const queue = start();
  queue.open([]);
  server.elsewhere(1, "C");
  queue.choose(1, "A");
  await time.pass(100);
  assert.deepEqual(queue.view(1), { choice: "C", state: "saved", mine: "A" });
  await time.pass(60_000);
  assert.deepEqual(saved(), { 1: "C" });

  const again = start(); // also after a crash
  again.open([...server.answers.values()]);
  assert.equal(again.view(1).mine, "A");
  again.choose(1, "A");
  await time.pass(100);
  assert.deepEqual(saved(), { 1: "A" });
  assert.equal(again.view(1).mine, null);
});

test("the other page's answer may stay", async () => {
  const queue = start();
  server.elsewhere(1, "C");
  queue.choose(1, "A");
  await time.pass(100);
  queue.keepTheirs(1);
  assert.deepEqual(queue.view(1), { choice: "C", state: "saved", mine: null });
  assert.equal(storage.values.size, 0);
});

test("one question's conflict does not hold up the others", async () => {
  const queue = start();
  server.elsewhere(1, "C");
  queue.choose(1, "A");
  queue.choose(2, "B");
  await time.pass(200);
  assert.deepEqual(saved(), { 1: "C", 2: "B" });
});

test("after a crash what was kept is sent, also when the server has it already", async () => {
  const queue = start();
  queue.choose(1, "A");
  fate = (answer) => (answer?.number === 1 ? "answer lost" : "lost on the way");
  await time.pass(60);
  queue.choose(1, "B");
  queue.choose(2, "C");
  queue.close();
  fate = () => "arrives";
  await time.pass(10_000);
  const again = start();
  again.open([...server.answers.values()]);
  assert.deepEqual(again.view(1).choice, "B");
  await time.pass(1000);
  assert.deepEqual(saved(), { 1: "B", 2: "C" });
  assert.deepEqual(again.unsent(), []);
});

test("an entry that was cut off in a write is dropped, the others are sent", async () => {
  storage.values.set("exam.kept.a1.1", '{"choice":"A","ver');
  storage.values.set("exam.kept.a1.2", '{"choice":"B","version":0,"tried":[],"refused":false}');
  storage.values.set("exam.kept.a2.1", '{"choice":"D","version":0,"tried":[],"refused":false}');
  start();
  await time.pass(100);
  assert.deepEqual(saved(), { 2: "B" });
  assert.deepEqual([...storage.values.keys()], ["exam.kept.a2.1"]);
});

test("a full phone is said, and the answer still goes out", async () => {
  storage.full = true;
  const queue = start();
  queue.choose(1, "A");
  assert.equal(queue.safe, false);
  await time.pass(100);
  assert.equal(queue.safe, true);
  assert.deepEqual(saved(), { 1: "A" });
});

test("the hand-in carries what was not sent, waits for what is on its way, and counts once", async () => {
  const queue = start();
  queue.choose(1, "A");
  queue.choose(2, "B");
  const handing = queue.handIn();
  await time.pass(1000);
  const { result, lost: late } = await handing;
  assert.equal(most, 1);
  assert.equal(result.status, "handed_in");
  assert.deepEqual(late, []);
  assert.deepEqual(saved(), { 1: "A", 2: "B" });
  assert.equal(storage.values.size, 0);
  assert.equal(queue.choose(1, "C"), false);
});

test("a hand-in whose answer was lost gives the same result when tried again", async () => {
  const queue = start();
  fate = () => "answer lost";
  const first = queue.handIn();
  void first.catch(() => undefined);
  await time.pass(100);
  await assert.rejects(first, Unreachable);
  assert.equal(queue.over, null);
  fate = () => "arrives";
  const second = queue.handIn();
  await time.pass(100);
  assert.equal((await second).result.status, "handed_in");
  assert.equal(server.finishes, 1);
});

test("a hand-in meets its own answer, whose confirmation was lost, and goes through", async () => {
  const queue = start();
  fate = () => "answer lost";
  queue.choose(1, "A");
  await time.pass(60);
  queue.choose(1, "B");
  fate = () => "arrives";
  const handing = queue.handIn();
  await time.pass(500);
  await handing;
  assert.deepEqual(server.changes, ["1:A", "1:B"]);
});

test("a hand-in with an answer that another page replaced is refused, shows both, and the next one goes through", async () => {
  const queue = start();
  fate = () => "lost on the way";
  queue.choose(1, "A");
  await time.pass(60);
  server.elsewhere(1, "C");
  fate = () => "arrives";
  const handing = queue.handIn();
  void handing.catch(() => undefined);
  await time.pass(100);
  await assert.rejects(handing, (error) => error instanceof Problem && error.code === "answer_conflict");
  assert.deepEqual(queue.view(1), { choice: "C", state: "saved", mine: "A" });
  const second = queue.handIn();
  await time.pass(100);
  await second;
  assert.deepEqual(saved(), { 1: "C" });
});

test("in the grace after the deadline the saved answer stands, and it is said which one was not taken", async () => {
  const queue = start();
  fate = () => "lost on the way";
  queue.choose(4, "A");
  await time.pass(60);
  server.elsewhere(4, "C");
  server.grace = true;
  fate = () => "arrives";
  const handing = queue.handIn();
  await time.pass(100);
  assert.deepEqual((await handing).lost, [4]);
});

test("an attempt that ended elsewhere tells its result with the next answer, and which answers came too late", async () => {
  const queue = start();
  server.finish("timed_out");
  queue.choose(1, "A");
  await time.pass(100);
  assert.equal(queue.over?.result.status, "timed_out");
  assert.deepEqual(queue.over?.lost, [1]);
  assert.equal(storage.values.size, 0);
});

test("an answer that the server refuses stays on the phone and does not stop the others", async () => {
  const queue = new AnswerQueue("a1", {
    storage,
    timers: time,
    send: (answer) => over(answer, () => {
      if (answer.number === 1) throw refusal("bad_choice", 422);
      return server.save(answer);
    }),
    handIn: () => Promise.reject(lost()),
  });
  queue.choose(1, "X");
  queue.choose(2, "B");
  await time.pass(60_000);
  assert.equal(queue.view(1).state, "waiting");
  assert.deepEqual(saved(), { 2: "B" });
});

test("after a sign-out nothing is sent; it is there for the next queue", async () => {
  const queue = start();
  fate = () => "lost on the way";
  queue.choose(1, "A");
  await time.pass(60);
  queue.close();
  fate = () => "arrives";
  await time.pass(60_000);
  assert.deepEqual(saved(), {});
  start();
  await time.pass(100);
  assert.deepEqual(saved(), { 1: "A" });
});

test("in any weather, with crashes, what the person chose last is what the server has", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    time = new Time();
    storage = new Storage();
    server = new ExamServer();
    flying = most = 0;
    const roll = dice(seed);
    fate = () => (["arrives", "lost on the way", "answer lost"] as const)[Math.floor(roll() * 3)] as Fate;
    let queue = start();
    queue.open([]);
    const wanted = new Map<number, string>();
    for (let step = 0; step < 60; step++) {
      const number = 1 + Math.floor(roll() * 5);
      const choice = "ABCD".charAt(Math.floor(roll() * 4));
      queue.choose(number, choice);
      wanted.set(number, choice);
      await time.pass(Math.floor(roll() * 2_500));
      if (roll() < 0.1) {
        queue.close();
        if (roll() < 0.5) await time.pass(delay + 1); // what was on its way arrives before the paper is opened, or after
        queue = start();
        queue.open([...server.answers.values()]);
      }
      for (const asked of wanted.keys()) assert.equal(queue.view(asked).mine, null, `seed ${seed}: question ${asked}`);
    }
    fate = () => "arrives";
    queue.wake();
    await time.pass(60_000);
    await settled();
    for (const [number, choice] of wanted) assert.equal(server.answers.get(number)?.choice, choice, `seed ${seed}: question ${number}`);
    for (const [number, { version }] of server.answers) {
      assert.equal(server.changes.filter((change) => change.startsWith(`${number}:`)).length, version); // each counts once
    }
  }
});

test("what is said: the choice, the saving, the questions, the time", () => {
  assert.equal(chosen("single", "A", "B"), "B");
  assert.equal(chosen("multiple", "C", "A"), "AC");
  assert.equal(chosen("multiple", "AC", "A"), "C");
  assert.equal(savedLine({ choice: "A", state: "saved", mine: null }, true).text, "已保存");
  assert.match(savedLine({ choice: "A", state: "waiting", mine: null }, true).text, /存在本机/);
  assert.match(savedLine({ choice: "A", state: "saving", mine: null }, false).text, /不要关闭/);
  assert.equal(questionsText([1, 2, 3]), "第 1、2、3 题");
  assert.equal(questionsText([1, 2, 3, 4, 5, 6, 7, 8, 9]), "第 1、2、3、4、5、6、7、8 等题");
  assert.equal(timeWarning(601), "");
  assert.match(timeWarning(600), /10 分钟/);
  assert.match(timeWarning(60), /1 分钟/);
  assert.match(timeWarning(0), /自动交卷/);
});
