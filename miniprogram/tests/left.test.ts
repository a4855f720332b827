import assert from "node:assert/strict";
import { test } from "vitest";

import { leftText } from "../src/components/z-left/left";

test("how much may still be written is said from four fifths of the limit on", () => {
  assert.equal(leftText(0, 100), "");
  assert.equal(leftText(79, 100), "");
  assert.equal(leftText(80, 100), "还可以写 20 个字");
  assert.equal(leftText(99, 100), "还可以写 1 个字");
  assert.equal(leftText(100, 100), "已经写满 100 个字，再多写不进去");
});
