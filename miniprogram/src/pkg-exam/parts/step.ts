import type { Output } from "../../api/calls";
import { dial } from "../../device/files";
import { go, restart, swap } from "../../navigation";

export type Step = Output<"/api/v1/enrolments/{enrolment_id}/exam", "get">["subjects"][number]["next"];

/** Do what the server says comes next; `begin` asks before an attempt begins. */
export function follow(step: Step, enrolment_id: string, begin: (subject: string) => void): void {
  const deeds: Record<Step["code"], () => void> = {
    start: () => begin(step.subject ?? ""),
    again: () => begin(step.subject ?? ""),
    other_subject: () => begin(step.subject ?? ""),
    passed: () => go("proof", { enrolment_id }),
    proof: () => go("proof", { enrolment_id }),
    resume: () => go("exam", { enrolment_id, attempt_id: step.attempt_id ?? undefined }),
    other_exam: () => go("exam", { enrolment_id, attempt_id: step.attempt_id ?? undefined }),
    pay: () => go("checkout", { enrolment_id }),
    photo: () => go("photo"),
    study: () => swap("training", { enrolment_id }),
    wait_course: () => call(step),
    expired: () => call(step),
    make_up: () => call(step),
    settled: () => restart("home"), // it is said, not pressed
  };
  deeds[step.code]();
}

function call({ phone }: Step): void {
  if (phone) dial(phone);
  else go("contact");
}
