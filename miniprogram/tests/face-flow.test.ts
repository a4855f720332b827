import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, test, vi } from "vitest";

import { useFaceFlow } from "../src/pkg-account/face/flow";
import { PROMPTS, usePrompts } from "../src/pkg-account/face/prompts";
import { useSession } from "../src/stores/session";
import { Device, problem, type Reply } from "./device";
import { settled } from "./time";

let phone: Device;
const opened: string[] = [];
const picture = { path: "/tmp/face.jpg" };

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
  opened.length = 0;
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

const started = (id: string, h5_url: string | null = null): Reply => ({ statusCode: 201, data: { id, nonce: `nonce-${id}`, method: "picture", h5_url, expires_at: "" } });
const outcome = (status: string, more: object = {}): Reply => ({
  statusCode: 200,
  data: { id: "c1", purpose: "login", method: "picture", status, reason: null, sentence: "看不清。", retries_left: 4, expires_at: "", manual_route: null, token: null, ...more },
});
const asked = () => phone.asked.map(({ method, url, data }) => `${method} ${url.replace("/api/v1", "")} ${data ?? ""}`.trim());
const study = { purpose: "study" as const, subject: "e1", back: "/pkg-study/player/player?enrolment_id=e1" };

function flowOf(...replies: Reply[]) {
  phone.replies = replies;
  return useFaceFlow((url) => opened.push(url));
}

test("a picture that fails says how often it may be tried again, and the next one goes to the same check", async () => {
  const { flow, begin, send } = flowOf(started("c1"), outcome("failed"), outcome("passed"));
  await begin.run("picture");
  assert.equal(flow.phase, "camera");
  await send.run(picture);
  assert.deepEqual([flow.phase, flow.triesLeft, flow.sentence], ["failed", 4, "看不清。"]);
  await begin.run("picture");
  await send.run(picture);
  assert.equal(flow.phase, "passed");
  assert.equal(phone.asked.length, 1); // one check was begun
  assert.deepEqual(phone.uploaded.map(({ url, name, formData }) => [url, name, formData?.nonce]), [
    ["/api/v1/face-checks/c1/picture", "picture", "nonce-c1"],
    ["/api/v1/face-checks/c1/picture", "picture", "nonce-c1"],
  ]);
});

test("when no try is left the way to the telephone opens, after a picture or at the start", async () => {
  const route = { manual_route: { phone: "0871-1" } };
  const after = flowOf(started("c1"), outcome("failed", { retries_left: 0, ...route }));
  await after.begin.run("picture");
  await after.send.run(picture);
  assert.deepEqual([after.flow.phase, after.flow.phone], ["manual", "0871-1"]);
  const before = flowOf(problem(409, "face_manual_route", route));
  await before.begin.run("picture");
  assert.deepEqual([before.flow.phase, before.flow.phone], ["manual", "0871-1"]);
});

test("a check that is over is begun anew, one that the provider did not answer goes on", async () => {
  const { flow, begin, send } = flowOf(started("c1"), problem(503, "face_unavailable"), problem(409, "face_check_over"), started("c2"));
  await begin.run("picture");
  await send.run(picture);
  assert.equal(flow.phase, "failed");
  await begin.run("picture");
  await send.run(picture);
  assert.equal(flow.phase, "failed");
  await begin.run("picture");
  assert.equal(asked().length, 2);
  assert.equal(flow.phase, "camera");
});

test("without a network the camera waits for the next try, and nothing is lost", async () => {
  const { flow, begin, send } = flowOf({ errMsg: "fail" }, started("c1"), { errMsg: "fail" });
  await begin.run("picture");
  assert.deepEqual([flow.phase, begin.trouble?.name], ["ready", "Unreachable"]);
  await begin.run("picture");
  await send.run(picture);
  assert.equal(flow.phase, "failed");
  assert.match(flow.sentence, /网络/);
});

test("who has not proved their name before studying does that first, then studies", async () => {
  const { flow, begin, send } = flowOf(problem(409, "face_anchor_needed"), started("c1"), outcome("passed"), started("c2"), outcome("passed"));
  flow.task = study;
  await begin.run("picture");
  assert.equal(flow.realNameFirst, true);
  await send.run(picture);
  assert.deepEqual([flow.phase, flow.realNameFirst], ["ready", false]);
  await begin.run("picture");
  await send.run(picture);
  assert.equal(flow.phase, "passed");
  assert.deepEqual(asked().map((line) => (JSON.parse(line.split(" ")[2] as string) as { purpose: string }).purpose), ["study", "login", "study"]);
});

