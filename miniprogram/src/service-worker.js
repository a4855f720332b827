// Keeps the app's shell, so that it opens without a network. Answers of the API are never kept: what stands in them is
// somebody's own, and is true for a moment only.
const VERSION = "VERSION";
const FILES = ["FILES"];
const REST = ["REST"]; // of the screens behind the first one: fetched when the page is there
const PATIENCE = 4000; // milliseconds a weak network may take for the page, before the kept one is shown

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(VERSION).then((cache) => cache.addAll(FILES)).then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  const old = (names) => names.filter((name) => name !== VERSION);
  event.waitUntil(
    caches.keys().then((names) => Promise.all(old(names).map((name) => caches.delete(name)))).then(() => self.clients.claim()),
  );
});

self.addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== self.location.origin) return;
  if (event.request.mode === "navigate" && url.pathname === "/") {
    event.respondWith(page(event.request));
    event.waitUntil(fill());
  }
  else if (url.pathname.startsWith("/assets/")) event.respondWith(asset(event.request));
});

// The page of the network if it comes in time: it names the newest files. Else the kept one.
async function page(request) {
  const kept = await caches.match("/", { cacheName: VERSION });
  if (!kept) return fetch(request);
  const late = new Promise((resolve) => setTimeout(() => resolve(kept), PATIENCE));
  const fresh = fetch(request).then((answer) => (answer.ok ? answer : kept), () => kept);
  return Promise.race([fresh, late]);
}

// Every screen opens without a network, also one that was not looked at before. One file after the other; where the
// network ends, the next visit goes on. Whoever saves data gets what they open and no more.
async function fill() {
  if (navigator.connection && navigator.connection.saveData) return;
  await new Promise((resolve) => setTimeout(resolve, PATIENCE)); // the page comes first
  const cache = await caches.open(VERSION);
  const kept = new Set((await cache.keys()).map((request) => new URL(request.url).pathname));
  try {
    for (const file of REST) if (!kept.has(file)) await cache.add(file);
  } catch {
    // no network, or no room
  }
}

// A file's name changes with what is in it, so a kept one is never stale.
async function asset(request) {
  const kept = await caches.match(request, { cacheName: VERSION });
  if (kept) return kept;
  const answer = await fetch(request);
  if (answer.ok) {
    const copy = answer.clone();
    await caches.open(VERSION).then((cache) => cache.put(request, copy)).catch(() => undefined); // the disk is full
  }
  return answer;
}
