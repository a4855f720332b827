import { defineStore } from "pinia";

import { api } from "../api";
import type { Output } from "../api/calls";
import { useAsk } from "../composables/ask";
import { useSession } from "./session";

export type Account = Output<"/api/v1/settings", "get">;

/** What the settings show of the account: phone, WeChat, what was agreed to. */
export const useAccount = defineStore("account", () => {
  const account = useAsk(() => api.call("get", "/api/v1/settings", {}));
  useSession().farewells.push(() => account.forget());
  return { account };
});
