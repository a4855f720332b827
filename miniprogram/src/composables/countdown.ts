import { computed, onScopeDispose, ref, watch, type Ref } from "vue";

import { timers } from "../device/ports";
import { useClock } from "../stores/clock";

/** Seconds until `moment` (an ISO time of the server) by the server's clock, 0 once it is over; null without one.
 * `over` runs once, when it gets there. */
export function useCountdown(moment: Ref<string | null | undefined>, over: () => void = () => undefined): Readonly<Ref<number | null>> {
  const clock = useClock();
  const tick = ref(0);
  let stop: () => void = () => undefined;
  let told: string | null | undefined = null; // the moment whose end was told

  const left = computed(() => {
    void tick.value;
    const end = moment.value ? Date.parse(moment.value) : NaN;
    return Number.isFinite(end) ? Math.max(0, Math.ceil((end - clock.now()) / 1000)) : null;
  });

  function turn(): void {
    stop();
    tick.value += 1;
    if (left.value === null) return;
    if (left.value === 0) {
      if (told !== moment.value) over();
      told = moment.value;
      return;
    }
    // to the next whole second of what is left, so that none is shown twice or left out
    const end = Date.parse(moment.value as string);
    stop = timers.after(((end - clock.now()) % 1000) + 5, turn);
  }

  watch([moment, () => clock.ahead], turn, { immediate: true });
  onScopeDispose(() => stop());
  return left;
}

/** "1:02:03", or "02:03" below an hour. */
export function clockText(seconds: number): string {
  const two = (value: number) => String(value).padStart(2, "0");
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  return `${hours > 0 ? `${hours}:` : ""}${two(minutes)}:${two(seconds % 60)}`;
}
