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

let touch = null; // the key whose decision is on its way to the form
function decide(press) {
  const one = shown(`#work [data-key="${press.key}"]`);
  if (!one) return;
  if (one.tagName === "DETAILS") {
    one.open = true;
    one.querySelector("input:not([type=hidden]), textarea").focus();
  } else {
    touch = press;
    one.click();
    touch = null;
  }
}

const BOUNCE = 50; // milliseconds: a worn key says more than once that it was pressed
let pressed = { key: "", timeStamp: 0 };
document.addEventListener("keydown", (event) => {
  const bounces = event.key === pressed.key && event.timeStamp - pressed.timeStamp < BOUNCE;
  pressed = event;
  const typing = event.target.matches("input:not([type=radio], [type=checkbox]), select, textarea");
  const sends = event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("#work textarea");
  if (sends && !event.isComposing && !event.repeat) return event.target.form.requestSubmit();
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const open = shown("#work details.option[open]");
  if (performance.now() < calm && !typing && /^([1-9]|Enter)$/.test(event.key)) {
    // meant for what lay there before
  } else if (event.key === "Escape" && open) {
    open.open = false;
    open.querySelector("summary").focus();
  } else if (typing || event.repeat || bounces) {
    return;
  } else if (/^[1-9]$/.test(event.key)) {
    if (!open || !choose(open, Number(event.key))) decide(event);
  } else if (event.key === "Enter" && open && event.target.matches("input[type=radio]")) {
    open.querySelector("form").requestSubmit();
  } else if (/^[jkz]$/i.test(event.key)) {
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
    const [line, { text, none }] = [document.querySelector("#batch-text"), event.target.selectedOptions[0].dataset];
    const heading = line.querySelector("b");
    line.hidden = !text;
    line.classList.toggle("none", none !== undefined);
    heading.textContent = none === undefined ? heading.dataset.sent : heading.dataset.none;
    line.querySelector("span").textContent = text || "";
  }
  if (!event.target.matches("[data-all]")) return;
  for (const box of document.querySelectorAll("input[name=case]:not(:disabled)")) box.checked = event.target.checked;
});

