import { defineStore } from "pinia";

import { api } from "../api";
import type { Output } from "../api/calls";
import { Unreachable } from "../api/errors";
import { useAsk, type Ask } from "../composables/ask";
import { remember, storage } from "../device/ports";
import { useClock } from "./clock";
import { useSession } from "./session";

export type Home = Output<"/api/v1/home", "get">;
export type Training = Home["trainings"][number];

const KEPT = "home.kept";

/** The first screen as it was last, with the session that it belongs to and when it came: what somebody without a
 * network looks at. The one thing of a person's that outlives the app; it goes with their session. */
interface Kept {
  token: string;
  at: number;
  home: Home;
}

function keptOf(token: string | null): Kept | null {
  try {
    const kept = JSON.parse(storage.get(KEPT) ?? "null") as Kept | null;
    return kept !== null && kept.token === token && Array.isArray(kept.home.trainings) ? kept : null;
  } catch {
    return null; // cut off in the middle of a write
  }
}

/** The first screen: who I am and my trainings. Other screens read a training from it, and ask for it anew after they
 * changed something. */
export const useHome = defineStore("home", () => {
  const session = useSession();

  async function ask(): Promise<Home> {
    const [asked, token] = [Date.now(), session.token];
    const answer = await api.call("get", "/api/v1/home", {});
    useClock().hear(answer.server_now, asked);
    if (token === session.token) remember(KEPT, JSON.stringify({ token, at: Date.now(), home: answer } as Kept));
    return answer;
  }

  const home: Ask<Home> = useAsk(async () => {
    try {
      return await ask();
    } catch (error) {
      if (home.data === null && error instanceof Unreachable) {
        const kept = keptOf(session.token);
        if (kept !== null) Object.assign(home, { data: kept.home, at: kept.at }); // with the trouble above it
      }
      throw error;
    }
  });

  session.farewells.push(() => {
    home.forget();
    remember(KEPT, null);
  });
  return { home };
});

/** The four groups of the first screen. */
export const GROUPS = [
  { key: "all", title: "全部" },
  { key: "open", title: "进行中" },
  { key: "done", title: "已完成" },
  { key: "expired", title: "已过期" },
] as const;
export type Group = (typeof GROUPS)[number]["key"];

const OF_STATUS: Record<string, Group> = { signed_up: "open", studying: "open", passed: "done", completed: "done", lapsed: "expired" };

/** The trainings of a group, in the server's order. */
export function inGroup(trainings: readonly Training[], group: Group): Training[] {
  return trainings.filter((training) => group === "all" || OF_STATUS[training.status] === group);
}
