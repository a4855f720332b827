import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, test, vi } from "vitest";
import { effectScope, nextTick, ref } from "vue";

import { useCountdown } from "../src/composables/countdown";
import { useClock } from "../src/stores/clock";

beforeEach(() => {
  setActivePinia(createPinia());
  vi.useFakeTimers({ now: new Date("2026-01-01T10:00:00Z") });
});
afterEach(() => void vi.useRealTimers());

test("the end of a moment is told once, whatever the server's clock says afterwards", async () => {
  const moment = ref("2026-01-01T10:00:03Z");
  let over = 0;
  const scope = effectScope();
  const left = scope.run(() => useCountdown(moment, () => (over += 1)));
  assert.equal(left?.value, 3);
  vi.advanceTimersByTime(3_500);
  assert.deepEqual([left?.value, over], [0, 1]);
  useClock().hear("2026-01-01T10:00:05Z"); // what was asked at the end tells the time anew
  await nextTick();
  assert.equal(over, 1);
  moment.value = "2026-01-01T10:00:08Z";
  await nextTick();
  vi.advanceTimersByTime(5_000);
  assert.equal(over, 2);
  scope.stop();
});
