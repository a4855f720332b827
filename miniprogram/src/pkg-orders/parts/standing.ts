import type { Output } from "../../api/calls";
import { yuan } from "./money";

export type Order = Output<"/api/v1/orders/{order_id}", "get">;

/** What the order's screen is about: paying, a transfer that is waited for, waiting for the end of a time that is over,
 * starting over, the next step after paying, or where to pay instead. */
export type Standing = "payable" | "transfer" | "elsewhere" | "closing" | "closed" | "paid";

export function standingOf(order: Order): Standing {
  if (order.status === "paid" || order.status === "closed") return order.status;
  if (order.no_channel) return "elsewhere";
  if (order.transfer) return "transfer";
  return order.channels.length ? "payable" : "closing";
}

const BRISK = 3_000;
const CALM = 8_000;
const IDLE = 15_000;
const SLOW = 60_000; // a transfer takes days
const PATIENT = 20; // brisk questions: a minute

/** Milliseconds until an open order is asked about again, after `asked` questions since something happened; null once
 * nothing changes any more. `begun`: the person may be paying just now. */
export function restOf(order: Order, begun: boolean, asked: number): number | null {
  if (order.status === "paid" || order.status === "closed") return null;
  if (!begun && standingOf(order) === "transfer") return SLOW;
  if (!begun && standingOf(order) !== "closing") return IDLE;
  return asked < PATIENT ? BRISK : CALM;
}

const TAGS: Record<string, "good" | "warn"> = { paid: "good", pending: "warn", closing: "warn" };

/** The colour of an order's status word. */
export function tagOf({ status }: Order): "good" | "warn" | "plain" {
  return TAGS[status] ?? "plain";
}

/** What a refund of an order comes to. A paid order keeps one payment: what goes back of another one was too much, and
 * takes nothing from the person; only `agreed` is of the one that it keeps. */
export function refundText(order: Order, refund: Order["refunds"][number]): string {
  if (order.status !== "paid" || refund.reason === "agreed") return `退款 ${yuan(refund.amount_fen)}：${refund.sentence}`;
  const whole = order.refunds.every(({ reason }) => reason !== "agreed");
  return `多付的 ${yuan(refund.amount_fen)} ${refund.sentence}${whole ? "报名不受影响。" : ""}`;
}
