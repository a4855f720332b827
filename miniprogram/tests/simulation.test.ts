import assert from "node:assert/strict";
import { test } from "vitest";

import { simulate, type Lies } from "./simulation";

async function broken(learners: number, lies: Lies = {}): Promise<string[]> {
  const all: string[] = [];
  for (let seed = 1; seed <= learners; seed++) all.push(...(await simulate(seed, 150, lies)));
  return all;
}

test("through any trouble no watched chunk is lost, none is counted unwatched, and no two beats overlap", async () => {
  assert.deepEqual(await broken(120), []);
});

test("chunks would be lost if the phone took credited for durable", async () => {
  const seen = await broken(30, { answer: (answer) => ({ ...answer, durable: answer.credited }) });
  assert.ok(seen.some((rule) => /nowhere|lost/.test(rule)));
});

test("hours that were taken back would count again if the epoch did not change", async () => {
  const seen = await broken(30, { answer: (answer) => ({ ...answer, epoch: 0 }), play: (play) => ({ ...play, epoch: 0 }) });
  assert.ok(seen.some((rule) => rule.includes("without being watched")));
});
