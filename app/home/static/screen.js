// What every part of the page uses: panes, messages, forms, and calls to the API.
export const $ = (id) => document.getElementById(id);
const NAME = document.title;
let token = sessionStorage.getItem("token");

export const signedIn = () => Boolean(token);

export function keep(value) {
  token = value;
  if (value) sessionStorage.setItem("token", value);
  else sessionStorage.removeItem("token");
}

// Shows one pane and puts the focus on its heading, so that a screen reader begins there.
export function show(id) {
  const pane = $(id);
  const shown = pane.hidden;
  for (const other of document.querySelectorAll("[data-title]")) other.hidden = other !== pane;
  $("log-out").hidden = !token;
  const steps = [...$("way").children];
  const place = steps.findIndex((step) => step.dataset.step === pane.dataset.step || step.dataset.step === id);
  $("way").hidden = place < 0;
  steps.forEach((step, at) => {
    step.className = at < place ? "done" : "";
    if (at === place) step.setAttribute("aria-current", "step");
    else step.removeAttribute("aria-current");
  });
  document.title = `${pane.dataset.title} · ${NAME}`;
  if (shown) {
    window.scrollTo(0, 0);
    pane.querySelector("h1").focus({ preventScroll: true });
  }
}

export function say(text, good = false) {
  const box = $("message");
  box.textContent = text || "";
  box.hidden = !text;
  box.classList.toggle("good", good);
  if (text) box.scrollIntoView({ block: "nearest" });
}

export class Refusal extends Error {
  constructor(answer) {
    super(answer.detail || "没有成功，请稍后再试。");
    this.code = answer.code;
    this.fields = answer.fields || {};
  }
}

export async function api(method, path, body) {
  const headers = {};
  if (token) headers.Authorization = `Bearer ${token}`;
  if (body) headers["Content-Type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body && JSON.stringify(body) });
  } catch {
    throw new Error("网络不通，请检查网络后再试。");
  }
  if (response.status === 204) return null;
  let answer;
  try {
    answer = await response.json();
  } catch {
    throw new Error("系统正在重新启动，请过几秒钟再试。");
  }
  if (!response.ok) {
    if (token && answer.code === "sign_in_first") {
      keep(null);
      answer.detail = "登录已过期，请重新登录。";
    }
    throw new Refusal(answer);
  }
  return answer;
}

export function element(tag, text, className) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (className) made.className = className;
  return made;
}

export function button(text, action, className = "wide") {
  const made = element("button", text, className);
  made.type = "button";
  made.addEventListener("click", () => busy(made, action));
  return made;
}

export const yuan = (fen) => `¥${(fen / 100).toFixed(2)}`;

// Runs an action once at a time; what goes wrong is said on top, and at the fields it concerns.
export async function busy(control, action) {
  if (control.getAttribute("aria-busy")) return;
  control.setAttribute("aria-busy", "true");
  say("");
  unmark();
  try {
    await action();
  } catch (error) {
    say(error.message);
    if (!token && !isOpenPane()) show("log-in");
    mark(control.closest("form"), error.fields);
  } finally {
    control.removeAttribute("aria-busy");
  }
}

const isOpenPane = () => !$("log-in").hidden || !$("reset").hidden;

function unmark() {
  for (const note of document.querySelectorAll(".wrong")) note.remove();
  for (const input of document.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    const rest = (input.getAttribute("aria-describedby") || "").split(" ").filter((id) => id && !id.startsWith("wrong-"));
    if (rest.length) input.setAttribute("aria-describedby", rest.join(" "));
    else input.removeAttribute("aria-describedby");
  }
}

function mark(form, fields) {
  if (!form || form.hidden || !fields) return;
  let first = null;
  for (const [name, sentence] of Object.entries(fields)) {
    const input = form.elements[name];
    if (!(input instanceof HTMLElement) || typeof sentence !== "string") continue;
    const note = element("p", sentence, "wrong");
    note.id = `wrong-${input.id || name}`;
    (input.closest(".row") || input.closest("label") || input).after(note);
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", `${input.getAttribute("aria-describedby") || ""} ${note.id}`.trim());
    first = first || input;
  }
  if (first) first.focus();
}

const MISSING = { programme: "请选择培训项目。", id_number: "请填写身份证号。", password: "请填写密码。",
  code: "请填写短信里的 6 位数字。", new_password: "请填写新密码。", payer_name: "请填写姓名。",
  payer_number: "请填写身份证号。", agreement: "请先勾选同意用户协议，才能继续。" };

export function onSubmit(id, action) {
  const form = $(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    busy(form.querySelector("button[type=submit]"), async () => {
      const empty = [...form.elements].filter((input) => input.required && !input.validity.valid && input.offsetParent);
      if (empty.length) {
        const fields = Object.fromEntries(empty.map((input) => [input.name, MISSING[input.name]]));
        throw new Refusal({ detail: "还有内容没有填好，请看红字提示。", fields });
      }
      await action(Object.fromEntries(new FormData(form)));
    });
  });
}

// After a code was sent, its button counts down until the next one may be asked for.
export function waitFor(control, seconds) {
  const until = Date.now() + seconds * 1000;
  const label = "重新获取";
  control.disabled = true;
  const timer = setInterval(tick, 500);
  function tick() {
    const rest = Math.ceil((until - Date.now()) / 1000);
    control.textContent = rest > 0 ? `${rest} 秒后可重发` : label;
    if (rest <= 0) {
      control.disabled = false;
      clearInterval(timer);
    }
  }
  tick();
}
