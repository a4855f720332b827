import { back, swap } from "../../navigation";
import { stepOf } from "../../pages/home/training";
import { pageAt, type PageName, type Query } from "../../pages";
import type { Training } from "../../stores/home";

/** What the server says to do next with a training, where that is done on another screen than the lessons'. */
export function stepAfterStudy(training: Training | undefined): { text: string; page: PageName; query: Query } | null {
  const step = training ? stepOf(training) : null;
  return training && step && step.page !== "training" && step.page !== "player" ? { text: training.next.text, ...step } : null;
}

/** Back to the lessons, also where the player was the first page. */
export function backToCourse(enrolment_id: string): void {
  const pages = getCurrentPages();
  const before = pages[pages.length - 2]?.route;
  if (before !== undefined && pageAt(before) === "training") back();
  else swap("training", { enrolment_id });
}
