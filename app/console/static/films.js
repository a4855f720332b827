// Films go up in pieces, one after the other. What was acknowledged is on the server's disk: after a dropped network, a
// closed page, an ended session, the server tells where to go on, and the same file is recognised by its fingerprint.
"use strict";

{ // names of its own: the console's script has others

const EDGE = 1024 * 1024;  // bytes at either end of the file that its fingerprint is made of
const WAITS = [1, 2, 4, 8, 15, 30];  // seconds between two tries without a network
const AGAIN = 3;  // times that a piece is sent once more that the server could not take
const csrf = () => ({ "HX-Request": "true", ...JSON.parse(document.body.getAttribute("hx-headers") || "{}") });
const hex = (buffer) => [...new Uint8Array(buffer)].map((one) => one.toString(16).padStart(2, "0")).join("");
const sha256 = async (data) => hex(await crypto.subtle.digest("SHA-256", data));

class Refused extends Error {}

async function fingerprint(file) {
  const ends = [file.slice(0, EDGE), file.slice(Math.max(0, file.size - EDGE)), String(file.size)];
  return sha256(await new Blob(ends).arrayBuffer());
}

/** What the server says when it does not want it. */
async function sentence(answer) {
  if (answer.status === 401) return "登录已过期。请重新登录，再选择同一个文件，会从断处接着传。";
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  return page.querySelector("#message, h1")?.textContent.trim() || "服务器没有接受这个文件，请刷新页面后重试。";
}

/** Until there is a network again, or so many seconds. */
function rest(seconds) {
  return new Promise((done) => {
    const timer = setTimeout(finish, seconds * 1000);
    function finish() {
      clearTimeout(timer);
      removeEventListener("online", finish);
      done();
    }
    addEventListener("online", finish);
  });
}

/** Ask until somebody answers; `waits` hears why it takes longer. Server trouble passes, as a network's does. */
async function ask(path, options, waits) {
  for (let tries = 0; ; tries += 1) {
    let answer = null;
    try {
      answer = await fetch(path, { ...options, headers: { ...csrf(), ...options.headers }, credentials: "same-origin" });
    } catch {
      // no network
    }
    if (answer && answer.status < 500 && answer.status !== 429) return answer;
    waits(whyNot(answer?.status));
    await rest(WAITS[Math.min(tries, WAITS.length - 1)]);
  }
}

/** What the person reads while it is tried again; `status`: of the answer, if there was one. */
function whyNot(status) {
  if (!status) return "网络不通，正在等待重连，已传的部分不会丢失";
  if (status === 507) return "服务器的磁盘空间不够，请联系管理员清理；腾出后自动接着传，已传的部分不会丢失";
  if (status === 429) return "传得太密，稍后自动接着传，已传的部分不会丢失";
  return "服务器暂时不能接收，稍后自动再试，已传的部分不会丢失";
}

/** Of its name, which says more than its type does: browsers take .ts for a program, and know no type of .flv. */
const ending = (file) => (/\.([^.]+)$/.exec(file.name)?.[1] ?? "").toLowerCase();

async function begin(form, file, waits) {
  const body = new URLSearchParams({
    programme: form.dataset.programme, name: file.name, title: file.name.replace(/\.[^.]{1,5}$/, ""), size: file.size, fingerprint: await fingerprint(file),
  });
  const answer = await ask("/console/films", { method: "POST", body }, waits);
  if (answer.status !== 201) throw new Refused(await sentence(answer));
  return answer.json();
}

async function send(form, file, line) {
  const found = await begin(form, file, line.say);
  if (found.status !== "uploading") {
    line.done("这个文件已经上传过，不必再传");
    return null;
  }
  const path = `/console/films/${found.id}/upload`;
  let offset = found.offset, again = 0;
  if (offset) line.say("从上次断开的地方接着传");
  while (offset < file.size) {
    line.at(offset, file.size);
    const piece = await file.slice(offset, offset + Number(form.dataset.chunk)).arrayBuffer();
    const headers = {
      "Content-Type": "application/offset+octet-stream", "Upload-Offset": String(offset), "Upload-Checksum": `sha256-hex ${await sha256(piece)}`,
    };
    const answer = await ask(path, { method: "PATCH", body: piece, headers }, line.say);
    const there = answer.headers.get("Upload-Offset");
    if (answer.status === 204 || (answer.status === 409 && there !== null)) [offset, again] = [Number(there), 0];
    else if (answer.status === 422 && again < AGAIN) { // damaged on the way: the same piece once more
      line.say("这一段在传输中损坏，正在重传");
      await rest(WAITS[again++]);
    } else throw new Refused(await sentence(answer));
  }
  line.at(file.size, file.size);
  line.done("上传完成，等待转码");
  return found.id;
}

/** A line of the list that says how far a file is. */
function lineOf(list, file) {
  const [item, row, name, state, bar] = ["li", "div", "b", "span", "progress"].map((tag) => document.createElement(tag));
  name.textContent = file.name;
  state.textContent = "正在识别文件";
  bar.max = 100;
  bar.value = 0;
  bar.setAttribute("aria-label", `上传进度：${file.name}`);
  row.append(name, state);
  item.append(row, bar);
  list.append(item);
  const began = performance.now();
  let first = null;
  return {
    say(text) { state.textContent = text; },
    at(offset, size) {
      first ??= offset;
      const speed = (offset - first) / ((performance.now() - began) / 1000);
      const left = speed > 0 ? Math.ceil((size - offset) / speed / 60) : 0;
      bar.value = Math.floor((offset * 100) / size);
      state.textContent = `${Math.floor((offset * 100) / size)}%${left ? `，约 ${left} 分钟` : ""}`;
    },
    done(text) { bar.value = 100; state.textContent = text; },
    follow(film) { // as the list below, which a worker moves on
      const look = () => {
        const tag = document.querySelector(`#film-${film} .tag`);
        if (tag) state.textContent = `上传完成，${tag.textContent}`;
      };
      look();
      document.addEventListener("htmx:load", (event) => { if (event.detail.elt.id === `film-${film}`) look(); });
    },
    failed(text) { bar.remove(); state.className = "bad"; state.textContent = text; },
  };
}

let busy = 0, queue = Promise.resolve();

async function one(form, list, file) {
  const line = lineOf(list, file);
  busy += 1;
  try {
    if (!form.dataset.formats.split(" ").includes(ending(file))) throw new Refused(`这不是视频文件。请选择 ${form.dataset.formats.toUpperCase().replaceAll(" ", "、")} 格式的视频。`);
    if (file.size > Number(form.dataset.largest)) throw new Refused("文件太大，请压缩，或拆成几节课。");
    if (!window.crypto?.subtle) throw new Refused("请用 https:// 开头的地址打开本页，才能上传。");
    const made = await send(form, file, line);
    await refresh();
    if (made) line.follow(made);
  } catch (error) {
    line.failed(error instanceof Refused ? error.message : "读不出这个文件，它可能被移动或改动了，请重新选择。");
  } finally {
    busy -= 1;
  }
}

/** The page shows what came up, how many there are, whether somebody works on it; and follows it from now on. */
async function refresh() {
  let page;
  try {
    const answer = await fetch(location.href, { credentials: "same-origin" });
    if (!answer.ok) return;
    page = new DOMParser().parseFromString(await answer.text(), "text/html");
  } catch {
    return; // no network: the film has come up all the same, and the list shows it after the next one
  }
  for (const part of ["#films", "#count", "#asleep"]) {
    const fresh = page.querySelector(part);
    if (!fresh) return; // another page: the session has ended
    document.querySelector(part).replaceWith(fresh);
    htmx.process(fresh);
    dress(fresh);
  }
}

document.addEventListener("DOMContentLoaded", () => {
  const form = document.querySelector("#upload"), list = document.querySelector("#sending");
  const field = form.querySelector("input[type=file]");
  const take = (files) => { for (const file of files) queue = queue.then(() => one(form, list, file)); };
  field.addEventListener("change", () => { take([...field.files]); field.value = ""; });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => { event.preventDefault(); form.classList.remove("over"); take([...event.dataTransfer.files]); });
});
addEventListener("beforeunload", (event) => { if (busy) event.preventDefault(); });

}
