import type { PageName, Query } from "../../pages";
import type { Training } from "../../stores/home";

const SOON = 7; // days: from here on the number is red

/** The screen that a training's next step is done on; null where there is nothing to do but to wait. */
export function stepOf({ next, enrolment_id, order_id }: Training): { page: PageName; query: Query } | null {
  const steps: Record<string, { page: PageName; query: Query }> = {
    checkout: { page: "checkout", query: { enrolment_id } },
    pay: { page: "order", query: { order_id: order_id ?? undefined } },
    photo: { page: "photo", query: {} },
    face: { page: "face", query: { purpose: "login" } },
    study: { page: "training", query: { enrolment_id } },
    exam: { page: "exam-notice", query: { enrolment_id } },
    proof: { page: "proof", query: { enrolment_id } },
    expired: { page: "contact", query: {} },
    make_up: { page: "contact", query: {} },
  };
  return steps[next.code] ?? null;
}

/** Passed, where the programme gives no proof: nothing is left to do, and nothing to wait for. */
export function isFinished({ next }: Training): boolean {
  return next.code === "finished";
}

const BRISK = 4_000;
const CALM = 30_000;
const PATIENT = 15; // brisk questions: a minute
const MOMENTARY = ["wait_payment", "wait_proof"]; // done by the server in a moment

/** Milliseconds until the trainings are asked for again, after `asked` questions; null where none only waits. */
export function restOf(trainings: readonly Training[], asked: number): number | null {
  const waiting = trainings.filter((training) => stepOf(training) === null && !isFinished(training));
  if (!waiting.length) return null;
  return asked < PATIENT && waiting.some(({ next }) => MOMENTARY.includes(next.code)) ? BRISK : CALM;
}

export interface Fact {
  figure: string;
  name: string;
  /** Whether it is high time. */
  pressing: boolean;
}

/** The numbers that matter now: days, lessons and attempts that are left. */
export function factsOf({ days_left, lessons, lessons_done, subjects, status }: Training): Fact[] {
  const facts: Fact[] = [];
  if (days_left !== null) facts.push({ figure: `${days_left} 天`, name: "学习期还剩", pressing: days_left <= SOON });
  if (status !== "studying") return facts;
  if (lessons > lessons_done) facts.push({ figure: `${lessons - lessons_done} 课`, name: `还没学完，共 ${lessons} 课`, pressing: false });
  for (const { title, passed, attempts_left, best_score } of subjects) {
    const about = subjects.length > 1 ? `${title} · ` : "";
    if (passed) facts.push({ figure: `${best_score ?? ""} 分`, name: `${about}考试已合格`, pressing: false });
    else if (attempts_left !== null) {
      facts.push({ figure: `${attempts_left} 次`, name: `${about}考试机会`, pressing: attempts_left <= 1 });
    }
  }
  return facts;
}
