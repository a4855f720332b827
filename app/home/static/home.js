"use strict";
// A plain page over the public API: signs in, walks the first steps, shows where a trainee stands.
const $ = (id) => document.getElementById(id);
const panes = ["log-in", "activate", "own-password", "consent", "state"];
let token = sessionStorage.getItem("token");
let timer = null;

function show(pane) {
  for (const name of panes) $(name).hidden = name !== pane;
  $("log-out").hidden = !token;
}

function say(text, good = false) {
  $("message").textContent = text || "";
  $("message").hidden = !text;
  $("message").classList.toggle("good", good);
}

async function api(method, path, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("网络不通，请检查网络后再试。");
  }
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) {
    if (response.status === 401 && answer.code === "sign_in_first") keep(null);
    const fields = Object.values(answer.fields || {}).filter((text) => typeof text === "string");
    throw new Error([answer.detail, ...fields].join(" "));
  }
  return answer;
}

function keep(value) {
  token = value;
  if (value) sessionStorage.setItem("token", value);
  else sessionStorage.removeItem("token");
}

function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

function fact(value, label) {
  const box = element("div");
  box.append(element("b", value), element("span", label));
  return box;
}

function trainingCard(training) {
  const card = element("article", undefined, "card");
  const head = element("div", undefined, "head");
  const title = element("div");
  title.append(element("h2", training.kind), element("p", `${training.title} · ${training.certificate_no}`, "hint"));
  const done = training.status === "completed" || training.status === "passed";
  head.append(title, element("p", training.status_text, done ? "tag good" : "tag"));
  const stages = element("ol", undefined, "stages");
  for (const stage of training.stages) stages.append(element("li", stage.title, stage.done ? "done" : ""));
  card.append(head, stages);
  if (training.warning) card.append(element("p", training.warning, "warning"));
  if (training.status !== "signed_up") {
    const bar = element("progress");
    bar.max = 100;
    bar.value = training.percent;
    bar.setAttribute("aria-label", "学习进度");
    const facts = element("div", undefined, "facts");
    facts.append(fact(`${training.percent}%`, `已学 ${training.lessons_done}/${training.lessons} 课`));
    if (training.days_left !== null) facts.append(fact(`${training.days_left} 天`, "学习期还剩"));
    for (const subject of training.subjects) {
      facts.append(fact(subject.best_score === null ? "未考" : `${subject.best_score} 分`, `${subject.title} 最高分`));
      if (!subject.passed && subject.attempts_left !== null) facts.append(fact(`${subject.attempts_left} 次`, "剩余考试机会"));
    }
    card.append(bar, facts);
  }
  if (training.proof_number) card.append(element("p", `证明编号 ${training.proof_number}`));
  const next = element("p", "下一步：", "next");
  next.append(element("b", training.next.text));
  card.append(next);
  if (training.next.code === "proof") card.append(button("打开合格证明", () => openProof(training.enrolment_id)));
  if (training.next.code === "pay") card.append(button("我已支付，立即查询", () => checkPayment(training.order_id)));
  return card;
}

function button(text, action) {
  const made = element("button", text);
  made.type = "button";
  made.addEventListener("click", () => busy(made, action));
  return made;
}

async function busy(control, action) {
  control.disabled = true;
  say("");
  try {
    await action();
  } catch (error) {
    say(error.message);
    if (!token) show("log-in");
  } finally {
    control.disabled = false;
  }
}

async function openProof(enrolment) {
  const proof = await api("GET", `/api/v1/enrolments/${enrolment}/proof`);
  location.assign(proof.pdf_url);
}

async function checkPayment(order) {
  const answer = await api("POST", `/api/v1/orders/${order}/check`, {});
  say(answer.status === "paid" ? "已到账。" : "支付平台还没有收到这笔款项，付款后请再查一次。", answer.status === "paid");
  await refresh();
}

async function signUp(entry) {
  await api("POST", "/api/v1/sign-ups", { roster_entry_ids: [entry] });
  await refresh();
}

function offerCard(offer) {
  const card = element("article", undefined, "card");
  card.append(element("h2", offer.kind_title), element("p", `证书编号 ${offer.certificate_no}，有效期至 ${offer.expires_on}`, "hint"));
  if (offer.refusal) card.append(element("p", offer.refusal.sentence, "warning"));
  else {
    if (offer.warning) card.append(element("p", offer.warning.sentence, "warning"));
    card.append(button("报名继续教育", () => signUp(offer.roster_entry_id)));
  }
  return card;
}

async function refresh() {
  clearTimeout(timer);
  const home = await api("GET", "/api/v1/home");
  $("my-name").textContent = home.me.name;
  $("my-number").textContent = home.me.id_number;
  $("my-phone").textContent = home.me.phone || "未登记手机";
  $("my-photo").textContent = home.me.photo ? "头像已核验" : "还没有头像";
  $("my-photo").classList.toggle("good", home.me.photo);
  $("trainings").replaceChildren(...home.trainings.map(trainingCard));
  const signed = await api("GET", `/api/v1/sign-ups?programme=${encodeURIComponent(sessionStorage.getItem("programme"))}`);
  const open = signed.offers.filter((offer) => !offer.enrolment_id);
  $("offers").replaceChildren(...open.map(offerCard));
  $("refreshed").textContent = `更新于 ${home.server_now.slice(11, 19)}，每 5 秒自动更新。`;
  show("state");
  timer = setTimeout(() => refresh().catch((error) => say(error.message)), 5000);
}

async function goOn(step) {
  if (step === "activate") show("activate");
  else if (step === "password") show("own-password");
  else if (step === "consent") show("consent");
  else await refresh();
}

async function where() {
  if (!token) {
    show("log-in");
    return;
  }
  const me = await api("GET", "/api/v1/me");
  await goOn(me.next);
}

function onSubmit(id, action) {
  $(id).addEventListener("submit", (event) => {
    event.preventDefault();
    const data = Object.fromEntries(new FormData($(id)));
    busy($(id).querySelector("button[type=submit]"), () => action(data));
  });
}

onSubmit("log-in", async (data) => {
  keep(null);
  const answer = await api("POST", "/api/v1/login", { ...data, id_number: data.id_number.trim().toUpperCase(), channel: "web" });
  sessionStorage.setItem("programme", data.programme);
  keep(answer.token);
  $("password").value = "";
  await where();
});
onSubmit("code-form", async (data) => {
  const answer = await api("POST", "/api/v1/activation", data);
  keep(answer.token);
  await where();
});
onSubmit("own-password", async (data) => {
  const answer = await api("POST", "/api/v1/password", data);
  if (answer && answer.token) keep(answer.token);
  await where();
});
$("send-code").addEventListener("click", () => busy($("send-code"), async () => {
  const answer = await api("POST", "/api/v1/activation/code", {});
  $("sent-to").textContent = `已发送到 ${answer.phone}`;
}));
$("agree").addEventListener("click", () => busy($("agree"), async () => {
  for (const kind of ["agreement", "face"]) await api("POST", "/api/v1/consents", { kind, version: "1", agreed: true });
  await where();
}));
$("log-out").addEventListener("click", () => busy($("log-out"), async () => {
  clearTimeout(timer);
  try {
    await api("POST", "/api/v1/logout", {});
  } finally {
    keep(null);
    show("log-in");
  }
}));
where().catch((error) => {
  say(error.message);
  show(token ? "state" : "log-in");
});
