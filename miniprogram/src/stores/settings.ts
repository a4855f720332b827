import { defineStore } from "pinia";
import { ref, watch } from "vue";

import { remember, storage } from "../device/ports";
import type { OnMobileData } from "../study/mobile-data";

/** What the person chose, kept on the phone. `agreed`: whether the agreement was ticked at the login. */
export const useSettings = defineStore("settings", () => {
  const bigText = ref(storage.get("settings.big-text") === "yes");
  const onMobileData = ref((storage.get("settings.mobile-data") as OnMobileData | null) ?? "ask");
  const agreed = ref(storage.get("settings.agreed") === "yes");
  const programme = ref(storage.get("settings.programme"));

  watch(bigText, (value) => remember("settings.big-text", value ? "yes" : null), { flush: "sync" });
  watch(onMobileData, (value) => remember("settings.mobile-data", value), { flush: "sync" });
  watch(agreed, (value) => remember("settings.agreed", value ? "yes" : null), { flush: "sync" });
  watch(programme, (value) => remember("settings.programme", value), { flush: "sync" });

  return { bigText, onMobileData, agreed, programme };
});
