/** A bank transfer as the order's screen tells of it. */

import { yuan } from "./money";
import type { Order } from "./standing";

export type Told = NonNullable<Order["transfer"]>;

/** A line of what is written on a transfer; `copied` is what a bank's form takes. */
export interface Copy {
  name: string;
  shown: string;
  copied: string;
  note?: string;
}

/** What is written on the transfer: the code first, which nobody may forget. Where a part came, the rest is asked for. */
export function toCopy({ code, code_shown, account_name, account_number, bank, missing_fen }: Told): Copy[] {
  return [
    { name: "附言码", shown: code_shown, copied: code, note: "一定要写在转账的附言（用途、备注）里，不写就对不上账。" },
    { name: "收款户名", shown: account_name, copied: account_name },
    { name: "收款账号", shown: account_number.replace(/(.{4})(?=.)/g, "$1 "), copied: account_number },
    { name: "开户行", shown: bank, copied: bank },
    { name: "转账金额", shown: yuan(missing_fen), copied: yuan(missing_fen).replace(/[¥,]/g, "") },
  ];
}

/** What comes next, in the order in which it is done. */
export function stepsOf({ payer_name, last_day }: Told): string[] {
  return [
    `用“${payer_name}”名下的银行账户转账，金额一分不差，附言里写附言码。`,
    `${dayText(last_day)}以前要到账。`,
    "财务按银行对账单核对，核对后这里自动变成“已支付”。可以先关掉本页，以后在“我的订单”里看。",
  ];
}

/** "2026年1月16日" of a day of the server's. */
function dayText(day: string): string {
  const [year, month, date] = day.split("-").map(Number);
  return `${year}年${month}月${date}日`;
}
