import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, test, vi } from "vitest";

import { Problem, Unreachable } from "../src/api/errors";
import type { Answer } from "../src/exam/answers";
import type { RequestOptions } from "../src/platform";
import { useExam, type Attempt } from "../src/stores/exam";
import { useSession } from "../src/stores/session";
import { Device } from "./device";
import { ExamServer } from "./exam-server";
import { settled } from "./time";

const START = Date.parse("2026-01-16T06:00:00Z");
const MINUTES = 60;
let phone: Device;
let server: ExamServer;
let online: boolean;
let serverAhead: number; // of the phone's clock, in milliseconds
let asked: string[];

beforeEach(() => {
  vi.useFakeTimers({ now: START });
  phone = new Device();
  server = new ExamServer();
  online = true;
  serverAhead = 0;
  asked = [];
  Object.assign(uni, { request: (options: RequestOptions) => void setTimeout(() => answer(options), 20) });
  start();
});
afterEach(() => void vi.useRealTimers());

/** The app is started (again): nothing is left but what lies in the phone's storage. */
function start(): void {
  vi.clearAllTimers();
  setActivePinia(createPinia());
  useSession().begin({ token: "t1", next: "home" });
}

const iso = (moment: number) => new Date(moment).toISOString();

function paper(): Attempt {
  return {
    attempt_id: "a1", enrolment_id: "e1", subject: "theory", number: 1, status: "open", started_at: iso(START), deadline: iso(START + MINUTES * 60_000),
    server_now: iso(Date.now() + serverAhead), seconds_left: 0, alive_seconds: 30,
    questions: [1, 2, 3].map((number) => ({ number, type: "single", score: 2, stem: `题 ${number}`, options: [{ letter: "A", text: "甲" }, { letter: "B", text: "乙" }] })),
    answers: [...server.answers.values()],
  };
}

function answer({ url, method, data, success, fail }: RequestOptions): void {
  if (!online) return fail({ errMsg: "request:fail" });
  const what = `${method} ${url.replace("/api/v1", "")}`;
  asked.push(what);
  const body = JSON.parse(data ?? "{}") as { choice: string; version: number; answers: Answer[] };
  try {
    const number = Number(/answers\/(\d+)/.exec(url)?.[1]);
    if (what.endsWith("/alive")) success({ statusCode: 200, data: { status: server.result ? server.result.status : "open", server_now: iso(Date.now() + serverAhead), seconds_left: 0 } });
    else if (number) success({ statusCode: 200, data: server.save({ number, choice: body.choice, version: body.version }) });
    else if (what.endsWith("/hand-in")) success({ statusCode: 200, data: server.handIn(body.answers) });
    else if (what.endsWith("/leave")) success({ statusCode: 200, data: { result: server.finish("left") } });
    else if (server.result) success({ statusCode: 409, data: { type: "", title: "", status: 409, code: "exam_handed_in", detail: "已交卷", result: server.result } });
    else success({ statusCode: 200, data: paper() });
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    success({ statusCode: error.status, data: { type: "", title: "", status: error.status, code: error.code, detail: "", ...error.extra } });
  }
}

async function pass(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 4; step++) {
    await settled();
    vi.advanceTimersByTime(250);
  }
  await settled();
}

async function soon<Given>(what: Promise<Given>, seconds = 1): Promise<Given> {
  void what.catch(() => undefined);
  await pass(seconds);
  return what;
}

test("an attempt that was begun is opened without asking again, and its clock is the server's", async () => {
  serverAhead = 600_000;
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  await soon(exam.open("a1"));
  assert.deepEqual(asked.filter((what) => what.startsWith("GET")), []);
  assert.ok((exam.left ?? 0) <= 50 * 60 && (exam.left ?? 0) > 50 * 60 - 5);
  assert.equal(exam.sure, true);
});

