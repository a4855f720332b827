import assert from "node:assert/strict";
import { test } from "vitest";

import { factsOf } from "../src/pkg-study/training/facts";
import { leaveToPlay, sizeText } from "../src/study/mobile-data";
import type { View } from "../src/study/queue";
import { dayText, hourText, savedText, spanText } from "../src/study/texts";

test("a film plays over mobile data only after a yes; over Wi-Fi nobody is asked", () => {
  const mobile = { costs: true, agreed: false } as const;
  assert.equal(leaveToPlay({ ...mobile, choice: "ask" }), "ask");
  assert.equal(leaveToPlay({ ...mobile, choice: "never" }), "wait");
  assert.equal(leaveToPlay({ ...mobile, choice: "always" }), "yes");
  assert.equal(leaveToPlay({ ...mobile, choice: "ask", agreed: true }), "yes");
  for (const choice of ["ask", "never", "always"] as const) assert.equal(leaveToPlay({ costs: false, choice, agreed: false }), "yes");
});

test("the size that is told is that of what is left, and never too small", () => {
  const MB = 1024 * 1024;
  assert.equal(sizeText({ bytes: 120 * MB, seconds: 600 }), "约 120 MB");
  assert.equal(sizeText({ bytes: 120 * MB, seconds: 600 }, 300), "约 60 MB");
  assert.equal(sizeText({ bytes: 2.31 * MB, seconds: 30 }), "约 2.4 MB");
  assert.equal(sizeText({ bytes: 900, seconds: 30 }), "约 0.1 MB");
  assert.equal(sizeText({ bytes: null, seconds: 30 }), null);
});

const view: View = {
  enrolment: "e", lesson: "l", credited: 3, percent: 10, resumeAt: 30, done: false, unsent: 0, kept: 1, reach: 3, seen: 0,
  savedAt: null, saved: true, halt: null, trouble: null,
};
const AT = "2026-01-16T14:03:20+08:00";

test("below the film stands when the progress was saved, or what still waits on the phone", () => {
  assert.equal(savedText(view, AT, 10, true).text, "进度已保存，14:03");
  assert.equal(savedText({ ...view, unsent: 2 }, AT, 10, true).kind, "good"); // on its way: nothing to worry about
  const offline = savedText({ ...view, unsent: 7 }, AT, 10, false);
  assert.equal(offline.kind, "warn");
  assert.match(offline.text, /2 分.*自动补传/);
  const begun = savedText(view, AT, 10, false); // the seconds since the last chunk wait too
  assert.equal(begun.kind, "warn");
  assert.match(begun.text, /存在手机里.*自动补传/);
  assert.equal(savedText({ ...view, done: true }, AT, 10, false).kind, "good"); // nothing more to save
  assert.equal(savedText({ ...view, unsent: 2, trouble: new Error("") }, AT, 10, true).kind, "warn");
  const stopped = savedText({ ...view, unsent: 2, halt: "other_device" }, AT, 10, true);
  assert.match(stopped.text, /20 秒.*在这台设备上继续学习时会补传/);
  assert.match(savedText({ ...view, saved: false }, AT, 10, true).text, /存储已满/);
  assert.equal(savedText(null, null, 10, true).kind, "plain");
});

test("times are read as the server writes them, in Shanghai, whatever the phone's zone", () => {
  assert.equal(hourText(AT), "14:03");
  assert.equal(dayText(AT), "1 月 16 日");
  assert.deepEqual([30, 60, 61, 3599, 3600, 7500].map(spanText), ["30 秒", "1 分", "2 分", "1 小时", "1 小时", "2 小时 5 分"]);
});

test("the numbers beside the ring say what is left, and what is pressing", () => {
  const course = { lessons: 12, lessons_done: 3, seconds_left: 4_000, study_deadline: AT, days_left: 6 };
  assert.deepEqual(factsOf(course).map(({ figure }) => figure), ["3 / 12 课", "1 小时 7 分", "还剩 6 天"]);
  assert.equal(factsOf(course)[2]?.pressing, true);
  assert.equal(factsOf({ ...course, days_left: 30 })[2]?.pressing, false);
  assert.equal(factsOf({ ...course, days_left: null })[2]?.figure, "已结束");
  assert.deepEqual(factsOf({ ...course, seconds_left: 0, study_deadline: null }).length, 1);
});
