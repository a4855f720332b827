import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createPinia, setActivePinia } from "pinia";
import { effectScope, ref } from "vue";
import { afterEach, beforeEach, test, vi } from "vitest";

import { clockText, useCountdown } from "../src/composables/countdown";
import { isAstray, landing, programmeOf } from "../src/landing";
import { factsOf, restOf, stepOf } from "../src/pages/home/training";
import { addressOf, pageAt, PAGES } from "../src/pages";
import { useClock } from "../src/stores/clock";
import { inGroup, type Training } from "../src/stores/home";
import { Device } from "./device";

const text = (path: string) => readFileSync(`${import.meta.dirname}/../src/${path}`, "utf8");

beforeEach(() => {
  new Device();
  setActivePinia(createPinia());
  vi.useFakeTimers({ now: Date.parse("2026-01-01T00:00:00Z") });
});
afterEach(() => void vi.useRealTimers());

const training: Training = {
  enrolment_id: "e1", programme: "p", state: "in_progress", title: "", kind: "", certificate_no: "", status: "studying", status_text: "", stages: [],
  next: { code: "study", text: "立即学习" }, order_id: null, study_deadline: null, days_left: 30, percent: 10, lessons: 5,
  lessons_done: 2, study_seconds_left: 900, attempts_left: 5, subjects: [{ subject: "a", title: "理论", best_score: null, attempts_left: 5, passed: false }],
  proof_number: null, warning: null, contact: "",
};

test("every page that uni knows has a name, and lies where the name says", () => {
  const known = [...text("pages.json").matchAll(/"(?:root|path)": "([^"]+)"/g)].map((found) => found[1] as string);
  let root = "";
  for (const path of known) {
    if (path.startsWith("pkg-") && !path.includes("/")) root = `${path}/`;
    else assert.ok(pageAt(path.startsWith("pages/") ? path : root + path), path);
  }
  assert.ok(known.length >= 2);
});

test("an address carries what the page needs, and leaves out what there is not", () => {
  assert.equal(addressOf("order", { order_id: "a b", more: undefined }), "/pkg-orders/order/order?order_id=a%20b");
  assert.equal(pageAt(addressOf("player", { enrolment_id: "e" })), "player");
  assert.equal(new Set(Object.values(PAGES).map(({ path }) => path)).size, Object.keys(PAGES).length);
});

test("who comes back from a provider lands on the right screen, whatever it added to the address", () => {
  assert.deepEqual(landing("?charset=utf-8&order=o1&sign=x"), { page: "order", query: { order_id: "o1", back: "provider" } });
  assert.deepEqual(landing("?scan=t1"), { page: "scan", query: { ticket_id: "t1" } });
  for (const nothing of ["", "?", "?order=", "?order=<b>", "?constructor=x", "?orders=o1"]) assert.equal(landing(nothing), null);
  assert.equal(programmeOf("?programme=yunnan"), "yunnan");
  assert.equal(programmeOf("?programme=<b>"), null);
});

test("an address that no page has leads to the first screen, one of ours is left alone", () => {
  for (const lost of ["#/pkg-nowhere/x", "#/pages/home", "#/constructor", "#/pages/homes/home?x=1"]) assert.equal(isAstray(lost), true, lost);
  for (const ours of ["", "#", "#/", "#/?x=1", "#/pages/home/home", "#/pkg-orders/order/order?order_id=a#wechat_redirect"]) assert.equal(isAstray(ours), false, ours);
  for (const { path } of Object.values(PAGES)) assert.equal(isAstray(`#/${path}?x=1`), false);
});

test("a countdown goes by the server's clock, shows each second, and is over once", () => {
  useClock().hear("2026-01-01T00:10:00Z"); // the phone is ten minutes slow
  let over = 0;
  const until = ref<string | null>("2026-01-01T00:10:02.500Z");
  const scope = effectScope();
  const left = scope.run(() => useCountdown(until, () => (over += 1)));
  const seen = [left?.value];
  for (let step = 0; step < 8; step++) {
    vi.advanceTimersByTime(500);
    seen.push(left?.value);
  }
  assert.deepEqual([...new Set(seen)], [3, 2, 1, 0]);
  assert.equal(over, 1);
  scope.stop();
  assert.equal(clockText(3723), "1:02:03");
  assert.equal(clockText(59), "00:59");
});

test("the card of a training leads to its next step, or to none where one has to wait", () => {
  assert.deepEqual(stepOf(training), { page: "training", query: { enrolment_id: "e1" } });
  assert.deepEqual(stepOf({ ...training, order_id: "o1", next: { code: "pay", text: "" } })?.query, { order_id: "o1" });
  assert.equal(stepOf({ ...training, next: { code: "face", text: "" } })?.page, "face");
  assert.equal(stepOf({ ...training, next: { code: "wait_payment", text: "" } }), null);
});

test("what only waits is asked for again: at first often, and not once there is something to do", () => {
  const waits = (code: Training["next"]["code"]) => [{ ...training, next: { code, text: "" } }, training];
  assert.equal(restOf(waits("wait_proof"), 1), 4_000);
  assert.equal(restOf(waits("wait_proof"), 15), 30_000);
  assert.equal(restOf(waits("payment_disputed"), 1), 30_000);
  assert.equal(restOf([training], 1), null);
  assert.equal(restOf(waits("finished"), 1), null); // without a proof there is nothing to wait for
});

test("the card shows what is left, and what is pressing", () => {
  assert.deepEqual(factsOf(training).map(({ figure }) => figure), ["30 天", "3 课", "5 次"]);
  assert.equal(factsOf({ ...training, days_left: 7 })[0]?.pressing, true);
  assert.deepEqual(factsOf({ ...training, status: "completed", days_left: null }), []);
});

test("each training is in one group besides all", () => {
  const all = ["signed_up", "studying", "passed", "completed", "lapsed"].map((status) => ({ ...training, status }));
  assert.equal(inGroup(all, "all").length, 5);
  assert.deepEqual((["open", "done", "expired"] as const).map((group) => inGroup(all, group).length), [2, 2, 1]);
});
