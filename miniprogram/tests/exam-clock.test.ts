import assert from "node:assert/strict";
import { test } from "vitest";

import { awayText } from "../src/exam/texts";
import { ExamClock } from "../src/exam/clock";

const END = "2026-01-16T15:30:00+08:00";

/** A clock that heard, ten minutes before the end, on a phone that is hours wrong. */
function heard(phone = 5_000_000): { clock: ExamClock; tick(passed: number): number | null } {
  const clock = new ExamClock();
  clock.hear("2026-01-16T15:20:00+08:00", phone, phone);
  let now = phone;
  return {
    clock,
    tick(passed) {
      clock.tick((now += passed));
      return clock.until(END);
    },
  };
}

test("before the server was heard there is no time to show", () => {
  const clock = new ExamClock();
  clock.tick(1000);
  assert.equal(clock.until(END), null);
  assert.equal(clock.sure, false);
});

test("it counts by the server's time, whatever the phone's clock shows, and stops at 0", () => {
  const { clock, tick } = heard();
  assert.equal(clock.until(END), 600);
  for (let second = 1; second <= 599; second++) assert.equal(tick(1000), 600 - second);
  assert.equal(clock.sure, true);
  assert.equal(tick(1000), 0);
  assert.equal(tick(1000), 0);
});

test("half of the way there and back is counted, and no jump of the phone's clock meanwhile", () => {
  const clock = new ExamClock();
  clock.hear("2026-01-16T15:20:00+08:00", 0, 4_000);
  assert.equal(clock.until(END), 598);
  clock.hear("2026-01-16T15:20:00+08:00", 0, 3_600_000);
  assert.equal(clock.until(END), 600);
  clock.hear("2026-01-16T15:20:00+08:00", 3_600_000, 0);
  assert.equal(clock.until(END), 600);
});

test("a phone's clock set back gives no time: a second is a second", () => {
  const { clock, tick } = heard();
  assert.equal(tick(-3_600_000), 599);
  assert.equal(clock.sure, false);
  assert.equal(tick(1000), 598);
});

test("a phone that slept, or whose clock was set ahead, is not believed until the server is heard", () => {
  const { clock, tick } = heard();
  assert.equal(tick(3_600_000), 0);
  assert.equal(clock.sure, false);
  clock.hear("2026-01-16T15:20:05+08:00", 8_700_000, 8_700_000);
  assert.equal(clock.sure, true);
  assert.equal(clock.until(END), 595);
});

test("who goes back is told until when the attempt waits for them, by the programme's rule", () => {
  const attempt = { deadline: "2026-01-16T15:00:00+08:00", resumeBy: "2026-01-16T14:05:00+08:00", rule: "burn_and_zero", leaveText: "中途退出的，消耗一次机会，本次计 0 分。" };
  assert.deepEqual(awayText(attempt), [
    "还没有交卷，计时不会停，15:00 自动交卷。",
    "14:05 前回来接着答，不算退出（刷新页面、断网也不算）。回来晚了，按中途退出处理。",
    attempt.leaveText,
  ]);
  assert.match(awayText({ ...attempt, resumeBy: null })[1] ?? "", /^请马上回来接着答，不算退出/);
  assert.deepEqual(awayText({ ...attempt, rule: "continue" }).slice(1), ["在那之前可以随时回来接着答。"]);
});
