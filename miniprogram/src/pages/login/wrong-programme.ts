import { Problem } from "../../api";
import type { Trouble } from "../../composables/ask";

export interface Place {
  key: string;
  title: string;
}

/** Where somebody's account is, whose password was right in a programme that is not theirs; none for other troubles. */
export function programmesOf(trouble: Trouble | null): Place[] {
  if (!(trouble instanceof Problem && trouble.code === "other_programme")) return [];
  return trouble.extra.programmes as Place[];
}
