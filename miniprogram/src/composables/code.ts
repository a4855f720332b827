import { computed, reactive } from "vue";

import type { Output } from "../api/calls";
import { useAct, type Act } from "./act";
import { useWait } from "./wait";

type Sent = Output<"/api/v1/login/code", "post">;

/** A code by SMS: asking for it, what was said, and the seconds until it may be asked for again. */
export interface Code {
  ask: Act<[]>;
  /** What the server said of the last one; null before. */
  sent: Sent | null;
  /** Seconds to wait; 0 when it may be asked for. */
  wait: number;
  /** Goes with the code, where nobody is signed in yet. */
  ticket: string | undefined;
}

/** `question` is the call that sends a code; `ready` says first whether what it needs is there. */
export function useCode(question: () => Promise<Sent>, ready: () => boolean = () => true): Code {
  const next = useWait();
  const ask = useAct(async () => {
    if (!ready()) return;
    const sent = await question();
    Object.assign(code, { sent, ticket: sent.ticket });
    next.begin(sent.wait_seconds);
  });
  const wait = computed(() => Math.max(next.seconds, ask.wait));
  const code = reactive({ ask, sent: null, wait, ticket: undefined }) as unknown as Code;
  return code;
}
