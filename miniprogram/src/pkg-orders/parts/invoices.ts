import type { Output } from "../../api/calls";

export type Invoice = Output<"/api/v1/invoices", "get">["invoices"][number];

const WORDS: Record<Invoice["state"], { text: string; kind: "plain" | "good" | "warn" | "bad" }> = {
  requestable: { text: "可申请", kind: "plain" },
  planned: { text: "待开具", kind: "plain" },
  held: { text: "核对中", kind: "warn" },
  late: { text: "加急处理", kind: "warn" },
  problem: { text: "处理中", kind: "warn" },
  correcting: { text: "更正中", kind: "warn" },
  cancelled: { text: "不开具", kind: "plain" },
  ready: { text: "已开具", kind: "good" },
};

/** How an invoice stands, in a word and a colour. */
export function wordOf({ state }: Pick<Invoice, "state">): { text: string; kind: "plain" | "good" | "warn" | "bad" } {
  return WORDS[state];
}

const GOOD = 8 * 60_000; // the server's links live ten minutes

/** Whether a link that came at `at` still opens at `now` (milliseconds). */
export function stillOpens(at: number, now: number): boolean {
  return now - at >= 0 && now - at < GOOD;
}
