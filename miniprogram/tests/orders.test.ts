import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { effectScope, type EffectScope } from "vue";
import { afterEach, beforeEach, test, vi } from "vitest";

import { Problem } from "../src/api/errors";
import { isAllowed } from "../src/device/leave";
import { landing } from "../src/landing";
import { stillOpens } from "../src/pkg-orders/parts/invoices";
import { yuan } from "../src/pkg-orders/parts/money";
import { pay, type Payment, type PayingPorts } from "../src/pkg-orders/parts/paying";
import { refundText, restOf, standingOf, type Order } from "../src/pkg-orders/parts/standing";
import { stepsOf, toCopy } from "../src/pkg-orders/parts/transfer";
import { useTill } from "../src/pkg-orders/parts/till";
import { chosenWay, waysOf } from "../src/pkg-orders/parts/ways";
import { useOrder } from "../src/pkg-orders/order/use-order";
import type { RequestOptions } from "../src/platform";
import { useSession } from "../src/stores/session";
import { Device, problem, type Reply } from "./device";
import { problem as refusal } from "./server";
import { settled } from "./time";

const ID = "6avdc00000000000";
const NOW = Date.parse("2026-01-16T06:00:00Z");
const CALL = { appId: "a", timeStamp: "1", nonceStr: "n", package: "prepay_id=1", signType: "RSA", paySign: "s" };

const order: Order = {
  id: ID, status: "pending", status_text: "待支付", sentence: "", programme_title: "", contact: "", amount_fen: 20_000, lines: [],
  created_at: "2026-01-16T14:00:00+08:00", server_now: "2026-01-16T14:00:00+08:00", expires_at: "2026-01-16T14:30:00+08:00",
  seconds_left: 1800, paid_at: null, channels: ["wechat_native", "alipay_qr"], elsewhere: [], transfer: null, no_channel: null, refunds: [],
};
const payment: Payment = {
  order_id: ID, channel: "wechat_native", kind: "qr", code_url: "weixin://pay", qr_svg: null, jsapi: null, redirect_url: null,
  amount_fen: 20_000, expires_at: order.expires_at, transfer: null, seconds_left: 1800, server_now: order.server_now,
};

/** The server, as far as one order goes: how it stands, and what was asked. */
class Till {
  readonly asked: string[] = [];
  readonly sent: string[] = [];
  order: Order = { ...order };
  payment: Reply = { statusCode: 200, data: payment };
  givenUp: Reply | null = null;
  down = false;
  private onTheWay = 0;

  request = (options: RequestOptions): void => {
    const what = `${options.method} ${options.url.replace("/api/v1", "").replace(/\?.*/, "").replace(ID, "1")}`;
    this.asked.push(what);
    if (options.data) this.sent.push(options.data);
    if (what === "GET /orders/1") {
      this.onTheWay += 1;
      assert.equal(this.onTheWay, 1, "two questions at once");
    }
    setTimeout(() => {
      if (what === "GET /orders/1") this.onTheWay -= 1;
      const reply = this.down ? { errMsg: "request:fail" } : this.answer(what);
      if ("statusCode" in reply) options.success({ data: undefined, ...reply });
      else options.fail(reply);
    }, 40);
  };

  count(what: string): number {
    return this.asked.filter((one) => one === what).length;
  }

  private answer(what: string): Reply {
    const server_now = new Date(Date.now()).toISOString();
    if (what === "GET /orders/1" || what === "POST /orders/1/check") return { statusCode: 200, data: { ...this.order, server_now } };
    if (what === "POST /orders/1/payments") return this.payment;
    if (what === "POST /orders/1/give-up-transfer") return this.givenUp ?? problem(409, "transfer_came");
    if (what === "POST /wechat/authorise") return { statusCode: 200, data: { url: "https://open.weixin.qq.com/connect" } };
    if (what === "POST /wechat/authorised") return { statusCode: 200, data: { back: `/?order=${ID}` } };
    if (what === "GET /home") return { statusCode: 200, data: { trainings: [], server_now, me: {} } };
    if (what === "POST /checkout") return { statusCode: 200, data: { order_id: ID, status: "pending", amount_fen: 20_000, expires_at: order.expires_at } };
    return problem(404, "not_found");
  }
}

let till: Till;
let scope: EffectScope;
let left: string[];

