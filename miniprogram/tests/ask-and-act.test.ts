import assert from "node:assert/strict";
import { test, vi } from "vitest";

import { Problem, Unreachable } from "../src/api/errors";
import { useAct } from "../src/composables/act";
import { useAsk } from "../src/composables/ask";
import { useCode } from "../src/composables/code";
import { waitText } from "../src/composables/wait";

const offline = () => new Unreachable("no_network", "");

test("what was there stays on the screen while it is asked anew, and when that fails", async () => {
  const answers: (() => number)[] = [() => 1, () => { throw offline(); }, () => 3];
  const ask = useAsk(async () => (answers.shift() as () => number)());
  await ask.run();
  assert.equal(ask.data, 1);
  const again = ask.run();
  assert.equal(ask.loading, true);
  assert.equal(ask.data, 1);
  await again;
  assert.ok(ask.trouble instanceof Unreachable);
  assert.equal(ask.data, 1);
  await ask.run();
  assert.deepEqual([ask.data, ask.trouble, ask.loading], [3, null, false]);
});

test("asked twice at once, it is asked once", async () => {
  let asked = 0;
  const ask = useAsk(async () => (asked += 1));
  await Promise.all([ask.run(), ask.run()]);
  assert.equal(asked, 1);
});

test("an answer that comes after the sign-out is thrown away", async () => {
  let give: (value: string) => void = () => undefined;
  const ask = useAsk(() => new Promise<string>((resolve) => (give = resolve)));
  const running = ask.run();
  ask.forget();
  give("somebody's");
  await running;
  assert.equal(ask.data, null);
});

test("a button does its deed once at a time, and says what is wrong with which field", async () => {
  let done = 0;
  const wrong = { type: "", title: "", status: 422, code: "invalid", detail: "请修改。", fields: { phone: "不对" } } as unknown as ConstructorParameters<typeof Problem>[0];
  const act = useAct(async (fail: boolean) => {
    done += 1;
    if (fail) throw new Problem(wrong);
  });
  assert.deepEqual(await Promise.all([act.run(true), act.run(true)]), [false, false]);
  assert.equal(done, 1);
  assert.equal(act.trouble?.sentence, "请修改。");
  assert.deepEqual(act.fields, { phone: "不对" });
  assert.equal(await act.run(false), true);
  assert.deepEqual([act.trouble, act.fields], [null, {}]);
});

test("a bug of ours is no trouble of the person's: it is thrown on", async () => {
  const act = useAct(async () => {
    throw new TypeError("a bug");
  });
  await assert.rejects(act.run(), TypeError);
  assert.equal(act.busy, false);
});

test("after a change what was asked before is no answer", async () => {
  const gives: ((value: string) => void)[] = [];
  const ask = useAsk(() => new Promise<string>((resolve) => gives.push(resolve)));
  const before = ask.run();
  const after = ask.renew();
  gives[1]?.("after");
  await after;
  gives[0]?.("before");
  await before;
  assert.deepEqual([ask.data, ask.loading, gives.length], ["after", false, 2]);
});

test("an answer that came by another way is not overwritten by an older one", async () => {
  let give: (value: string) => void = () => undefined;
  const ask = useAsk(() => new Promise<string>((resolve) => (give = resolve)));
  const running = ask.run();
  ask.take("paid");
  give("pending");
  await running;
  assert.deepEqual([ask.data, ask.loading], ["paid", false]);
});

const tooOften = (seconds: number) => new Problem({ type: "", title: "", status: 429, code: "login_paused", detail: "请稍后再试。", retry_after: seconds } as unknown as ConstructorParameters<typeof Problem>[0]);

test("who did it too often is told how long to wait, second by second, also after the phone slept", async () => {
  vi.useFakeTimers();
  try {
    const act = useAct(async () => {
      throw tooOften(720);
    });
    await act.run();
    assert.equal(act.wait, 720);
    assert.equal(waitText(act.wait), "12 分钟");
    vi.advanceTimersByTime(5_000);
    assert.equal(act.wait, 715);
    vi.setSystemTime(Date.now() + 700_000); // asleep: no timer ran
    vi.advanceTimersByTime(1_000);
    assert.equal(act.wait, 14);
    vi.advanceTimersByTime(14_000);
    assert.deepEqual([act.wait, act.trouble], [0, null]); // and may try again
  } finally {
    vi.useRealTimers();
  }
});

test("what waits is forgotten with the account that it was about", async () => {
  const act = useAct(async () => {
    throw tooOften(60);
  });
  await act.run();
  act.clear();
  assert.deepEqual([act.wait, act.trouble], [0, null]);
});

test("how long is said in the words of a person who waits", () => {
  assert.deepEqual([45, 90, 3600, 3601, 7200].map(waitText), ["45 秒", "2 分钟", "60 分钟", "61 分钟", "2 小时"]);
});

test("a code that was asked for too often says on its button when it may be asked for again", async () => {
  const code = useCode(async () => {
    throw tooOften(300);
  });
  await code.ask.run();
  assert.equal(code.wait, 300);
});
