import { defineStore } from "pinia";
import { computed, ref, shallowRef } from "vue";

import { api } from "../api";
import type { Output } from "../api/calls";
import { storage, timers } from "../device/ports";
import { AnswerQueue, resultOf, type Over, type QuestionView } from "../exam/answers";
import { ExamClock } from "../exam/clock";
import { AnswerShelf } from "../exam/kept";
import { useSession } from "./session";

export type Attempt = Output<"/api/v1/attempts/{attempt_id}", "get">;
export type Question = Attempt["questions"][number];

const AGAIN = 5; // seconds between attempts to hand in once the time is over

/** Sitting an exam, for the whole app: answers are sent from here, whichever screen is open, and after a restart. */
export const useExam = defineStore("exam", () => {
  const attempt = shallowRef<Attempt | null>(null);
  const over = shallowRef<Over | null>(null);
  const views = shallowRef<QuestionView[]>([]);
  const safe = ref(true);
  const trouble = shallowRef<Error | null>(null);
  /** Seconds left by the server's clock; `sure` is false while only estimated. */
  const left = ref<number | null>(null);
  const sure = ref(false);
  const at = ref(1);
  const marked = ref<number[]>([]);
  const handing = ref(false);

  const clock = new ExamClock();
  const queues = new Map<string, AnswerQueue>();
  let current: AnswerQueue | null = null;
  let stopTicking: () => void = () => undefined;
  let sinceAlive = 0; // seconds
  let sinceTimeUp = AGAIN;
  let asking: Promise<void> | null = null;
  let fresh = false; // `start` gave the paper, and no page has opened it yet

  function queueOf(id: string): AnswerQueue {
    let queue = queues.get(id);
    if (queue === undefined) {
      const path = { attempt_id: id };
      queue = new AnswerQueue(id, {
        storage,
        timers,
        async send({ number, choice, version }) {
          return api.call("put", "/api/v1/attempts/{attempt_id}/answers/{number}", { path: { ...path, number }, body: { choice, version } }, { retries: 0 });
        },
        // sent twice it counts once: the second answer is the first one's
        handIn: (answers) => api.call("post", "/api/v1/attempts/{attempt_id}/hand-in", { path, body: { answers } }, { retries: 2 }),
        changed: () => show(),
      });
      queues.set(id, queue);
    }
    return queue;
  }

  function show(): void {
    if (current === null || attempt.value === null) return;
    const queue = current;
    views.value = attempt.value.questions.map(({ number }) => queue.view(number));
    safe.value = queue.safe;
    trouble.value = queue.trouble;
    if (queue.over !== null && over.value === null) {
      over.value = queue.over;
      stop();
    }
  }

  function take(paper: Attempt, askedAt: number): void {
    clock.hear(paper.server_now, askedAt, Date.now());
    attempt.value = paper;
    over.value = null;
    current = queueOf(paper.attempt_id);
    const place = current.place;
    at.value = Math.min(Math.max(1, place.at), paper.questions.length);
    marked.value = place.marked.filter((number) => number <= paper.questions.length);
    sinceAlive = 0;
    sinceTimeUp = AGAIN;
    current.open(paper.answers);
    tick();
  }

  /** Begin an attempt in the subject; the one that is open if there is one. Rejects with `Problem` or `Unreachable`. */
  async function start(enrolmentId: string, subject: string): Promise<Attempt> {
    const asked = Date.now();
    const paper = await api.call("post", "/api/v1/enrolments/{enrolment_id}/attempts", { path: { enrolment_id: enrolmentId }, body: { subject } });
    take(paper, asked);
    fresh = true;
    return paper;
  }

  /** A page is opened on the attempt, also after a crash. Where it has ended, `over` says so. */
  async function open(attemptId: string): Promise<void> {
    const begun = fresh && attempt.value?.attempt_id === attemptId;
    fresh = false;
    if (!begun) await read(attemptId);
  }

  /** The attempt's paper, or null where it has ended: then `over` says how. */
  async function look(attemptId: string): Promise<Attempt | null> {
    await read(attemptId);
    return over.value === null ? attempt.value : null;
  }

  async function read(attemptId: string): Promise<void> {
    const asked = Date.now();
    try {
      take(await api.call("get", "/api/v1/attempts/{attempt_id}", { path: { attempt_id: attemptId } }), asked);
    } catch (error) {
      const result = resultOf(error);
      if (result === null) throw error;
      current = queueOf(attemptId);
      current.end(result);
      over.value = current.over;
      stop();
    }
  }

  /** The page is still open: says so, and hears the time. Never rejects. */
  function alive(): Promise<void> {
    return (asking ??= ping().finally(() => (asking = null)));
  }

  async function ping(): Promise<void> {
    const id = attempt.value?.attempt_id;
    if (id === undefined || over.value !== null) return;
    sinceAlive = 0;
    const asked = Date.now();
    try {
      const answer = await api.call("post", "/api/v1/attempts/{attempt_id}/alive", { path: { attempt_id: id } });
      clock.hear(answer.server_now, asked, Date.now());
      current?.wake();
      if (answer.status !== "open") await read(id); // it ended: this tells the result
    } catch {
      // no network: said again with the next second that asks for it, and the screen has its line
    }
  }

  function tick(): void {
    stopTicking();
    if (attempt.value === null || over.value !== null) return;
    clock.tick(Date.now());
    sure.value = clock.sure;
    left.value = clock.until(attempt.value.deadline);
    sinceAlive += 1;
    if (!clock.sure ? sinceAlive >= AGAIN : sinceAlive >= attempt.value.alive_seconds) void alive();
    if (left.value === 0) timeUp();
    stopTicking = timers.after(1_000, tick);
  }

  /** The time is over by the server's clock: handed in with what is kept, as often as it takes. */
  function timeUp(): void {
    sinceTimeUp += 1;
    if (!clock.sure || handing.value || sinceTimeUp < AGAIN) return;
    sinceTimeUp = 0;
    void handIn().catch(() => undefined); // tried again in `AGAIN` seconds
  }

  async function handIn(): Promise<void> {
    if (current === null || handing.value) return;
    handing.value = true;
    try {
      await current.handIn();
    } finally {
      handing.value = false;
    }
  }

  /** Leave for good, by the person's wish. True if that ended the attempt. */
  async function leave(): Promise<boolean> {
    if (attempt.value === null || current === null) return false;
    const { result } = await api.call("post", "/api/v1/attempts/{attempt_id}/leave", { path: { attempt_id: attempt.value.attempt_id } }, { retries: 2 });
    if (!result) return false;
    current.end(result, []);
    return true;
  }

  function choose(number: number, choice: string): void {
    if (left.value !== 0) current?.choose(number, choice);
  }

  function keepTheirs(number: number): void {
    current?.keepTheirs(number);
  }

  function turnTo(number: number): void {
    at.value = number;
    if (current !== null) current.place = { at: number, marked: marked.value };
  }

  function mark(number: number): void {
    marked.value = marked.value.includes(number) ? marked.value.filter((each) => each !== number) : [...marked.value, number];
    turnTo(at.value);
  }

  /** The page is left: it says no longer that it is open. Answers still go on their way. */
  function stop(): void {
    stopTicking();
  }

  /** The network is back, or the app is in front again. */
  function wake(): void {
    for (const queue of queues.values()) queue.wake();
  }

  /** The app was started: answers that were kept go on their way. */
  function resume(): void {
    if (useSession().stage === "trainee") for (const id of AnswerShelf.attempts(storage)) queueOf(id);
  }

  const unanswered = computed(() => numbers(({ choice }) => choice === ""));
  const unsent = computed(() => numbers(({ state }) => state === "saving" || state === "waiting"));

  function numbers(which: (view: QuestionView) => boolean): number[] {
    return views.value.flatMap((view, index) => (which(view) ? [index + 1] : []));
  }

  useSession().farewells.push(() => {
    stop();
    for (const queue of queues.values()) queue.close(); // it stays on the phone, and is sent when they are back
    queues.clear();
    current = null;
    attempt.value = null;
    over.value = null;
    views.value = [];
  });

  return {
    attempt, over, views, safe, trouble, left, sure, at, marked, handing, unanswered, unsent,
    start, open, look, alive, handIn, leave, choose, keepTheirs, turnTo, mark, tick, stop, wake, resume,
  };
});