beforeEach(() => {
  vi.useFakeTimers({ now: NOW });
  new Device();
  till = new Till();
  left = [];
  Object.assign(uni, { request: till.request });
  setActivePinia(createPinia());
  useSession().begin({ token: "t1", next: "home" });
  scope = effectScope();
});
afterEach(() => {
  scope.stop();
  vi.useRealTimers();
});

async function pass(seconds: number): Promise<void> {
  for (let step = 0; step < seconds * 10; step++) {
    await settled();
    vi.advanceTimersByTime(100);
  }
  await settled();
}

async function opened() {
  const screen = scope.run(() => useOrder((url) => left.push(url)));
  assert.ok(screen);
  screen.open(ID);
  await pass(0.2);
  return screen;
}

// --- choosing ------------------------------------------------------------------------------------------------------

test("offered is what the server offers, in its order; an unknown way is left out, and a wish holds while it is offered", () => {
  const ways = waysOf(["alipay_wap", "carrier_pigeon", "wechat_jsapi"]);
  assert.deepEqual(ways.map(({ channel }) => channel), ["alipay_wap", "wechat_jsapi"]);
  assert.equal(chosenWay(ways, "")?.channel, "alipay_wap");
  assert.equal(chosenWay(ways, "wechat_jsapi")?.channel, "wechat_jsapi");
  assert.equal(chosenWay(ways, "wechat_native")?.channel, "alipay_wap");
  assert.equal(chosenWay([], ""), undefined);
});

test("the screen is about one thing: paying, paying elsewhere, waiting for the end, starting over, what comes next", () => {
  assert.equal(standingOf(order), "payable");
  assert.equal(standingOf({ ...order, channels: [], no_channel: { code: "not_on_iphone", detail: "" } }), "elsewhere");
  assert.equal(standingOf({ ...order, channels: [] }), "closing"); // its time is over, the order not yet closed
  assert.equal(standingOf({ ...order, channels: [], status: "closing" }), "closing");
  assert.equal(standingOf({ ...order, channels: [], status: "closed" }), "closed");
  assert.equal(standingOf({ ...order, channels: [], status: "paid" }), "paid");
});

const told: NonNullable<Order["transfer"]> = {
  code: "ZK123456789", code_shown: "ZK 1234 5678 9", account_name: "考试中心", bank: "某银行", account_number: "53001234567890", amount_fen: 123_450,
  came_fen: 0, missing_fen: 123_450, in_question: false, may_give_up: true, payer_name: "王*", last_day: "2026-01-23",
};
const transferred: Order = { ...order, channels: ["bank_transfer"], transfer: told, expires_at: "2026-01-23T14:00:00+08:00" };

test("an order that waits for a transfer is about the transfer, before and after its last day; a dispute comes first", () => {
  assert.equal(standingOf(transferred), "transfer");
  assert.equal(standingOf({ ...transferred, channels: [], status: "closing" }), "transfer");
  assert.equal(standingOf({ ...transferred, channels: [], no_channel: { code: "payment_disputed", detail: "" } }), "elsewhere");
  assert.equal(standingOf({ ...transferred, status: "paid" }), "paid");
  assert.equal(restOf(transferred, false, 1), 60_000);
});

test("what is copied for a transfer is what a bank's form takes; where a part came, it is the rest", () => {
  const copied = (given: typeof told) => Object.fromEntries(toCopy(given).map((row) => [row.name, row.copied]));
  assert.deepEqual(copied(told), { 附言码: "ZK123456789", 收款户名: "考试中心", 收款账号: "53001234567890", 开户行: "某银行", 转账金额: "1234.50" });
  assert.equal(copied({ ...told, came_fen: 100_000, missing_fen: 23_450 }).转账金额, "234.50");
  assert.equal(toCopy(told)[2]?.shown, "5300 1234 5678 90");
  assert.match(stepsOf(told).join(), /王\*.*2026年1月23日/);
});

test("money is written in yuan, with both of its decimals", () => {
  assert.deepEqual([0, 5, 20_000, 123_456_789, -150].map(yuan), ["¥0.00", "¥0.05", "¥200.00", "¥1,234,567.89", "-¥1.50"]);
});

