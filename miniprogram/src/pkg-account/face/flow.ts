import { reactive } from "vue";

import { api, Problem, upload } from "../../api";
import type { Output } from "../../api/calls";
import { useAct } from "../../composables/act";
import type { Trouble } from "../../composables/ask";
import { remember, storage, timers } from "../../device/ports";
import type { Picture } from "../../device/upload";
import { useSession } from "../../stores/session";

export type Purpose = "login" | "study";
export type Method = "picture" | "h5";
type Started = Output<"/api/v1/face-checks", "post">;
type Outcome = Output<"/api/v1/face-checks/{check_id}", "get">;

/** What a face check is for: who asked for it, and where to go afterwards. */
export interface Task {
  purpose: Purpose;
  /** For "study": the enrolment. */
  subject: string | null;
  /** The address of the page that needs it; null: the next step of the first login, or the first screen. */
  back: string | null;
}

/** `away`: on the provider's page. `failed`: this try came to nothing, the next one may. `manual`: no tries are left. */
export type Phase = "ready" | "consent" | "photo" | "camera" | "sending" | "away" | "failed" | "manual" | "passed";

const KEPT = "face.check"; // the check whose person is on the provider's page
const ASK_AGAIN = 3_200; // milliseconds; the server asks the provider at most every 3 s
const ASKS = 3;

/** A face check from its beginning to its end. For studying, whoever has not proved their name and number yet does that
 * first (the server says so), and goes on by themselves. */
export function useFaceFlow(open: (url: string) => void) {
  const session = useSession();
  if (!session.farewells.includes(forgetKept)) session.farewells.push(forgetKept);
  let check: { id: string; nonce: string; method: Method } | null = null;

  const flow = reactive({
    task: { purpose: "login", subject: null, back: null } as Task,
    phase: "ready" as Phase,
    /** What the server said of the last try. */
    sentence: "",
    /** How often it may be tried again today; null before the first answer. */
    triesLeft: null as number | null,
    /** Whom to call when the camera cannot do it. */
    phone: null as string | null,
    /** The real-name check that comes before the one of the task. */
    realNameFirst: false,
    /** This check opened the account. */
    opened: false,
  });

  /** Where the person goes on after `trouble`; false: it is said as it is. */
  function turn(trouble: Trouble): boolean {
    const code = trouble instanceof Problem ? trouble.code : null;
    const route = trouble instanceof Problem ? (trouble.extra.manual_route as { phone?: string } | undefined) : undefined;
    if (route?.phone) flow.phone = route.phone;
    flow.sentence = trouble.sentence;
    if (code === "face_check_over") check = null;
    if (code === "face_manual_route") flow.phase = "manual";
    else if (code === "consent_needed") flow.phase = "consent";
    else if (code === "photo_needed") flow.phase = "photo";
    else if (check?.method === "h5" && flow.phase === "sending") {
      flow.phase = "away"; // it may well have gone well there: it is asked again
      return false;
    } else if (flow.phase === "sending" || code === "face_check_over") flow.phase = "failed";
    else return false;
    return true;
  }

  async function start(method: Method): Promise<Started> {
    const { purpose, subject } = flow.task;
    const first = flow.realNameFirst || purpose === "login";
    const body = first ? { purpose: "login" as const, method } : { purpose, subject, method };
    try {
      return await api.call("post", "/api/v1/face-checks", { body });
    } catch (error) {
      if (first || !(error instanceof Problem && error.code === "face_anchor_needed")) throw error;
      flow.realNameFirst = true;
      return start(method);
    }
  }

  /** Begin a try: the camera opens, or the provider's page. A check that waits for a picture is used again. */
  const begin = useAct(async (method: Method) => {
    if (check?.method !== method || method === "h5") {
      const { id, nonce, h5_url } = await start(method);
      check = { id, nonce, method };
      if (method === "h5") {
        remember(KEPT, JSON.stringify({ ...check, task: flow.task, realNameFirst: flow.realNameFirst }));
        flow.phase = "away";
        if (h5_url) open(h5_url);
        return;
      }
    }
    flow.phase = "camera";
  }, turn);

  const send = useAct(async (picture: Picture) => {
    if (check === null) return;
    flow.phase = "sending";
    const fields = { nonce: check.nonce };
    await take(await upload<Outcome>({ path: `/api/v1/face-checks/${check.id}/picture`, name: "picture", picture, fields }));
  }, turn);

  /** Ask how it went on the provider's page; its answer may take a moment. */
  const finish = useAct(async () => {
    if (check === null) return;
    flow.phase = "sending";
    const { id, nonce } = check;
    const ask = () => api.call("post", "/api/v1/face-checks/{check_id}/finish", { path: { check_id: id }, body: { nonce } }, { retries: 1 });
    let outcome = await ask();
    for (let asked = 1; outcome.status === "created" && asked < ASKS; asked++) {
      await new Promise<void>((resolve) => timers.after(ASK_AGAIN, resolve));
      outcome = await ask();
    }
    await take(outcome);
    if (outcome.status !== "created") remember(KEPT, null);
  }, turn);

  async function take(outcome: Outcome): Promise<void> {
    flow.sentence = outcome.sentence;
    flow.triesLeft = outcome.retries_left;
    flow.phone = outcome.manual_route?.phone ?? flow.phone;
    if (outcome.status === "created" && check?.method === "h5") {
      flow.phase = "away"; // nothing was done there yet: no try failed
      return;
    }
    if (outcome.status !== "passed") {
      flow.phase = outcome.manual_route ? "manual" : "failed";
      return;
    }
    check = null;
    if (outcome.token) {
      session.begin({ token: outcome.token, next: session.next });
      flow.opened = true;
      await session.load();
    }
    const more = flow.realNameFirst && flow.task.purpose === "study";
    flow.realNameFirst = false;
    flow.phase = more ? "ready" : "passed";
  }

  /** Take up the check whose person comes back from the provider's page; false if it was not begun on this device. */
  function takeUp(check_id: string): boolean {
    const kept = JSON.parse(storage.get(KEPT) ?? "null") as { id: string; nonce: string; method: Method; task: Task; realNameFirst: boolean } | null;
    if (kept === null || kept.id !== check_id) return false;
    check = { id: kept.id, nonce: kept.nonce, method: kept.method };
    Object.assign(flow, { task: kept.task, realNameFirst: kept.realNameFirst, phase: "away" });
    return true;
  }

  /** The camera could not be used, or the picture is not wanted: back to the beginning. */
  function stop(): void {
    flow.phase = "ready";
  }

  return { flow, begin, send, finish, takeUp, stop };
}


/** Whoever signs out leaves no check behind; one whose session ran out comes back to it. */
function forgetKept(wish: boolean): void {
  if (wish) remember(KEPT, null);
}
