import { computed, reactive } from "vue";

import { Problem } from "../api/errors";
import { showFirstWrong } from "../device/first-wrong";
import { troubleOf, type Trouble } from "./ask";
import { useWait } from "./wait";

/** Something the person does: a button's action. `busy` while it runs; `trouble` says what went wrong, `fields` what is
 * wrong with which field. */
export interface Act<Given extends unknown[]> {
  busy: boolean;
  trouble: Trouble | null;
  fields: Record<string, string>;
  /** Seconds until the server takes it again, where it said "too often"; 0: at any time. */
  wait: number;
  /** Do it, once at a time. True if it was done. Never rejects. */
  run(...given: Given): Promise<boolean>;
  /** Say that fields are wrong before the server is asked. */
  refuse(fields: Record<string, string>): void;
  clear(): void;
}

/** `deed` may look at the failure first: it returns true from `handle` for one that needs no sentence. */
export function useAct<Given extends unknown[]>(
  deed: (...given: Given) => Promise<unknown>,
  handle: (trouble: Trouble) => boolean = () => false,
): Act<Given> {
  const pause = useWait();
  const act = reactive({
    busy: false,
    wait: computed(() => pause.seconds),
    trouble: null as Trouble | null,
    fields: {} as Record<string, string>,
    async run(...given: Given): Promise<boolean> {
      if (act.busy) return false;
      act.busy = true;
      act.clear();
      try {
        await deed(...given);
        return true;
      } catch (error) {
        const trouble = troubleOf(error);
        if (!handle(trouble)) {
          act.trouble = trouble;
          if (trouble instanceof Problem) act.fields = { ...trouble.fields };
        }
        if (trouble instanceof Problem && trouble.status === 429 && trouble.retryAfterSeconds !== null) pause.begin(trouble.retryAfterSeconds, act.clear);
        return false;
      } finally {
        act.busy = false;
        if (Object.keys(act.fields).length) showFirstWrong();
      }
    },
    refuse(fields: Record<string, string>): void {
      act.trouble = null;
      act.fields = fields;
    },
    clear(): void {
      pause.end();
      act.trouble = null;
      act.fields = {};
    },
  }) as unknown as Act<Given>;
  return act;
}
