import assert from "node:assert/strict";
import { test } from "vitest";

import { chunksOf } from "../src/study/bitmap";
import { base64 } from "./server";
import { dice } from "./time";

test("chunk 0 is the highest bit of the first byte", () => {
  assert.deepEqual([...chunksOf("gA==")], [0]); // 80
  assert.deepEqual([...chunksOf("AQ==")], [7]); // 01
  assert.deepEqual([...chunksOf("AIA=")], [8]); // 00 80
  assert.deepEqual([...chunksOf("//8B")], [...Array(16).keys(), 23]); // ff ff 01
});

test("an empty bitmap has no chunks", () => {
  assert.equal(chunksOf("").size, 0);
  assert.equal(chunksOf("AAAA").size, 0);
});

test("bits beyond the last byte are none", () => {
  assert.deepEqual([...chunksOf("gP==")], [0]);
});

test("what is not base64 is refused", () => {
  for (const wrong of ["gA", "g===", "g", "g-==", "gA==gA==", "<html>", "gA =", "中文字符"]) {
    assert.throws(() => chunksOf(wrong), SyntaxError, wrong);
  }
});

test("any set of chunks is read as it was written", () => {
  const roll = dice(7);
  for (let round = 0; round < 200; round++) {
    const chunks = [...Array(60).keys()].filter(() => roll() < 0.4);
    assert.deepEqual([...chunksOf(base64(chunks))].sort((one, other) => one - other), chunks);
  }
});
