"use strict";
const $ = (id) => document.getElementById(id);
const yuan = (fen) => "¥" + (fen / 100).toFixed(2);
const STATES = { NOTPAY: "待付款", SUCCESS: "已付款", CLOSED: "已关闭", REFUND: "有退款" };

function element(tag, text, name) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (name) made.className = name;
  return made;
}

function say(text) {
  $("toast").textContent = text;
  $("toast").hidden = false;
  clearTimeout(say.timer);
  say.timer = setTimeout(() => { $("toast").hidden = true; }, 4000);
}

async function send(method, path, data) {
  const answer = await fetch(path, {
    method,
    headers: { "Content-Type": "application/json" },
    body: data === undefined ? undefined : JSON.stringify(data),
  });
  const body = answer.status === 204 ? {} : await answer.json();
  if (!answer.ok) throw new Error(body.message || body.code || "没有成功");
  return body;
}

async function attempt(work, done) {
  try {
    const result = await work();
    if (done) say(done);
    await refresh();
    return result;
  } catch (error) {
    say(error.message);
    return null;
  }
}

const isAlipay = (code) => code.startsWith("https://qr.alipay.com/");

const PROVIDERS = { wechatpay: "微信", alipay: "支付宝", unionpay: "银联" };

function pay(code, provider = isAlipay(code) ? "alipay" : "wechatpay") {
  const wechat = code.startsWith("weixin:") ? { code_url: code } : code.startsWith("wx") ? { prepay_id: code } : { out_trade_no: code };
  const body = { wechatpay: wechat, alipay: { code }, unionpay: { out_trade_no: code } }[provider];
  return attempt(() => send("POST", `/_control/${provider}/pay`, body), "付款成功");
}

function list(id, items, draw, empty) {
  // drawn anew only when something changed, so that focus and selection stay
  const text = JSON.stringify(items);
  if ($(id).dataset.seen === text) return;
  $(id).dataset.seen = text;
  $(id).replaceChildren(...(items.length ? items.map(draw) : [element("li", empty, "empty")]));
}

function orderRow(order) {
  const row = element("li");
  const top = element("div", undefined, "top");
  top.append(element("span", order.description), element("span", yuan(order.total), "money"));
  const payable = order.state === "NOTPAY";
  const when = payable ? (order.expired ? "已过付款时间" : order.until + " 前付款") : STATES[order.state];
  row.append(top, element("small", `${PROVIDERS[order.provider]} · ${order.at} 下单，${when}`), element("small", order.out_trade_no));
  if (payable) {
    const button = element("button", `付款 ${yuan(order.total)}`, "good");
    button.onclick = () => pay(order.code || order.out_trade_no, order.provider);
    row.append(button);
  }
  return row;
}

function smsRow(message) {
  const row = element("li", message.text);
  row.append(element("small", `${message.phone} · ${message.at}`));
  return row;
}

function toldRow(message) {
  const row = element("li", message.text);
  row.append(element("small", `${message.template} · ${message.at}`));
  return row;
}

function codeRow(code) {
  const row = element("li", `${code.page}?scene=${code.scene}`);
  row.append(element("small", `${code.at} 生成`));
  return row;
}

function checkRow(check) {
  const row = element("li", `${check.name} 正在刷脸核验`);
  row.append(element("small", `${check.at} 发起`));
  for (const [outcome, label, kind] of [["pass", "通过", "good"], ["fail", "不通过", "bad"], ["other", "换一个人", "plain"]]) {
    const button = element("button", label, kind);
    button.onclick = () => attempt(
      () => send("POST", "/_control/baidu/faceprint", { token: check.token, outcome }), "已回答");
    row.append(button, " ");
  }
  return row;
}

function knobRow(knob) {
  const value = knob.value === null ? "" : " = " + JSON.stringify(knob.value);
  return element("li", `${knob.provider}.${knob.operation}: ${knob.kind}${value}（${knob.times === null ? "一直" : "还有 " + knob.times + " 次"}）`);
}

async function refresh() {
  const state = await (await fetch("/_phone/state")).json();
  list("unpaid", state.orders.filter((o) => o.state === "NOTPAY"), orderRow, "没有待付款的订单");
  list("others", state.orders.filter((o) => o.state !== "NOTPAY"), orderRow, "还没有");
  list("sms", state.messages, smsRow, "还没有短信");
  list("told", state.told, toldRow, "还没有");
  list("codes", state.codes, codeRow, "还没有");
  list("checks", state.checks, checkRow, "没有人在等");
  list("knobs", state.knobs, knobRow, "一切正常");
}

function fill(select, values) {
  select.replaceChildren(...values.map((value) => element("option", value)));
}

function troubleForm() {
  const form = $("trouble");
  const kinds = JSON.parse(form.dataset.kinds);
  const { provider, operation, kind } = form.elements;
  const kindsOf = () => fill(kind, kinds[provider.value][operation.value]);
  const operationsOf = () => { fill(operation, Object.keys(kinds[provider.value])); kindsOf(); };
  fill(provider, Object.keys(kinds));
  operationsOf();
  provider.onchange = operationsOf;
  operation.onchange = kindsOf;
  form.onsubmit = (event) => {
    event.preventDefault();
    const text = form.elements.value.value.trim();
    let value = null;
    if (text) { try { value = JSON.parse(text); } catch { value = text; } }
    const times = form.elements.times.value ? Number(form.elements.times.value) : null;
    attempt(() => send("POST", "/_knobs",
      { provider: provider.value, operation: operation.value, kind: kind.value, value, times }), "故障已打开");
  };
  $("calm").onclick = () => attempt(() => send("DELETE", "/_knobs"), "故障已关闭");
}

$("scan").onsubmit = (event) => {
  event.preventDefault();
  pay(event.target.elements.code.value.trim()).then((done) => { if (done) event.target.reset(); });
};
$("face").onsubmit = (event) => {
  event.preventDefault();
  $("portrait").src = "/_control/face.jpg?id_number=" + encodeURIComponent(event.target.elements.id_number.value.trim());
  $("portrait").hidden = false;
};
$("login").onsubmit = (event) => {
  event.preventDefault();
  const openid = event.target.elements.openid.value.trim();
  attempt(() => send("POST", "/_control/wechat/login_code", openid ? { openid } : {}))
    .then((made) => { if (made) $("code").textContent = `code: ${made.code}  openid: ${made.openid}`; });
};
troubleForm();
refresh();
setInterval(() => { if (!document.hidden) refresh().catch(() => say("模拟手机没有回应")); }, 2000);
