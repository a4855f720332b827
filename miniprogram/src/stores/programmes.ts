import { defineStore } from "pinia";
import { computed } from "vue";

import { api } from "../api";
import { useAsk } from "../composables/ask";
import { useSettings } from "./settings";

/** The programmes that are open, and the one chosen: by a link, by hand, or because there is only one. */
export const useProgrammes = defineStore("programmes", () => {
  const list = useAsk(async () => (await api.call("get", "/api/v1/programmes", {})).items);

  const chosen = computed(() => {
    const all = list.data ?? [];
    return all.find(({ key }) => key === useSettings().programme) ?? (all.length === 1 ? all[0] : undefined);
  });

  return { list, chosen };
});
