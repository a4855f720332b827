import { Problem, Unreachable, type ProblemCode } from "../src/api/errors";
import type { Answer, Result } from "../src/exam/answers";

export function refusal(code: ProblemCode, status: number, extra: object = {}): Problem {
  return new Problem({ type: "", title: code, status, code, detail: code, ...extra } as ConstructorParameters<typeof Problem>[0]);
}

const RESULT: Result = {
  attempt_id: "a1", enrolment_id: "e1", subject: "theory", subject_title: "理论", status: "handed_in", finished_at: "2026-01-16T15:00:00+08:00",
  score: 80, passed: true, pass_score: 60, total_score: 100, best_score: 80, attempts_left: 4,
  next: { code: "proof", text: "查看资格证明", attempt_id: null, subject: null, phone: null },
};

/** The server's rules for the answers of one attempt in a few lines, written from its API's description. */
export class ExamServer {
  readonly answers = new Map<number, Answer>();
  /** Every change of an answer, in order: "3:AB". */
  readonly changes: string[] = [];
  result: Result | null = null;
  /** Whether the grace after the deadline runs. */
  grace = false;
  finishes = 0;

  private merge({ number, choice, version }: Answer): Answer | null {
    const now = this.answers.get(number) ?? { number, choice: "", version: 0 };
    if (now.version === version) return { number, choice, version: version + 1 };
    return now.version === version + 1 && now.choice === choice ? now : null;
  }

  private write(answer: Answer): void {
    if (this.answers.get(answer.number)?.version !== answer.version) this.changes.push(`${answer.number}:${answer.choice}`);
    this.answers.set(answer.number, answer);
  }

  /** PUT …/answers/{n}. */
  save(answer: Answer): Answer {
    if (this.result) throw refusal("exam_handed_in", 409, { result: this.result });
    const after = this.merge(answer);
    if (after === null) throw refusal("answer_conflict", 409, { answer: this.answers.get(answer.number) });
    this.write(after);
    return after;
  }

  /** POST …/hand-in. */
  handIn(brought: Answer[]): Result {
    if (this.result) return this.result;
    const stale = brought.filter((answer) => this.merge(answer) === null);
    if (stale.length && !this.grace) throw refusal("answer_conflict", 409, { answers: stale.map(({ number }) => this.answers.get(number)) });
    for (const answer of brought) if (!stale.includes(answer)) this.write(this.merge(answer) as Answer);
    return this.finish("handed_in", stale.map(({ number }) => number));
  }

  finish(status: Result["status"], not_taken: number[] = []): Result {
    this.finishes += 1;
    this.result = { ...RESULT, status };
    return { ...this.result, not_taken };
  }

  /** Another page of the same person answers. */
  elsewhere(number: number, choice: string): void {
    this.write({ number, choice, version: (this.answers.get(number)?.version ?? 0) + 1 });
  }
}

export const lost = () => new Unreachable("no_network", "lost");
