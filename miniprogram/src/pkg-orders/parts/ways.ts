/** The ways to pay as they are shown. */

import type { Input, Output } from "../../api/calls";

export type Channel = Input<"/api/v1/orders/{order_id}/payments", "post">["body"]["channel"];

export interface Way {
  channel: Channel;
  title: string;
  /** On the button that pays by it. */
  button: string;
  /** What to do with the code that it gives; on a phone, which cannot scan itself. */
  scan?: string;
  scanOnPhone?: string;
}

const WAYS: readonly Way[] = [
  { channel: "wechat_jsapi", title: "微信支付", button: "微信支付" },
  { channel: "wechat_native", title: "微信扫码", button: "显示微信付款码", scan: "用手机微信“扫一扫”，扫码付款", scanOnPhone: "用另一部手机的微信“扫一扫”，扫这个码付款" },
  { channel: "alipay_wap", title: "支付宝", button: "去支付宝付款" },
  { channel: "alipay_qr", title: "支付宝扫码", button: "显示支付宝付款码", scan: "用手机支付宝“扫一扫”，扫码付款", scanOnPhone: "用另一部手机的支付宝“扫一扫”，扫这个码付款" },
  { channel: "unionpay_b2c", title: "银行卡（银联）", button: "去银联付款" },
  { channel: "bank_transfer", title: "对公转账", button: "对公转账" },
];

export type Place = Output<"/api/v1/orders/{order_id}", "get">["elsewhere"][number];

/** What to do at each place where WeChat pays, while it does not here. */
export const PLACES: Record<Place, string> = {
  wechat: "在微信里付：复制网址，发给微信的“文件传输助手”，点开后用微信支付。",
  mini_program: "在小程序里付：打开本平台的微信小程序，登录后在“订单”里支付。",
  computer: "在电脑上付：在电脑上打开这个网址登录，用手机微信扫屏幕上的付款码。",
};

/** Those that the server offers here, in its order; one that this version does not know is left out. */
export function waysOf(channels: readonly string[]): Way[] {
  return channels.flatMap((channel) => WAYS.find((way) => way.channel === channel) ?? []);
}

/** The way that stands chosen: the person's, while it is offered; otherwise the server's first. */
export function chosenWay(ways: readonly Way[], wish: string): Way | undefined {
  return ways.find(({ channel }) => channel === wish) ?? ways[0];
}
