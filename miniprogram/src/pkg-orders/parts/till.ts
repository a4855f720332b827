import { defineStore } from "pinia";
import { ref } from "vue";

import { api } from "../../api";
import { useSession } from "../../stores/session";

/** What an order is made of: the payer is typed by the person, and compared by the server. */
export interface Confirmed {
  enrolment_ids: string[];
  payer_name: string;
  payer_number: string;
}

/** Making orders. What was confirmed stays in memory while the app is open, never on the phone, so that an order whose
 * time is over is made again without typing. */
export const useTill = defineStore("till", () => {
  const kept = ref<{ order_id: string; body: Confirmed } | null>(null);
  useSession().farewells.push(() => (kept.value = null));

  /** Order; the same again gives the same order. Rejects with `Problem` or `Unreachable`. */
  async function order(body: Confirmed): Promise<string> {
    const { order_id } = await api.call("post", "/api/v1/checkout", { body }, { retries: 2 });
    kept.value = { order_id, body };
    return order_id;
  }

  /** Order again what this order was made of; null where that is not known any more. */
  async function again(orderId: string): Promise<string | null> {
    return kept.value?.order_id === orderId ? order(kept.value.body) : null;
  }

  return { order, again };
});
