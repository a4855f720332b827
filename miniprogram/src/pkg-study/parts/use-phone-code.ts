import { onShow } from "@dcloudio/uni-app";
import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";

import { api } from "../../api";
import type { Output } from "../../api/calls";
import { useAct } from "../../composables/act";
import { online } from "../../device/network";
import { timers } from "../../device/ports";
import { TicketWatch, type Seen } from "../../scan/watch";
import { useClock } from "../../stores/clock";

export type Shown = Output<"/api/v1/scan-tickets/login", "post">;

/** A code on this page that a phone scans. `make` asks for one; `confirmed` gets its id and secret once the phone has
 * said yes, and is tried again by the person if it fails. */
export function usePhoneCode(make: () => Promise<Shown>, confirmed: (id: string, secret: string) => Promise<void>) {
  const shown = shallowRef<Shown | null>(null);
  const seen = shallowRef<Seen | null>(null);
  const lost = ref(false); // the server does not know the ticket any more
  let watching: TicketWatch | null = null;

  const goingOn = useAct(async () => {
    if (shown.value !== null) await confirmed(shown.value.id, shown.value.secret);
  });

  const making = useAct(async () => {
    watching?.stop();
    const asked = Date.now();
    const ticket = await make();
    useClock().hear(ticket.server_now, asked);
    seen.value = null;
    lost.value = false;
    shown.value = ticket;
    watching = new TicketWatch({
      timers,
      see: () => api.call("get", "/api/v1/scan-tickets/{ticket_id}", { path: { ticket_id: ticket.id } }, { ticket: ticket.secret, retries: 0 }),
      told(now) {
        seen.value = now;
        if (now.status === "confirmed") void goingOn.run();
      },
      failed(_trouble, over) {
        lost.value = over;
      },
    });
    watching.start();
  });

  const state = computed(() => (lost.value ? "expired" : seen.value?.status ?? "waiting"));
  const expiresAt = computed(() => seen.value?.expires_at ?? shown.value?.expires_at ?? null);

  onShow(() => watching?.start());
  watch(online, (back) => back && watching?.start());
  onScopeDispose(() => watching?.stop());

  return { shown, seen, state, expiresAt, making, goingOn };
}
