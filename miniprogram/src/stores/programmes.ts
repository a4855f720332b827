import { defineStore } from "pinia";
import { computed } from "vue";

import { api } from "../api";
import { useAsk } from "../composables/ask";
import { useSession } from "./session";
import { useSettings } from "./settings";

/** The programmes that are open, and the one chosen: by a link, by hand, or because there is only one. */
export const useProgrammes = defineStore("programmes", () => {
  const list = useAsk(async () => (await api.call("get", "/api/v1/programmes", {})).items);

  const chosen = computed(() => {
    const all = list.data ?? [];
    return all.find(({ key }) => key === useSettings().programme) ?? (all.length === 1 ? all[0] : undefined);
  });

  /** Of whoever is signed in, the one they signed in to, whatever they looked at since; of others, the chosen one. */
  const own = computed(() => {
    const session = useSession();
    return session.stage === "anyone" ? chosen.value : list.data?.find(({ key }) => key === session.me?.programme);
  });

  return { list, chosen, own };
});