test("what is missing first is led to: the consent, the photo", async () => {
  const { flow, begin, stop } = flowOf(problem(403, "consent_needed"), problem(409, "photo_needed"));
  flow.task = study;
  await begin.run("picture");
  assert.equal(flow.phase, "consent");
  stop();
  await begin.run("picture");
  assert.equal(flow.phase, "photo");
});

test("a pass that opens the account brings a new session, and its next step", async () => {
  const me = { statusCode: 200, data: { next: "password" } };
  const { flow, begin, send } = flowOf(started("c1"), outcome("passed", { token: "t2" }), me);
  useSession().begin({ token: "t1", next: "activate" });
  await begin.run("picture");
  await send.run(picture);
  assert.deepEqual([useSession().token, useSession().next, flow.opened, flow.phase], ["t2", "password", true, "passed"]);
});

test("whoever comes back from the provider's page goes on where they left, on this device only", async () => {
  const going = flowOf(started("c1", "https://provider/x"));
  going.flow.task = study;
  await going.begin.run("h5");
  assert.deepEqual([going.flow.phase, opened], ["away", ["https://provider/x"]]);

  setActivePinia(createPinia()); // the page is loaded anew
  const back = flowOf(outcome("created"), outcome("passed"));
  assert.equal(back.takeUp("another"), false);
  assert.equal(back.takeUp("c1"), true);
  assert.deepEqual(back.flow.task, study);
  const asking = back.finish.run();
  await settled();
  vi.advanceTimersByTime(4000);
  await asking;
  assert.equal(back.flow.phase, "passed");
  assert.equal(asked().filter((line) => line.startsWith("POST /face-checks/c1/finish")).length, 2);
  assert.equal(back.takeUp("c1"), false); // it is over
});

test("who comes back without having done it there is not told that a try failed, and may go on", async () => {
  const { flow, begin, finish, takeUp } = flowOf(started("c1", "https://provider/x"), outcome("created"), outcome("created"), outcome("created"));
  await begin.run("h5");
  const asking = finish.run();
  for (let wait = 0; wait < 3; wait += 1) {
    await settled();
    vi.advanceTimersByTime(4000);
  }
  await asking;
  assert.deepEqual([flow.phase, flow.sentence, takeUp("c1")], ["away", "看不清。", true]);
});

test("a check does not outlast the sign-out of its person, but it outlasts a session that ran out", async () => {
  const { begin, takeUp } = flowOf(started("c1", "https://provider/x"));
  await begin.run("h5");
  const farewell = (wish: boolean) => useSession().farewells.forEach((each) => each(wish));
  farewell(false);
  assert.equal(takeUp("c1"), true);
  farewell(true);
  assert.equal(takeUp("c1"), false);
});

test("if the provider cannot be asked, the person may ask again", async () => {
  const { flow, begin, finish } = flowOf(started("c1", "https://provider/x"), problem(409, "conflict"), outcome("passed"));
  await begin.run("h5");
  await finish.run();
  assert.deepEqual([flow.phase, finish.trouble?.sentence], ["away", "请这样做。"]);
  await finish.run();
  assert.equal(flow.phase, "passed");
});

test("the prompts follow each other second by second, and the picture is taken once, at the end", () => {
  let taken = 0;
  const { prompts, start, stop } = usePrompts(() => (taken += 1));
  start();
  const seen = [prompts.text];
  const all = PROMPTS.reduce((sum, { seconds }) => sum + seconds, 0);
  for (let second = 0; second < all + 3; second += 1) {
    vi.advanceTimersByTime(1000);
    if (seen[seen.length - 1] !== prompts.text) seen.push(prompts.text);
    assert.equal(taken, second + 1 >= all ? 1 : 0);
  }
  assert.deepEqual(seen, PROMPTS.map(({ text }) => text));
  start();
  vi.advanceTimersByTime(2000);
  stop();
  vi.advanceTimersByTime(60_000);
  assert.equal(taken, 1);
});
