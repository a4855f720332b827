// The trainings of the person: where each stands, its one next step, signing up, checking out and paying.
import { $, api, busy, button, element, onSubmit, say, show, signedIn, yuan } from "./screen.js";

const PHONE_STEPS = {
  photo: "在手机端刷脸确认是您本人，再上传一寸照片。",
  study: "在手机端看课，不能快进；学到 100% 就能考试。",
  exam: "在手机端考试：备好安静的地方和稳定的网络，开考后不要退出。",
  wait_payment: "不用再付款，开通后这里会自动显示。",
  wait_proof: "不用操作，证明出具后这里会自动显示。",
};
const EVERY = 5000;
const PAY_EVERY = 3000;
let timer = null;
let clock = null;
let drawn = "";
let current = null; // the order on the payment pane

export function leave() {
  clearTimeout(timer);
  clearInterval(clock);
  timer = clock = current = null;
  drawn = "";
}

function later(action, milliseconds) {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    if (document.hidden) {
      later(action, milliseconds);
      return;
    }
    try {
      await action();
    } catch (error) {
      say(error.message);
      if (!signedIn()) {
        leave();
        show("log-in");
      } else later(action, milliseconds);
    }
  }, milliseconds);
}

// --- the first screen ---------------------------------------------------------------------------------------------

export async function refresh() {
  leavePayment();
  await draw();
  show("state");
}

async function draw() {
  const [home, signed] = [
    await api("GET", "/api/v1/home"),
    await api("GET", `/api/v1/sign-ups?programme=${encodeURIComponent(sessionStorage.getItem("programme"))}`),
  ];
  $("refreshed").textContent = `更新于 ${home.server_now.slice(11, 16)}，自动更新。`;
  const state = JSON.stringify([home.me, home.trainings, signed]);
  // drawn anew only when something changed, so that the focus stays where it is
  if (state !== drawn) {
    drawn = state;
    person(home.me);
    $("trainings").replaceChildren(...home.trainings.map(trainingCard));
    const open = signed.offers.filter((offer) => !offer.enrolment_id && notDone(offer));
    $("offers").replaceChildren(...notices(signed, home), ...open.map(offerCard));
  }
  later(draw, EVERY);
}

const notDone = (offer) => !offer.refusal || offer.refusal.code !== "already_completed";

function person(me) {
  $("my-name").textContent = me.name;
  $("my-number").textContent = me.id_number || "";
  $("my-phone").textContent = me.phone || "未登记手机";
  $("my-photo").textContent = me.photo ? "头像已核验" : "还没有头像";
  $("my-photo").classList.toggle("good", me.photo);
}

function notices(signed, home) {
  return signed.notice && !home.trainings.length ? [element("p", signed.notice.sentence, "warning")] : [];
}

function certificate(number) {
  const line = element("p", "证书编号 ", "hint");
  line.append(element("span", number, "whole"));
  return line;
}

function offerCard(offer) {
  const card = element("article", undefined, "card");
  card.append(element("h2", offer.kind_title), certificate(offer.certificate_no));
  if (offer.expires_on) card.append(element("p", `有效期至 ${offer.expires_on}`, "hint"));
  const hint = offer.refusal || offer.warning;
  if (hint) card.append(element("p", hint.sentence, "warning"));
  if (!offer.refusal) {
    const made = button("报名继续教育", () => signUp(offer.roster_entry_id));
    made.setAttribute("aria-label", `为${offer.kind_title}报名继续教育`);
    card.append(made);
  }
  return card;
}

async function signUp(entry) {
  await api("POST", "/api/v1/sign-ups", { roster_entry_ids: [entry] });
  await refresh();
  say("报名成功，下一步是缴费。", true);
}

function trainingCard(training) {
  const card = element("article", undefined, "card");
  const head = element("div", undefined, "head");
  const title = element("div");
  title.append(element("h2", training.kind), certificate(training.certificate_no), element("p", training.title, "hint"));
  const done = training.status === "completed" || training.status === "passed";
  head.append(title, element("p", training.status_text, done ? "tag good" : "tag"));
  card.append(head, stages(training.stages));
  if (training.warning) card.append(element("p", training.warning, "warning"));
  card.append(nextStep(training));
  if (training.status !== "signed_up") card.append(...progress(training));
  return card;
}

function stages(list) {
  const made = element("ol", undefined, "stages");
  const now = list.findIndex((stage) => !stage.done);
  list.forEach((stage, at) => {
    const item = element("li", stage.title, stage.done ? "done" : "");
    item.append(element("span", stage.done ? "，已完成" : "，未完成", "unseen"));
    if (at === now) item.setAttribute("aria-current", "step");
    made.append(item);
  });
  return made;
}

function nextStep(training) {
  const box = element("div", undefined, "next");
  const { code, text } = training.next;
  const actions = {
    checkout: () => openCheckout(training),
    pay: () => openPayment(training.order_id),
    proof: () => openProof(training.enrolment_id),
  };
  if (actions[code]) {
    box.append(button(text, actions[code]));
  } else {
    const line = element("p", "下一步：");
    line.append(element("b", text));
    box.append(line);
    if (PHONE_STEPS[code]) box.append(element("p", PHONE_STEPS[code]));
  }
  if (code === "expired") box.append(contact(training.contact));
  return box;
}

function contact(number) {
  const line = element("p", "客服电话 ");
  const link = element("a", number);
  link.href = `tel:${number.split(" ")[0]}`;
  line.append(link);
  return line;
}

function fact(value, label) {
  const box = element("div");
  box.append(element("b", value), element("span", label));
  return box;
}

