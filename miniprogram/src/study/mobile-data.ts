/** Whether films play over mobile data: after asking with the film's size, without asking, or not at all. */
export type OnMobileData = "ask" | "always" | "never";

/** Whether a film may play now: yes; after a question that tells its size; or not before there is Wi-Fi, as the person
 * has set. `agreed`: the question was answered with yes since the app was started. */
export function leaveToPlay(now: { costs: boolean; choice: OnMobileData; agreed: boolean }): "yes" | "ask" | "wait" {
  if (!now.costs || now.choice === "always" || now.agreed) return "yes";
  return now.choice === "never" ? "wait" : "ask";
}

const MB = 1024 * 1024;

/** "约 12 MB" for what is left of a film from second `start`; null where the size is not known. Never too small. */
export function sizeText(film: { bytes: number | null; seconds: number }, start = 0): string | null {
  if (film.bytes === null || film.seconds <= 0) return null;
  const left = (film.bytes * Math.max(0, film.seconds - start)) / film.seconds / MB;
  return `约 ${left < 10 ? Math.max(0.1, Math.ceil(left * 10) / 10) : Math.ceil(left)} MB`;
}