test("no page is opened but one of ours, or another's over https; a stand-in on this machine only from this machine", () => {
  const live = "https://study.example";
  for (const good of ["/pay/go/abc.def", "https://openapi.alipay.com/gateway.do?x=1", "https://open.weixin.qq.com/connect#wechat_redirect"]) assert.ok(isAllowed(good, live), good);
  const bad = ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/\\evil.example", "http://openapi.alipay.com/", "https://us@evil.example", "weixin://dl", " https://a.example", "https:evil", "", "http://127.0.0.1:8001/gateway.do", "http://localhost.evil.example/"];
  for (const url of bad) assert.equal(isAllowed(url, live), false, url);
  assert.ok(isAllowed("http://127.0.0.1:8001/gateway.do?a=b", "http://127.0.0.1:8000"));
  assert.equal(isAllowed("http://127.0.0.1.evil.example/", "http://127.0.0.1:8000"), false);
});

test("a link to an invoice that has grown old is not opened", () => {
  assert.ok(stillOpens(NOW, NOW + 7 * 60_000));
  assert.equal(stillOpens(NOW, NOW + 9 * 60_000), false);
  assert.equal(stillOpens(NOW, NOW - 1), false); // the phone's clock was set back
});

// --- asking --------------------------------------------------------------------------------------------------------

test("an order is asked about often while it may be paid, then less often, and never once it is settled", () => {
  assert.equal(restOf(order, false, 1), 15_000);
  assert.equal(restOf(order, true, 1), 3_000);
  assert.equal(restOf(order, true, 30), 8_000);
  assert.equal(restOf({ ...order, channels: [], status: "closing" }, false, 1), 3_000);
  for (const status of ["paid", "closed"]) assert.equal(restOf({ ...order, status }, true, 1), null);
});

test("while the code is shown the order is asked about, and the money is seen without a click", async () => {
  const screen = await opened();
  void screen.paying.run(false);
  await pass(0.5);
  assert.equal(screen.code.value?.code_url, "weixin://pay");
  till.order = { ...order, status: "paid", channels: [], paid_at: order.server_now };
  await pass(4);
  assert.equal(screen.standing.value, "paid");
  assert.equal(screen.code.value, null);
  const asked = till.count("GET /orders/1");
  await pass(120);
  assert.equal(till.count("GET /orders/1"), asked); // it is over
});

test("a screen that is not seen asks nothing, and asks at once when it is seen again", async () => {
  const screen = await opened();
  void screen.paying.run(false);
  await pass(1);
  screen.hide();
  await pass(0.2);
  const asked = till.count("GET /orders/1");
  await pass(300);
  assert.equal(till.count("GET /orders/1"), asked);
  screen.show();
  await pass(0.2);
  assert.equal(till.count("GET /orders/1"), asked + 1);
});

test("while nothing answers it is asked less and less often, and what was known stays on the screen", async () => {
  const screen = await opened();
  void screen.paying.run(false);
  await pass(1);
  till.down = true;
  await pass(10);
  const before = till.count("GET /orders/1");
  await pass(120);
  const calls = till.count("GET /orders/1") - before;
  assert.ok(calls >= 6 && calls <= 24, String(calls)); // three tries a question, at most every 20 s
  assert.ok(screen.order.trouble);
  assert.equal(screen.order.data?.id, ID);
  till.down = false;
  await pass(30);
  assert.equal(screen.order.trouble, null);
});

test("a page that is gone asks nothing any more", async () => {
  await opened();
  scope.stop();
  const asked = till.asked.length;
  await pass(120);
  assert.equal(till.asked.length, asked);
});

test("'I have paid' asks the provider at once, and says what to do while the money is not seen", async () => {
  const screen = await opened();
  void screen.check.run(false);
  await pass(0.3);
  assert.equal(till.count("POST /orders/1/check"), 1);
  assert.match(screen.said.value, /再点一次/);
  assert.doesNotMatch(screen.said.value, /天/); // nobody is told to wait for days
  till.order = { ...order, status: "paid", channels: [] };
  void screen.check.run(false);
  await pass(0.3);
  assert.equal(screen.standing.value, "paid");
  assert.equal(screen.said.value, "");
});

// --- paying --------------------------------------------------------------------------------------------------------

test("two taps on the button are one payment", async () => {
  const screen = await opened();
  void screen.paying.run(false);
  void screen.paying.run(false);
  await pass(0.5);
  assert.equal(till.count("POST /orders/1/payments"), 1);
});

