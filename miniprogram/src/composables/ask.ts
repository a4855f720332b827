import { reactive } from "vue";

import { Problem, Unreachable } from "../api/errors";

export type Trouble = Problem | Unreachable;

/** Something asked of the server, as a screen shows it: see `z-state`. `trouble` is the last failure; `data` stays
 * while it is asked again, and when that fails. */
export interface Ask<Data> {
  data: Data | null;
  loading: boolean;
  trouble: Trouble | null;
  /** When `data` came, in the phone's milliseconds. */
  at: number;
  /** Ask (again). Never rejects. Asked twice at once, it is asked once. */
  run(): Promise<void>;
  /** Something was changed: ask anew, and do not take what was asked before for an answer. Never rejects. */
  renew(): Promise<void>;
  /** An answer that came by another way. One that is still under way is older, and thrown away. */
  take(data: Data): void;
  forget(): void;
}

/** `question` rejects with `Problem` or `Unreachable`; anything else is a bug of ours and is thrown on. */
export function useAsk<Data>(question: () => Promise<Data>): Ask<Data> {
  let running: Promise<void> | null = null;
  let asked = 0; // an answer to a question of before `forget` is thrown away

  async function once(): Promise<void> {
    const mine = asked;
    ask.loading = true;
    try {
      const data = await question();
      if (mine !== asked) return;
      ask.data = data;
      ask.at = Date.now();
      ask.trouble = null;
    } catch (error) {
      if (mine === asked) ask.trouble = troubleOf(error);
    } finally {
      if (mine === asked) {
        ask.loading = false;
        running = null;
      }
    }
  }

  /** What is under way is not waited for any more. */
  function drop(): void {
    asked += 1;
    running = null;
  }

  const ask = reactive({
    data: null,
    loading: false,
    trouble: null,
    at: 0,
    run: () => (running ??= once()),
    renew() {
      drop();
      return ask.run();
    },
    take(data: Data) {
      drop();
      Object.assign(ask, { data, loading: false, trouble: null, at: Date.now() });
    },
    forget() {
      drop();
      Object.assign(ask, { data: null, loading: false, trouble: null, at: 0 });
    },
  }) as Ask<Data>;
  return ask;
}

/** The failure as a trouble that can be shown; a bug is thrown on. */
export function troubleOf(error: unknown): Trouble {
  if (error instanceof Problem || error instanceof Unreachable) return error;
  throw error;
}
