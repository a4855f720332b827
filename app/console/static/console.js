// Keys of the desk, on top of pages that work without them: numbers decide and choose reasons, J and K go on and back.
"use strict";

const shown = (selector, root = document) =>
  [...root.querySelectorAll(selector)].find((one) => one.checkVisibility());

function choose(open, number) {
  const choice = open.querySelectorAll("input[type=radio]")[number - 1];
  if (!choice) return false;
  choice.checked = true;
  choice.focus();
  return true;
}

function decide(number) {
  const one = shown(`#work [data-key="${number}"]`);
  if (!one) return;
  if (one.tagName === "DETAILS") {
    one.open = true;
    one.querySelector("input:not([type=hidden])").focus();
  } else {
    one.click();
  }
}

const BOUNCE = 50; // milliseconds: a worn key says more than once that it was pressed
let pressed = { key: "", timeStamp: 0 };
document.addEventListener("keydown", (event) => {
  const bounces = event.key === pressed.key && event.timeStamp - pressed.timeStamp < BOUNCE;
  pressed = event;
  const typing = event.target.matches("input:not([type=radio], [type=checkbox]), select, textarea");
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const open = shown("#work details.option[open]");
  if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else if (typing || event.repeat || bounces) {
    return;
  } else if (/^[1-9]$/.test(event.key)) {
    if (!open || !choose(open, Number(event.key))) decide(event.key);
  } else if (event.key === "Enter" && open && event.target.matches("input[type=radio]")) {
    open.querySelector("form").requestSubmit();
  } else if (/^[jkJK]$/.test(event.key)) {
    const way = shown(`[data-key="${event.key.toLowerCase()}"]`);
    if (way) way.click();
  } else {
    return;
  }
  event.preventDefault();
});

// one decision is open at a time
document.addEventListener("toggle", (event) => {
  if (!event.target.matches("details.option") || !event.target.open) return;
  for (const other of document.querySelectorAll("details.option[open]")) if (other !== event.target) other.open = false;
}, true);

document.addEventListener("change", (event) => {
  if (event.target.matches("#decision")) {
    const [line, text] = [document.querySelector("#batch-text"), event.target.selectedOptions[0].dataset.text];
    line.hidden = !text;
    line.querySelector("span").textContent = text || "";
  }
  if (!event.target.matches("[data-all]")) return;
  for (const box of document.querySelectorAll("input[name=case]:not(:disabled)")) box.checked = event.target.checked;
});

// On a narrow screen each cell of a table says what it is: its column's heading, which stands nowhere else there.
function nameCells(table) {
  const own = (head) => [...head.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE).map((one) => one.data).join("").trim();
  const heads = [...(table.tHead?.rows[0]?.cells || [])].flatMap((head) => Array(head.colSpan).fill(own(head)));
  for (const row of [...table.tBodies].concat(table.tFoot || []).flatMap((part) => [...part.rows])) {
    let at = 0;
    for (const cell of row.cells) {
      const says = cell.textContent.trim() || cell.querySelector("img, svg, input, progress");
      if (cell.tagName === "TD" && cell.colSpan === 1 && heads[at] && says) cell.dataset.name = heads[at];
      at += cell.colSpan;
    }
  }
}
function dress(root) {
  const around = root.closest("table");
  for (const table of around ? [around] : root.querySelectorAll("table")) nameCells(table);
}
document.addEventListener("htmx:load", (event) => dress(event.detail.elt));

document.addEventListener("DOMContentLoaded", () => {
  dress(document.body);
  for (const here of document.querySelectorAll("nav a[aria-current]")) here.scrollIntoView({ block: "nearest", inline: "center" });
});

// A list of choices that is asked for again is left alone until it has others, and what was chosen stays chosen.
document.addEventListener("htmx:oobBeforeSwap", (event) => {
  const { target, fragment } = event.detail;
  const fresh = fragment.querySelector("select");
  if (!fresh) return;
  const texts = (list) => [...list.options].map((one) => one.textContent).join("\n");
  if (texts(fresh) === texts(target)) event.detail.shouldSwap = false;
  else if ([...fresh.options].some((one) => one.value === target.value)) fresh.value = target.value;
});