test("two taps on 'submit' are one order, and starting over needs no typing while the app is open", async () => {
  const body = { enrolment_ids: ["e1"], payer_name: "王强", payer_number: "530" };
  const making = useTill().order(body);
  await pass(0.2);
  assert.equal(await making, ID);
  const again = useTill().again(ID);
  await pass(0.2);
  assert.equal(await again, ID);
  assert.equal(till.count("POST /checkout"), 2);
  assert.equal(await useTill().again("another"), null);
  useSession().ended("t1"); // whoever signs in next finds nothing of it
  assert.equal(await useTill().again(ID), null);
});

function ports(more: Partial<PayingPorts> = {}): PayingPorts & { log: string[] } {
  const log: string[] = [];
  return {
    log,
    start: async (channel) => (log.push(`start ${channel}`), payment),
    authorise: async (programme) => (log.push(`authorise ${programme}`), "https://open.weixin.qq.com/x"),
    wechatPay: async ({ package: prepay }) => (log.push(prepay), "done"),
    leave: (url) => void log.push(`leave ${url}`),
    ...more,
  };
}

test("what is paid by is what the server gave: a code, WeChat's window, or a page", async () => {
  assert.equal((await pay("wechat_native", ports())).end, "code");
  const window = ports({ start: async () => ({ ...payment, code_url: null, jsapi: CALL }) });
  assert.deepEqual([await pay("wechat_jsapi", window), window.log], [{ end: "done" }, ["prepay_id=1"]]);
  const page = ports({ start: async () => ({ ...payment, code_url: null, redirect_url: "/pay/go/x" }) });
  assert.deepEqual([await pay("unionpay_b2c", page), page.log], [{ end: "left" }, ["leave /pay/go/x"]]);
});

test("in WeChat's browser the first payment leads by WeChat's page; where that has not helped it is not asked again", async () => {
  const first = new Problem({ type: "", title: "", status: 409, code: "authorise_wechat_first", detail: "", programme: "yunnan" } as never);
  const asked = ports({ start: async () => Promise.reject(first) });
  assert.deepEqual(await pay("wechat_jsapi", asked), { end: "left" });
  assert.deepEqual(asked.log, ["authorise yunnan", "leave https://open.weixin.qq.com/x"]);
  await assert.rejects(pay("wechat_jsapi", asked, true), first);
  assert.equal(asked.log.length, 2);
  await assert.rejects(pay("wechat_jsapi", ports({ start: () => Promise.reject(refusal("payment_refused", 502)) })), Problem);
});

test("a transfer needs the payer's name first, and then the order's screen is about the transfer", async () => {
  till.order = { ...order, channels: ["bank_transfer", "wechat_native"] };
  const screen = await opened();
  screen.wish.value = "bank_transfer";
  void screen.paying.run(false);
  await pass(0.5);
  assert.ok(screen.paying.fields.payer_name);
  assert.equal(till.count("POST /orders/1/payments"), 0);
  screen.payerName.value = " 王强 ";
  till.payment = { statusCode: 200, data: { ...payment, code_url: null, kind: "transfer", transfer: told } };
  till.order = { ...transferred, channels: ["wechat_native", "bank_transfer"] };
  void screen.paying.run(false);
  await pass(0.5);
  assert.match(till.sent.at(-1) ?? "", /"payer_name":"王强"/);
  assert.equal(screen.standing.value, "transfer");
  assert.deepEqual(screen.ways.value.map(({ channel }) => channel), ["wechat_native"]); // the others, while they are offered
  assert.equal(screen.code.value, null);
});

test("whose other ways end while they look at one is back at the transfer, and no code is left", async () => {
  till.order = { ...transferred, channels: ["wechat_native", "bank_transfer"] };
  const screen = await opened();
  screen.otherwise.value = true;
  void screen.paying.run(false);
  await pass(0.5);
  assert.notEqual(screen.code.value, null);
  till.order = transferred; // the others' time is over
  void screen.order.run();
  await pass(0.5);
  assert.deepEqual([screen.standing.value, screen.ways.value, screen.otherwise.value, screen.code.value], ["transfer", [], false, null]);
});

