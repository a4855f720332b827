// A plain page over the public API: signs in, walks the first steps, then shows the trainings.
import { $, api, busy, keep, onSubmit, say, show, signedIn, waitFor } from "./screen.js";
import { leave, refresh } from "./trainings.js";

const programme = () => $("log-in").elements.programme.value;
const tidy = (number) => number.replace(/\s/g, "").toUpperCase();

function firstPassword() {
  const field = $("log-in").elements.programme;
  const first = (field.selectedOptions ? field.selectedOptions[0] : field).dataset.first;
  $("first-password").textContent = first
    ? `第一次登录用初始密码 ${first}，登录后要用短信确认本人，并换成自己的密码。`
    : "";
}

async function where() {
  if (!signedIn()) {
    show("log-in");
    return;
  }
  const me = await api("GET", "/api/v1/me");
  sessionStorage.setItem("programme", me.programme);
  if (me.next === "home") await refresh();
  else {
    if (me.next === "activate") waysToActivate(me);
    if (me.next === "consent") $("consent").elements.agreement.dataset.versions = JSON.stringify(me.consent_versions);
    show(me.next === "password" ? "own-password" : me.next);
  }
}

function waysToActivate(me) {
  const sms = me.activation_methods.includes("sms");
  const help = `需要帮助请拨打 ${me.contact}。`;
  $("by-sms").hidden = !sms;
  $("sent-to").textContent = me.phone || "";
  if (sms) $("other-ways").textContent = `手机号已停用？可在手机端刷脸确认，或拨打 ${me.contact} 更正。`;
  else if (me.activation_methods.includes("face")) {
    $("other-ways").textContent = `名单上没有您的手机号：请在手机端刷脸确认是您本人。${help}`;
  } else $("other-ways").textContent = `名单上没有您的手机号，请拨打 ${me.contact} 登记后再来。`;
}

onSubmit("log-in", async (data) => {
  keep(null);
  const body = { programme: data.programme, id_number: tidy(data.id_number), password: data.password, channel: "web" };
  if (!$("guard").hidden && data.code) Object.assign(body, { code: data.code }, tickets["login-code"]);
  let answer;
  try {
    answer = await api("POST", "/api/v1/login", body);
  } catch (error) {
    if (error.code === "login_code_needed") {
      $("guard").hidden = false;
      $("login-code").focus();
    }
    throw error;
  }
  keep(answer.token);
  $("own-password").querySelector("[autocomplete=username]").value = body.id_number;
  $("password").value = "";
  $("guard").hidden = true;
  await where();
});

const tickets = {}; // with its ticket a code is good although the network has changed

function onCode(control, path, body, told) {
  $(control).addEventListener("click", () => busy($(control), async () => {
    const answer = await api("POST", path, body());
    if (answer.ticket) tickets[told] = { ticket: answer.ticket };
    waitFor($(control), answer.wait_seconds);
    say(answer.notice, true);
    $(told).focus();
  }));
}

onCode("send-code", "/api/v1/activation/code", () => ({}), "code");
onCode("send-login-code", "/api/v1/login/code",
  () => ({ programme: programme(), id_number: tidy($("id-number").value) }), "login-code");
onCode("send-reset-code", "/api/v1/password-reset/code",
  () => ({ programme: programme(), id_number: tidy($("reset-number").value) }), "reset-code");

onSubmit("activate", async (data) => {
  const answer = await api("POST", "/api/v1/activation", { code: data.code.trim() });
  keep(answer.token);
  await where();
});

onSubmit("own-password", async (data) => {
  await api("POST", "/api/v1/password", { new_password: data.new_password });
  $("new-password").value = "";
  await where();
});

onSubmit("consent", async (data) => {
  const versions = JSON.parse($("consent").elements.agreement.dataset.versions);
  for (const kind of ["face", "agreement"]) {
    if (data[kind]) await api("POST", "/api/v1/consents", { kind, version: versions[kind], agreed: true });
  }
  await where();
});

onSubmit("reset", async (data) => {
  await api("POST", "/api/v1/password-reset", {
    programme: programme(), id_number: tidy(data.id_number), code: data.code.trim(), new_password: data.new_password,
    ...tickets["reset-code"],
  });
  $("id-number").value = data.id_number;
  $("reset").reset();
  show("log-in");
  say("新密码已保存，请用新密码登录。", true);
  $("password").focus();
});

$("forgot").addEventListener("click", () => {
  say("");
  $("reset-number").value = $("id-number").value;
  show("reset");
});
$("reset").querySelector("[data-back]").addEventListener("click", () => {
  say("");
  show("log-in");
});

$("log-out").addEventListener("click", () => busy($("log-out"), async () => {
  leave();
  try {
    await api("POST", "/api/v1/logout", {});
  } finally {
    keep(null);
    for (const form of document.forms) form.reset();
    for (const input of document.querySelectorAll("[data-reveals]")) $(input.dataset.reveals).type = "password";
    show("log-in");
  }
}));

for (const box of document.querySelectorAll("[data-reveals]")) {
  box.addEventListener("change", () => { $(box.dataset.reveals).type = box.checked ? "text" : "password"; });
}
$("log-in").elements.programme.addEventListener("change", firstPassword);
firstPassword();
where().catch((error) => {
  show(signedIn() ? "state" : "log-in");
  say(error.message);
});
