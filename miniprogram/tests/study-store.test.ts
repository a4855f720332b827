import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, test, vi } from "vitest";

import { Problem } from "../src/api/errors";
import type { RequestOptions } from "../src/platform";
import { useSession } from "../src/stores/session";
import { useStudy } from "../src/stores/study";
import type { Beat } from "../src/study/queue";
import { Device } from "./device";
import { ModelServer } from "./server";
import { settled } from "./time";

const KEY = { enrolment: "e1", lesson: "l1" };
let phone: Device;
let server: ModelServer;
let beats: Beat[];
let online: boolean;
let elsewhere: boolean;

beforeEach(() => {
  vi.useFakeTimers({ now: Date.parse("2026-01-16T06:00:00Z") });
  phone = new Device();
  server = new ModelServer(Date.now, 30);
  beats = [];
  online = true;
  elsewhere = false;
  Object.assign(uni, { request: (options: RequestOptions) => void setTimeout(() => answer(options), 20) });
  start();
});
afterEach(() => void vi.useRealTimers());

/** The app is started (again): nothing is left but what lies in the phone's storage. */
function start(): void {
  setActivePinia(createPinia());
  useSession().begin({ token: "t1", next: "home" });
}

function answer({ url, data, success, fail }: RequestOptions): void {
  if (!online) return fail({ errMsg: "request:fail" });
  const body = JSON.parse(data ?? "{}") as Beat & { take_over?: boolean };
  const server_now = new Date(Date.now()).toISOString();
  if (url.endsWith("/heartbeat")) {
    beats.push(body);
    success({ statusCode: 200, data: { ...server.beat(body), server_now } });
  } else if (url.endsWith("/play")) {
    const refused = elsewhere && !body.take_over;
    const code = { type: "", title: "", status: 409, code: "studying_elsewhere", detail: "另一台", seconds_ago: 9 };
    success(refused ? { statusCode: 409, data: code } : { statusCode: 200, data: { ...server.play(), server_now } });
  } else success({ statusCode: 204, data: "" });
}

async function pass(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 4; step++) {
    await settled();
    vi.advanceTimersByTime(250);
  }
  await settled();
}

async function play(takeOver = false) {
  const opening = useStudy().play(KEY, takeOver);
  void opening.catch(() => undefined);
  await pass(0.1);
  return opening;
}

/** Watch the chunks, one after the other. */
async function watch(...chunks: number[]): Promise<void> {
  for (const chunk of chunks) {
    await pass(10);
    useStudy().watched(chunk, (chunk + 1) * 10);
  }
}

test("what is watched is credited, and the screen hears when it was saved", async () => {
  const study = useStudy();
  await play();
  await watch(0, 1, 2);
  await pass(15);
  server.flush();
  await pass(30);
  assert.equal(study.view?.credited, 3);
  assert.equal(study.view?.kept, 0);
  assert.match(study.savedAt ?? "", /^2026-01-16T06:01:1/);
});

test("without a network it is kept through a restart of the app, and sent once the network is back", async () => {
  await play();
  await watch(0);
  await pass(31);
  online = false;
  await watch(1, 2, 3);
  assert.equal(useStudy().view?.unsent, 3);

  start();
  assert.deepEqual(useStudy().resume(), KEY);
  await pass(5);
  assert.deepEqual([...server.credited], [0]);
  online = true;
  useStudy().wake();
  await pass(40);
  assert.deepEqual([...server.credited].sort(), [0, 1, 2, 3]);
});

test("where another device studies, it is said, and taken over only by the person's wish", async () => {
  elsewhere = true;
  await assert.rejects(play(), (error) => error instanceof Problem && error.code === "studying_elsewhere");
  assert.equal(useStudy().view, null);
  await play(true);
  await watch(0);
  await pass(31);
  assert.deepEqual([...server.credited], [0]);

  server.takeOver();
  await watch(1);
  await pass(31);
  assert.equal(useStudy().view?.halt, "other_device");
  assert.deepEqual([...server.credited], [0]);
  await play(true);
  await pass(5);
  assert.deepEqual([...server.credited], [0, 1]); // what was seen meanwhile is not lost
});

test("after a sign-out nothing is sent in the person's name; the next sign-in and play send it", async () => {
  await play();
  online = false;
  await watch(0, 1);
  const leaving = useSession().leave();
  void leaving.catch(() => undefined);
  await pass(1);
  await assert.rejects(leaving);
  online = true;
  const sent = beats.length;
  await pass(300);
  assert.equal(beats.length, sent);
  assert.equal(useStudy().view, null);

  useSession().begin({ token: "t2", next: "home" });
  assert.deepEqual(useStudy().unfinished(), [{ ...KEY, kept: 2 }]);
  await play();
  await pass(5);
  assert.deepEqual([...server.credited], [0, 1]);
});

test("a session that ran out does not stop what was watched under it", async () => {
  await play();
  await watch(0);
  useSession().ended("t1");
  await pass(31);
  assert.deepEqual([...server.credited], [0]);
});

test("the device's name is made up once", async () => {
  await play();
  const name = phone.stored.get("study.device");
  assert.match(String(name), /^[a-z0-9]{20}$/);
  start();
  await play();
  assert.equal(phone.stored.get("study.device"), name);
});