// On a narrow screen each cell of a table says what it is: its column's heading, which stands nowhere else there.
const own = (node) => [...node.childNodes].filter((one) => one.nodeType === Node.TEXT_NODE).map((one) => one.data).join("").trim();
function nameCells(table) {
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
const set = (node, attributes) => Object.entries(attributes).forEach(([key, value]) => node.setAttribute(key, value));
function wayTo(path, words) {
  const link = document.createElement("a");
  [link.href, link.textContent] = [path, words];
  if (document.querySelector("#work")) { // onto the desk: decisions that wait stay with the page
    set(link, { "hx-get": path, "hx-target": "#work", "hx-swap": "outerHTML" });
    htmx.process(link);
  }
  return link;
}
function tell(tone, text, path, words = "打开那一件") {
  const line = document.querySelector("#message");
  if (!line) return;
  line.className = `message ${tone}`;
  line.hidden = false;
  line.textContent = text;
  if (path) line.append(" ", wayTo(path, words));
}
document.addEventListener("htmx:afterSwap", () => document.querySelector("#message.bad")?.scrollIntoView({ block: "nearest" }));
document.addEventListener("htmx:sendError", () => tell("bad", LOST));

// A decision that was shown as made and was not: it stays, on every page of this tab, until somebody has read it.
const REFUSED = "refused";
const refusals = () => JSON.parse(sessionStorage.getItem(REFUSED) || "[]");
const pathOf = (id) => `/console/cases/${id}`;
function forgive(id) {
  sessionStorage.setItem(REFUSED, JSON.stringify(refusals().filter((one) => one.id !== id)));
  document.querySelector(`#refused [data-of="${id}"]`)?.remove();
}
function lay({ id, title, text }, since) {
  const [line, code, button] = ["p", "code", "button"].map((tag) => document.createElement(tag));
  line.dataset.of = code.textContent = id;
  [button.type, button.className, button.textContent] = ["button", "second", "知道了"];
  button.addEventListener("click", () => performance.now() - since > CALM && forgive(id)); // not by a finger on its way
  line.append(`${title} `, code, ` 没有办成：${text} `, wayTo(pathOf(id), "打开那一件"), " ", button);
  document.querySelector("#refused").append(line);
}
function refuse(made, text) {
  forgive(made.id);
  const one = { id: made.id, title: made.title, text };
  sessionStorage.setItem(REFUSED, JSON.stringify([...refusals(), one]));
  lay(one, performance.now());
}
document.addEventListener("DOMContentLoaded", () => {
  if (!document.querySelector(".bar .me")) return;
  const box = document.createElement("section");
  box.id = "refused";
  set(box, { "role": "alert", "aria-atomic": "false", "aria-label": "没有办成的、可以撤回的决定" });
  document.querySelector("main").append(box);
  for (const one of refusals()) lay(one, -CALM);
});
document.addEventListener("submit", (event) => {
  if (event.target.matches('[action$="/sign-out"]')) sessionStorage.removeItem(REFUSED);
});

// The next case is fetched while this one is looked at. A decision shows it at once and is sent meanwhile, one after
// the other; what became of it is said in the message line, and one that was refused stays below.
const UNSURE = "没有收到完整的答复，不知道是否已经送达，请打开核对。";
const CHANGED = "这一件的内容在您看的时候有了变化，没有提交，请打开重新看一遍。";
const SIGNED_OUT = "登录已经过期，没有提交，请重新登录后再办。";
const WAITS = "已收下这个决定，正在等待前面的决定办完。";
let ahead = null, pending = 0, byHtmx = 0, sending = Promise.resolve();
let laid = null; // what lies on the desk as this script laid it there: { id, sense }
let fresh = null; // the same, of the last answer: what the server says of that case now
let calm = 0; // until then (as performance.now) no key decides: the page was exchanged under somebody's fingers
const CALM = 700; // milliseconds: to see it, and to take back a finger that was on its way
const underway = new Set(); // ids of the cases whose decisions wait for their answers
let looking = Promise.resolve(); // until the next case is there

// The second touch of a finger that tapped twice decides a case that nobody has looked at. It is put aside and can be
// taken back, until the next decision or for some seconds. Three in a row are no slip (docs/decisions/0078).
const TAP = 300; // milliseconds from the decision before, and from when the case was seen
const ASIDE = 5000; // milliseconds
const HASTY = "按得太快，这一件没有处理，请看一眼再按。";
let seen = 0; // since when (as performance.now) the case that is shown can be decided
let taken = { key: "", timeStamp: 0, quick: false }; // the last decision by a key
let release = () => {}; // sends what is put aside
const isQuick = (press) => press.key === taken.key && press.timeStamp - Math.max(taken.timeStamp, seen) < TAP;
function putAside(made) {
  const [line, code, button, key] = ["p", "code", "button", "kbd"].map((tag) => document.createElement(tag));
  [line.dataset.of, code.textContent, key.textContent] = [made.id, made.id, "Z"];
  set(button, { "type": "button", "class": "second", "data-key": "z" });
  button.append("撤回，打开这一件", key);
  line.append(`连按了两下：${made.title} `, code, ` 也将“${made.label}”，${ASIDE / 1000} 秒后或您办下一件时提交。`, button);
  document.querySelector("#refused").append(line);
  return new Promise((go) => {
    const timer = setTimeout(() => release(), ASIDE);
    release = () => {
      clearTimeout(timer);
      line.remove();
      release = () => {};
      go();
    };
    button.addEventListener("click", () => {
      made.withdrawn = true;
      pending -= 1;
      underway.delete(made.id);
      release();
      htmx.ajax("GET", pathOf(made.id), { target: "#work", swap: "outerHTML" });
    });
  });
}

// Nothing is decided unseen: a case takes no decision before its pictures are there, while a key may still bounce, and
// while somebody may not have seen yet that it is another one.
async function glance() {
  const work = document.querySelector("#work");
  if (!work) return;
  work.setAttribute("aria-busy", "true");
  await Promise.allSettled([...work.querySelectorAll("img:not(.ahead)")].map((picture) => picture.decode()));
  setTimeout(() => {
    work.removeAttribute("aria-busy");
    seen = performance.now();
  }, Math.max(pressed.timeStamp + BOUNCE, calm) - performance.now());
}
document.addEventListener("click", (event) => {
  if (event.detail < 2 || !event.target.closest("#work form button")) return;
  event.preventDefault();
  event.stopPropagation();
}, true);

const isDecision = (form) => form.matches("#work form") && /\/(decide|confirm|send-back)$/.test(form.getAttribute("action"));
const headers = () => ({ "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers") || "{}") });
const caseShown = () => document.querySelector("#work")?.dataset.case || "";
const parse = (html) => new DOMParser().parseFromString(html, "text/html");