test("after a crash the same paper is there: answers, those not sent, marks and the open question", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  exam.choose(1, "A");
  await pass(1);
  online = false;
  exam.choose(2, "B");
  exam.turnTo(2);
  exam.mark(3);
  await pass(1);
  assert.equal(exam.views[1]?.state, "waiting");

  online = true;
  start();
  const again = useExam();
  await soon(again.open("a1"));
  await pass(1);
  assert.deepEqual(again.views.map(({ choice, state }) => `${choice} ${state}`), ["A saved", "B saved", " open"]);
  assert.equal(again.at, 2);
  assert.deepEqual(again.marked, [3]);
  assert.equal(server.answers.get(2)?.choice, "B");
});

test("an app that starts without opening the exam sends what was kept", async () => {
  await soon(useExam().start("e1", "theory"));
  online = false;
  useExam().choose(2, "B");
  await pass(1);
  online = true;
  start();
  useExam().resume();
  await pass(1);
  assert.equal(server.answers.get(2)?.choice, "B");
});

test("a page that comes back to an attempt asks the server for it", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  await soon(exam.open("a1"));
  exam.stop();
  await soon(exam.open("a1"));
  assert.equal(asked.filter((what) => what === "GET /attempts/a1").length, 1);
});

test("while the page is open it says so every half minute, and not after it was left", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  await pass(95);
  const said = () => asked.filter((what) => what.endsWith("/alive")).length;
  assert.equal(said(), 3);
  exam.stop();
  await pass(120);
  assert.equal(said(), 3);
});

test("a phone's clock that jumps ahead hands nothing in: the server is asked", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  vi.setSystemTime(Date.now() + 5 * 3_600_000);
  serverAhead -= 5 * 3_600_000;
  await pass(10);
  assert.equal(server.finishes, 0);
  assert.equal(exam.over, null);
  assert.equal(exam.sure, true);
  assert.ok((exam.left ?? 0) > 59 * 60);
});

test("a phone's clock that jumps back gives no more time", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  await pass(60);
  vi.setSystemTime(Date.now() - 5 * 3_600_000);
  serverAhead += 5 * 3_600_000;
  await pass(10);
  assert.ok((exam.left ?? 0) < 59 * 60);
  assert.equal(exam.sure, true);
});

test("when the time is over the paper is handed in by itself, with what was not sent, once the network is there", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  await pass(MINUTES * 60 - 10);
  online = false;
  exam.choose(1, "A");
  await pass(30);
  assert.equal(exam.left, 0);
  assert.equal(server.finishes, 0);
  exam.choose(2, "B"); // too late
  assert.equal(exam.views[1]?.choice, "");
  server.grace = true;
  online = true;
  await pass(20);
  assert.equal(exam.over?.result.status, "handed_in");
  assert.deepEqual([...server.answers.values()].map(({ number, choice }) => `${number}${choice}`), ["1A"]);
  assert.equal(server.finishes, 1);
}, 30_000);

test("an attempt that ended on another page shows its result here", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  server.finish("handed_in");
  await pass(35);
  assert.equal(exam.over?.result.status, "handed_in");
  const sofar = asked.length;
  await pass(60);
  assert.equal(asked.length, sofar); // nothing is said of it any more
});

test("opening an attempt that has ended gives its result; without a network it says so", async () => {
  server.finish("timed_out");
  const exam = useExam();
  online = false;
  await assert.rejects(soon(exam.open("a1"), 10), Unreachable);
  online = true;
  assert.equal(await soon(exam.look("a1")), null);
  assert.equal(exam.over?.result.status, "timed_out");
});

test("leaving ends the attempt by the programme's rule, and empties the phone", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  exam.mark(1);
  assert.equal(await soon(exam.leave()), true);
  assert.equal(exam.over?.result.status, "left");
  assert.deepEqual([...phone.stored.keys()].filter((name) => name.startsWith("exam.")), []);
});

test("after a sign-out nothing is sent in the person's name; signed in again, it is", async () => {
  const exam = useExam();
  await soon(exam.start("e1", "theory"));
  online = false;
  exam.choose(1, "A");
  await pass(1);
  const leaving = useSession().leave();
  await assert.rejects(soon(leaving, 20));
  online = true;
  await pass(60);
  assert.equal(server.answers.size, 0);
  useSession().begin({ token: "t2", next: "home" });
  await soon(exam.open("a1"));
  await pass(1);
  assert.equal(server.answers.get(1)?.choice, "A");
});
