import { go } from "../../navigation";
import type { Training } from "../../stores/home";
import type { Course } from "../../stores/study";
import { dayText, spanText } from "../../study/texts";
import { stepAfterStudy } from "../parts/next-step";

const SOON = 7; // days: from here on the number is red

export interface Fact {
  figure: string;
  name: string;
  pressing: boolean;
}

/** The numbers beside the ring: lessons, time and days that are left. */
export function factsOf(course: Pick<Course, "lessons" | "lessons_done" | "seconds_left" | "study_deadline" | "days_left">): Fact[] {
  const facts: Fact[] = [{ figure: `${course.lessons_done} / ${course.lessons} 课`, name: "已学完", pressing: false }];
  if (course.seconds_left > 0) facts.push({ figure: spanText(course.seconds_left), name: "还没看的视频", pressing: false });
  if (course.study_deadline !== null) {
    const left = course.days_left;
    const name = `${dayText(course.study_deadline)}截止`;
    facts.push({ figure: left === null ? "已结束" : `还剩 ${left} 天`, name, pressing: left === null || left <= SOON });
  }
  return facts;
}

/** The way on for somebody who may not study now: to where the training's own next step is done, or to the people who
 * can help. */
export function refusedStep(code: string, training: Training | undefined, enrolment_id: string): { text: string; press(): void } {
  const step = stepAfterStudy(training);
  if (step) return { text: step.text, press: () => go(step.page, step.query) };
  if (code === "not_paid_yet") return { text: "去缴费", press: () => go("checkout", { enrolment_id }) };
  return { text: "联系客服", press: () => go("contact") };
}