// The body belongs to the answer: one that is cut off is none. Gives null then.
async function ask(path, options = {}) {
  try {
    const answer = await fetch(path, { headers: headers(), ...options });
    return { ok: answer.ok, status: answer.status, path: answer.headers.get("HX-Push-Url"), html: await answer.text() };
  } catch {
    return null;
  }
}

async function lookAhead() {
  ahead = null;
  const onward = () => document.querySelector('#work a[data-key="j"]')?.getAttribute("href");
  const path = onward();
  if (!path) return;
  const answer = await ask(path);
  if (answer?.ok && parse(answer.html).querySelector("#work") && onward() === path) ahead = { path, html: answer.html };
}

// What a decision is made on, of the case that a page shows: its evidence, what is proposed, what can be decided.
function sense(page) {
  const parts = [...page.querySelectorAll("#work .evidence, #work .decide")].map((one) => one.cloneNode(true));
  for (const part of parts) for (const other of part.querySelectorAll(".keys, [name=csrf]")) other.remove();
  return parts.map((one) => one.innerHTML).join("");
}
const describe = (page) => ({ id: page.querySelector("#work").dataset.case || "", sense: sense(page) });

function show(page, path) {
  htmx.swap("#work", page.body.innerHTML, { swapStyle: "outerHTML", swapDelay: 0, settleDelay: 0 });
  laid = describe(page); // after the swap, whose htmx:afterSwap forgets what lay there
  history.pushState({ htmx: true }, "", path);
  window.scrollTo(0, 0);
}

// `made`: a decision. `next`: the case that was shown at once in its place, as { id, sense }; null where none was.
async function send(made) {
  const changed = made.sense && fresh?.id === made.id && fresh.sense !== made.sense;
  const answer = changed ? null : await ask(made.action, { method: "POST", body: made.data, keepalive: true });
  pending -= 1;
  underway.delete(made.id);
  const page = answer && parse(answer.html);
  if (answer?.ok && page.querySelector("#work")) return follow(made, page, answer.path);
  const said = answer?.ok ? "" : page?.querySelector("#message")?.textContent;
  refuse(made, changed ? CHANGED : answer?.status === 401 ? SIGNED_OUT : said || UNSURE);
  if (answer?.status !== 401) return claim();
  if (!pending) location.assign("/console/sign-in"); // the others would be refused as well, and are to be written down
  return undefined;
}

// The decision was made; the answer is the case after it, had by this person now.
function follow(made, page, path) {
  const [said, now, here] = [page.querySelector("#message")?.textContent || "", describe(page), caseShown()];
  fresh = now;
  forgive(made.id);
  if (!made.next) return here === made.id ? show(page, path) : tell("good", said);
  const same = now.id === made.next.id;
  if (same && here === now.id && now.sense === made.next.sense) {
    for (const part of ["#claim", ".head .count"]) document.querySelector(part)?.replaceWith(page.querySelector(part) || "");
  } else if (!pending && !(same && here !== now.id)) { // of one that was decided meanwhile, its own answer says it
    return differs(page, path, made.next, same ? `${said}。下一件的内容刚刚有变化` : `${said}。原来的下一件由同事处理中`);
  }
  return tell("good", said);
}

