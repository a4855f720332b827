import { computed, onScopeDispose, ref, shallowRef, watch } from "vue";

import { api, Problem } from "../../api";
import { useAct, type Act } from "../../composables/act";
import { useAsk } from "../../composables/ask";
import { channel } from "../../device/channel";
import { online } from "../../device/network";
import { timers } from "../../device/ports";
import { wechatPay } from "../../device/wechat-pay";
import { stepOf } from "../../pages/home/training";
import { useClock } from "../../stores/clock";
import { useHome } from "../../stores/home";
import { Watch } from "../../watch";
import { backTo, orderIn, pay, type Payment } from "../parts/paying";
import { restOf, standingOf, type Order } from "../parts/standing";
import { useTill } from "../parts/till";
import { chosenWay, waysOf, type Channel } from "../parts/ways";

const UNPAID = "还没有查到付款。刚付完的请等几秒再点一次，不要重复付款；没付的可以继续付。";
const ENDS = { cancelled: "还没有付款。时间到之前都可以再付。", failed: "微信没有打开付款。请再试一次，或换一种支付方式。" };
const TRANSFER = "bank_transfer";
const LATELY = 2_000; // until the training is open after the payment, which is a matter of moments

/** One order: how it stands, paying it, asking whether the money came, and what comes next. `leave` goes to a
 * provider's page. The page calls `show` and `hide` as it is seen and no longer seen. */
export function useOrder(leave: (url: string) => void) {
  const home = useHome().home;
  const id = ref("");
  const wish = ref("");
  const code = shallowRef<Payment | null>(null); // the code that is shown
  const said = ref(""); // what became of the last try
  const payerName = ref(""); // in whose name a transfer will come
  const otherwise = ref(false); // a transfer is waited for, and another way is looked for
  const gaveUp = ref(false); // to pay otherwise: a new order follows
  let begun = false; // the person may be paying just now
  let asked = 0;
  let waiting: Watch<Order> | null = null;
  let opening: Watch<true> | null = null;

  async function heard(question: () => Promise<Order>): Promise<Order> {
    const at = Date.now();
    const answer = await question();
    useClock().hear(answer.server_now, at);
    return answer;
  }

  const order = useAsk(() => heard(() => api.call("get", "/api/v1/orders/{order_id}", { path: { order_id: id.value }, query: { client: channel } })));
  const standing = computed(() => (order.data ? standingOf(order.data) : null));
  /** Once it waits for a transfer, the others while they are offered. */
  const ways = computed(() => waysOf(order.data?.channels ?? []).filter((each) => !(order.data?.transfer && each.channel === TRANSFER)));
  const way = computed(() => chosenWay(ways.value, wish.value));

  /** Ask now, and for some time often: something has happened. */
  function look(): void {
    asked = 0;
    waiting?.start();
  }

  function open(orderId: string): void {
    waiting?.stop();
    id.value = orderId;
    waiting = new Watch<Order>({
      timers,
      async ask() {
        await order.run();
        if (order.data === null || order.trouble !== null) throw order.trouble;
        return order.data;
      },
      told: (answer) => restOf(answer, begun, (asked += 1)),
      failed: () => undefined, // `order.trouble` is shown
    });
    waiting.start();
  }

  const check = useAct(async (quiet: boolean) => {
    said.value = "";
    begun = true;
    const answer = await heard(() => api.call("post", "/api/v1/orders/{order_id}/check", { path: { order_id: id.value }, query: { client: channel } }, { retries: 1 }));
    order.take(answer);
    if (answer.status === "pending" && !quiet) said.value = answer.transfer ? answer.sentence : UNPAID; // a platform knows nothing of a transfer
    look();
  });

  const paying: Act<[boolean]> = useAct(
    async (authorised: boolean) => {
      if (!way.value) return;
      said.value = "";
      check.clear();
      const payer_name = way.value.channel === TRANSFER ? payerName.value.trim() : undefined;
      if (payer_name !== undefined && payer_name.length < 2) return paying.refuse({ payer_name: "请填写付款账户的户名。" });
      const ports = {
        start: (by: Channel) => api.call("post", "/api/v1/orders/{order_id}/payments", { path: { order_id: id.value }, body: { channel: by, client: channel, payer_name } }),
        authorise: async (programme: string) => (await api.call("post", "/api/v1/wechat/authorise", { body: { programme, back: backTo(id.value) } })).url,
        wechatPay,
        leave,
      };
      const { end, ...rest } = await pay(way.value.channel, ports, authorised);
      if (end === "told") return order.renew();
      begun = true;
      if (end === "code" && "payment" in rest) code.value = rest.payment;
      else if (end === "cancelled" || end === "failed") said.value = ENDS[end];
      if (end === "done") await check.run(false);
      else look();
    },
    (trouble) => {
      look(); // paid meanwhile, or over: the order says it
      return trouble instanceof Problem && trouble.code === "order_paid";
    },
  );

  /** Back from WeChat's page that says whose WeChat this is: go on paying. */
  const authorising = useAct(async (proof: { code: string; state: string }) => {
    const { back } = await api.call("post", "/api/v1/wechat/authorised", { body: proof });
    const orderId = orderIn(back);
    if (orderId === null) return;
    open(orderId);
    await order.run();
    wish.value = "wechat_jsapi";
    if (way.value?.channel === wish.value) await paying.run(true);
  });

  /** Nothing was transferred: the order ends, and `gaveUp` says that another one is wanted. */
  const givingUp = useAct(async () => {
    order.take(await heard(() => api.call("post", "/api/v1/orders/{order_id}/give-up-transfer", { path: { order_id: id.value }, query: { client: channel } }, { retries: 1 })));
    gaveUp.value = true;
    look();
  }, () => {
    look(); // paid, or money came: the order says it
    return false;
  });

  /** Make the order again; `fresh.id` stays null where it is not known any more of what it was made. */
  const anew = useAct(async (fresh: { id: string | null }) => {
    fresh.id = await useTill().again(id.value);
  });

  /** What to do next, once it is paid: the training's step, as the first screen has it. */
  const training = computed(() => home.data?.trainings.find(({ order_id }) => order_id === id.value));
  const step = computed(() => (training.value ? stepOf(training.value) : null));

  function openTraining(): void {
    opening ??= new Watch<true>({
      timers,
      async ask() {
        await home.run();
        if (home.trouble !== null) throw home.trouble;
        return true;
      },
      told: () => (training.value?.next.code === "wait_payment" || training.value?.next.code === "pay" ? LATELY : null),
      failed: () => undefined, // the way to the first screen is there all the same
    });
    opening.start();
  }

  watch(standing, (now) => {
    if (now !== "payable" && now !== "transfer") code.value = null;
    if (now !== "transfer") otherwise.value = false;
    if (now === "paid") openTraining();
  });
  watch(ways, (now) => {
    if (now.length || !otherwise.value) return; // the others' time is over: what is left is the transfer
    otherwise.value = false;
    code.value = null;
  });
  watch(online, (back) => back && waiting?.start());
  function show(): void {
    waiting?.start();
    opening?.start();
  }

  function hide(): void {
    waiting?.rest();
    opening?.rest();
  }
  onScopeDispose(() => {
    waiting?.stop();
    opening?.stop();
  });

  return { id, order, standing, ways, way, wish, payerName, otherwise, gaveUp, code, said, check, paying, authorising, givingUp, anew, training, step, open, look, show, hide };
}