function progress(training) {
  const bar = element("progress");
  bar.max = 100;
  bar.value = training.percent;
  bar.setAttribute("aria-label", "学习进度");
  const facts = element("div", undefined, "facts");
  facts.append(fact(`${training.percent}%`, `已学 ${training.lessons_done}/${training.lessons} 课`));
  if (training.days_left !== null) facts.append(fact(`${training.days_left} 天`, "学习期还剩"));
  for (const subject of training.subjects) {
    const score = subject.best_score === null ? "未考" : `${subject.best_score} 分`;
    const name = training.subjects.length > 1 ? `${subject.title}：` : "";
    facts.append(fact(score, `${name}${subject.passed ? "考试合格" : "考试最高分"}`));
    if (!subject.passed && subject.attempts_left !== null) facts.append(fact(`${subject.attempts_left} 次`, `${name}还可以考`));
  }
  const rest = [bar, facts];
  if (training.proof_number) rest.push(element("p", `证明编号 ${training.proof_number}`, "hint"));
  return rest;
}

async function openProof(enrolment) {
  const proof = await api("GET", `/api/v1/enrolments/${enrolment}/proof`);
  location.assign(proof.pdf_url);
}

// --- checking out -------------------------------------------------------------------------------------------------

async function openCheckout(training) {
  leave();
  const [home, { enrolments }] = [await api("GET", "/api/v1/home"), await api("GET", "/api/v1/enrolments")];
  const open = new Set(home.trainings.filter((other) => other.next.code === "checkout").map((other) => other.enrolment_id));
  const chosen = enrolments.find((row) => row.id === training.enrolment_id);
  const rows = enrolments.filter((row) => open.has(row.id) && row.programme === chosen.programme);
  $("choices").replaceChildren(...rows.map((row) => choice(row, row.id === chosen.id)));
  const price = () => {
    const count = $("choices").querySelectorAll(":checked").length;
    $("fee").textContent = count === 1 && chosen.fee_fen !== null
      ? `费用 ${yuan(chosen.fee_fen)}` : "合计费用在下一步显示。";
  };
  $("choices").onchange = price;
  price();
  show("checkout");
}

function choice(row, checked) {
  const label = element("label", undefined, "tick box");
  const box = element("input");
  box.type = "checkbox";
  box.name = "enrolment";
  box.value = row.id;
  box.checked = checked;
  const text = element("span", row.kind_title);
  text.append(certificate(row.certificate_no));
  label.append(box, text);
  return label;
}

onSubmit("checkout", async (data) => {
  const ids = [...$("choices").querySelectorAll(":checked")].map((box) => box.value);
  if (!ids.length) throw new Error("请至少勾选一本证书。");
  const body = { enrolment_ids: ids, payer_name: data.payer_name.trim(), payer_number: data.payer_number.replace(/\s/g, "").toUpperCase() };
  const order = await api("POST", "/api/v1/checkout", body);
  $("checkout").reset();
  await openPayment(order.order_id);
});

// --- paying -------------------------------------------------------------------------------------------------------

async function openPayment(id) {
  leave();
  const order = await api("GET", `/api/v1/orders/${id}`);
  if (order.status === "paid") {
    await arrived();
    return;
  }
  if (!order.channels.includes("wechat_native")) {
    throw new Error("这个订单现在不能用微信付款，请返回重新提交订单，或联系培训中心。");
  }
  const payment = await api("POST", `/api/v1/orders/${id}/payments`, { channel: "wechat_native" });
  current = id;
  $("pay-for").textContent = order.lines.map((line) => line.title).join("、");
  $("amount").textContent = yuan(payment.amount_fen);
  $("qr").src = payment.qr_svg;
  countDown(payment.seconds_left);
  show("pay");
  watchPayment();
}

function countDown(seconds) {
  const until = performance.now() + seconds * 1000;
  clearInterval(clock);
  const tick = () => {
    const rest = Math.max(0, Math.round((until - performance.now()) / 1000));
    const text = `${Math.floor(rest / 60)} 分 ${String(rest % 60).padStart(2, "0")} 秒`;
    $("left").textContent = rest ? `请在 ${text} 内付款，付款后本页会自动更新。` : "已超过支付时间，请不要再付款；已付款的点“我已支付”。";
    $("qr").classList.toggle("over", !rest);
  };
  tick();
  clock = setInterval(tick, 1000);
}

function watchPayment() {
  const order = current;
  later(async () => {
    const answer = await api("GET", `/api/v1/orders/${order}`);
    if (order === current) await told(answer);
  }, PAY_EVERY);
}

async function told(order) {
  if (order.status === "paid") await arrived();
  else if (order.status === "closed") {
    await refresh();
    say("订单已超过支付时间，已关闭，请重新提交订单。如果付过款，会原路退回，不用再付。");
  } else watchPayment();
}

async function arrived() {
  await refresh();
  say("付款成功，已到账。请看下一步。", true);
}

function leavePayment() {
  clearInterval(clock);
  clock = current = null;
}

$("paid").addEventListener("click", () => busy($("paid"), async () => {
  const order = await api("POST", `/api/v1/orders/${current}/check`, {});
  if (order.status === "pending" || order.status === "closing") {
    say("支付平台还没有收到这笔款项。刚付完的请等几秒再点；没有付的请扫码付款。");
  }
  await told(order);
}));
for (const pane of ["checkout", "pay"]) {
  const back = $(pane).querySelector("[data-back]");
  back.addEventListener("click", () => busy(back, refresh));
}