// What the server refuses is read out, and seen.
const LOST = "网络没有响应，刚才的操作可能没有送达。请检查网络后再试一次。";
function tell(tone, text, path) {
  const line = document.querySelector("#message");
  if (!line) return;
  line.className = `message ${tone}`;
  line.hidden = false;
  line.textContent = text;
  if (path) {
    const link = document.createElement("a");
    [link.href, link.textContent] = [path, "打开那一件"];
    line.append(" ", link);
  }
}
document.addEventListener("htmx:afterSwap", () => document.querySelector("#message.bad")?.scrollIntoView({ block: "nearest" }));
document.addEventListener("htmx:sendError", () => tell("bad", LOST));

// The next case is fetched while this one is looked at. A decision shows it at once and is sent meanwhile, one after
// the other; what became of it is said in the message line, and one that was refused can be opened again.
let ahead = null, pending = 0, sending = Promise.resolve();

// Nothing is decided unseen: a case takes no decision before its pictures are there, and while a
// key may still bounce.
async function glance() {
  const work = document.querySelector("#work");
  if (!work) return;
  work.setAttribute("aria-busy", "true");
  await Promise.allSettled([...work.querySelectorAll("img:not(.ahead)")].map((picture) => picture.decode()));
  setTimeout(() => work.removeAttribute("aria-busy"), pressed.timeStamp + BOUNCE - performance.now());
}
document.addEventListener("click", (event) => {
  if (event.detail < 2 || !event.target.closest("#work form button")) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

const headers = () => ({ "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers") || "{}") });
const caseShown = () => document.querySelector("#work")?.dataset.case;

async function lookAhead() {
  ahead = null;
  const path = document.querySelector('#work a[data-key="j"]')?.getAttribute("href");
  if (!path) return;
  const answer = await fetch(path, { headers: headers() }).catch(() => null);
  const html = answer?.ok ? await answer.text() : null;
  if (html && document.querySelector('#work a[data-key="j"]')?.getAttribute("href") === path) ahead = { path, html };
}

function show({ path, html }) {
  htmx.swap("#work", html, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
  glance();
  history.pushState({ htmx: true }, "", path);
  window.scrollTo(0, 0);
  lookAhead();
}

async function send(action, data) {
  const answer = await fetch(action, { method: "POST", body: data, headers: headers() }).catch(() => null);
  pending -= 1;
  if (!answer) return tell("bad", LOST, action.replace(/\/decide$/, ""));
  if (answer.status === 401) return location.assign("/console/sign-in");
  const html = await answer.text();
  const page = new DOMParser().parseFromString(html, "text/html");
  const said = page.querySelector("#message")?.textContent || "";
  if (!answer.ok) return tell("bad", `上一件没有办成：${said}`, action.replace(/\/decide$/, ""));
  const following = page.querySelector("#work").dataset.case;
  if (following !== caseShown()) {
    if (!pending) show({ path: answer.headers.get("HX-Push-Url"), html });  // a colleague was quicker with that one
    return undefined;
  }
  for (const part of ["#claim", ".head .count"]) document.querySelector(part)?.replaceWith(page.querySelector(part) || "");
  return tell("good", said);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.matches("#work form") || !/\/decide$/.test(form.getAttribute("action"))) return;
  const busy = form.closest("#work").hasAttribute("aria-busy");
  if (!busy && !ahead && !pending) return;
  event.preventDefault();
  event.stopPropagation();
  if (busy) return;
  if (!ahead) {
    sending = sending.then(() => form.isConnected && form.requestSubmit());  // as without a look ahead
    return;
  }
  const [action, data] = [form.getAttribute("action"), new URLSearchParams(new FormData(form))];
  const next = new DOMParser().parseFromString(ahead.html, "text/html");
  next.querySelector("#claim")?.removeAttribute("hx-post");  // the answer to the decision claims it
  show({ path: ahead.path, html: next.body.innerHTML });
  pending += 1;
  sending = sending.then(() => send(action, data));
}, true);

document.addEventListener("DOMContentLoaded", lookAhead);
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.target.id !== "work") return;
  glance();
  lookAhead();
});