// What was shown as the next case is not it, or not as it was shown: exchanged only where nobody is at it.
function differs(page, path, next, said) {
  const { id } = describe(page);
  if (caseShown() !== next.id || document.querySelector("#work details[open]")) {
    return tell("note", `${said}。`, path, id === next.id ? "重新打开" : "换到下一件");
  }
  calm = performance.now() + CALM;
  show(page, path);
  if (id === next.id) return tell("note", `${said}，请重新看一遍。`);
  return tell("note", `${said}，${id ? "已换成这一件，请看清再决定" : "没有别的待办了"}。`, pathOf(next.id));
}

// No answer has claimed what is shown, for a decision before it was refused: two would look at it.
async function claim() {
  const tag = document.querySelector("#claim:not(.good, [hx-post])");
  if (!tag || pending) return;
  const answer = await ask(`${pathOf(caseShown())}/claim`, { method: "POST" });
  const page = answer && parse(answer.html);
  if (!tag.isConnected || !page) return;
  if (answer.ok) tag.replaceWith(page.querySelector("#claim") || "");
  else tell("bad", page.querySelector("#message")?.textContent || LOST);
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!isDecision(form)) return;
  const action = form.getAttribute("action");
  const [quick, decides] = [touch !== null && isQuick(touch), action.endsWith("/decide")];
  const [busy, waits] = [form.closest("#work").matches("[aria-busy], .htmx-settling"), underway.has(action.split("/").at(-2))];
  const stays = busy || waits || (quick && !decides);
  const later = decides && (ahead || pending || quick);
  const second = quick && !taken.quick;
  if (touch && !stays) taken = { key: touch.key, timeStamp: touch.timeStamp, quick };
  if (!stays && !later) return; // htmx sends it, and shows the answer
  event.preventDefault();
  event.stopPropagation();
  if (!stays) take(form, second);
  else if (!busy) tell("note", waits ? WAITS : HASTY);
}, true);

// `aside`: it may be taken back before it is sent; what comes after it is shown meanwhile, once it is there.
async function take(form, aside) {
  const action = form.getAttribute("action");
  const id = action.split("/").at(-2);
  const made = {
    id, action, data: new URLSearchParams(new FormData(form)), label: own(form.querySelector("button")), next: null,
    title: document.querySelector("#work h1").firstChild.textContent.trim(),
    sense: laid?.id === id ? laid.sense : "",
  };
  release();
  underway.add(id);
  pending += 1;
  const turn = aside ? putAside(made) : Promise.resolve();
  sending = sending.then(() => turn).then(() => made.withdrawn ? undefined : send(made)).catch(reportError);
  if (aside) await looking;
  if (made.withdrawn || caseShown() !== id) return;
  const next = ahead && parse(ahead.html);
  if (next) {
    made.next = describe(next);
    next.querySelector("#claim")?.removeAttribute("hx-post"); // the answer to the decision claims it
    show(next, ahead.path);
  } else if (!aside) {
    tell("note", WAITS);
  }
}
document.addEventListener("htmx:beforeSend", ({ detail: { elt, xhr } }) => { // a decision that htmx sends
  if (!isDecision(elt)) return;
  byHtmx += 1;
  xhr.addEventListener("loadend", () => { byHtmx -= 1; });
});
window.addEventListener("beforeunload", (event) => {
  if (pending || byHtmx) event.preventDefault(); // it would never be sent, or nobody would read what became of it
});

document.addEventListener("DOMContentLoaded", () => { looking = lookAhead(); });
document.addEventListener("htmx:afterSwap", (event) => { // not when it has settled: a key may come in between
  if (event.target.id !== "work") return;
  laid = null;
  glance();
  looking = lookAhead();
});