test("who gives a transfer up waits until the order is closed, and is told when money came meanwhile", async () => {
  till.order = transferred;
  const screen = await opened();
  void screen.givingUp.run();
  await pass(0.5);
  assert.ok(screen.givingUp.trouble instanceof Problem);
  assert.equal(screen.gaveUp.value, false);
  till.order = { ...order, status: "closing", channels: [] };
  till.givenUp = { statusCode: 200, data: { ...till.order, server_now: order.server_now } };
  void screen.givingUp.run();
  await pass(0.5);
  assert.deepEqual([screen.gaveUp.value, screen.standing.value], [true, "closing"]);
  till.order = { ...till.order, status: "closed" };
  await pass(4);
  assert.equal(screen.standing.value, "closed");
});

test("back from WeChat's page the payment goes on by itself, and the server is asked whether the money came", async () => {
  const place = landing(`?wechat=return&code=0a1B-c&state=00112233445566aa`);
  assert.deepEqual(place, { page: "order", query: { code: "0a1B-c", state: "00112233445566aa" } });
  assert.equal(landing("?wechat=return&state=00112233445566aa"), null);
  let paid = 0;
  Object.assign(globalThis, { wx: { requestPayment: (call: { paySign: string; success(): void }) => ((paid += 1), assert.equal(call.paySign, "s"), call.success()) } });
  till.order = { ...order, channels: ["alipay_wap", "wechat_jsapi"] };
  till.payment = { statusCode: 200, data: { ...payment, code_url: null, kind: "jsapi", jsapi: CALL } };
  const screen = scope.run(() => useOrder((url) => left.push(url)));
  assert.ok(screen);
  void screen.authorising.run({ code: "0a1B-c", state: "00112233445566aa" });
  await pass(1);
  assert.equal(screen.id.value, ID);
  assert.equal(paid, 1);
  assert.equal(till.count("POST /wechat/authorised"), 1);
  assert.equal(till.count("POST /orders/1/check"), 1);
  assert.deepEqual(left, []);
});

test("the first time in WeChat's browser the screen goes to WeChat, with the way back to this order", async () => {
  till.payment = problem(409, "authorise_wechat_first", { programme: "yunnan" });
  till.order = { ...order, channels: ["wechat_jsapi"] };
  const screen = await opened();
  void screen.paying.run(false);
  await pass(0.5);
  assert.deepEqual(left, ["https://open.weixin.qq.com/connect"]);
  assert.equal(screen.paying.trouble, null);
});

test("a window that was closed costs nothing: the screen says so and can pay again", async () => {
  Object.assign(globalThis, { wx: { requestPayment: ({ fail }: { fail(error: { errMsg: string }): void }) => fail({ errMsg: "requestPayment:fail cancel" }) } });
  till.order = { ...order, channels: ["wechat_jsapi"] };
  till.payment = { statusCode: 200, data: { ...payment, code_url: null, jsapi: CALL } };
  const screen = await opened();
  void screen.paying.run(false);
  await pass(0.5);
  assert.match(screen.said.value, /还没有付款/);
  assert.equal(screen.paying.busy, false);
  assert.equal(till.count("POST /orders/1/check"), 0);
});

test("paid meanwhile on another device: no complaint, the screen goes on", async () => {
  const screen = await opened();
  till.payment = problem(409, "order_paid");
  till.order = { ...order, status: "paid", channels: [] };
  void screen.paying.run(false);
  await pass(0.5);
  assert.equal(screen.paying.trouble, null);
  assert.equal(screen.standing.value, "paid");
});

test("what was paid twice and went back does not read as if the fee had been refunded", () => {
  const double = { amount_fen: 20_000, reason: "double", status: "succeeded", sentence: "已原路退回。" };
  const agreed = { ...double, amount_fen: 5_000, reason: "agreed" };
  const paid: Order = { ...order, status: "paid", refunds: [double] };
  assert.equal(refundText(paid, double), "多付的 ¥200.00 已原路退回。报名不受影响。");
  const both = { ...paid, refunds: [double, agreed] };
  assert.deepEqual(both.refunds.map((one) => refundText(both, one)), ["多付的 ¥200.00 已原路退回。", "退款 ¥50.00：已原路退回。"]);
  const late = { ...double, reason: "late" };
  assert.equal(refundText({ ...order, status: "closed", refunds: [late] }, late), "退款 ¥200.00：已原路退回。");
});
