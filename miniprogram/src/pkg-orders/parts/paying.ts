import { Problem } from "../../api/errors";
import type { Output } from "../../api/calls";
import type { WechatCall, WechatEnd } from "../../device/wechat-pay";
import type { Channel } from "./ways";

export type Payment = Output<"/api/v1/orders/{order_id}/payments", "post">;

export interface PayingPorts {
  /** POST /orders/{id}/payments. */
  start(channel: Channel): Promise<Payment>;
  /** POST /wechat/authorise: the address of WeChat's page, for an order of this programme. */
  authorise(programme: string): Promise<string>;
  wechatPay(call: WechatCall): Promise<WechatEnd>;
  /** Go to a page that the server named. */
  leave(url: string): void;
}

/** What became of a click on "pay". `left`: another page opens, and comes back to the order.
 * `told`: the order says what to write on a transfer. */
export type Paying = { end: "code"; payment: Payment } | { end: "left" } | { end: "told" } | { end: WechatEnd };

/** Pay by `channel`. In WeChat's browser the first time leads by WeChat's page, which says whose WeChat it is;
 * `authorised`: it has just done so, and is not asked a second time. Rejects with `Problem` or `Unreachable`. */
export async function pay(channel: Channel, ports: PayingPorts, authorised = false): Promise<Paying> {
  let payment: Payment;
  try {
    payment = await ports.start(channel);
  } catch (error) {
    if (authorised || !(error instanceof Problem && error.code === "authorise_wechat_first")) throw error;
    ports.leave(await ports.authorise(String(error.extra.programme)));
    return { end: "left" };
  }
  if (payment.jsapi) return { end: await ports.wechatPay(payment.jsapi) };
  if (payment.redirect_url) {
    ports.leave(payment.redirect_url);
    return { end: "left" };
  }
  return payment.transfer ? { end: "told" } : { end: "code", payment };
}

/** The order in the path that WeChat's authorisation leads back to (`backTo`); null for anything else. */
export function orderIn(path: string): string | null {
  return /^\/\?order=([0-9a-z]{16})$/.exec(path)?.[1] ?? null;
}

/** Where to go on after WeChat's authorisation. */
export function backTo(orderId: string): string {
  return `/?order=${orderId}`;
}
