import assert from "node:assert/strict";
import { test } from "vitest";

import { Problem, Unreachable } from "../src/api/errors";
import { scannedTicket, ticketOf } from "../src/scan/ticket";
import { TicketWatch, type Seen } from "../src/scan/watch";
import { problem } from "./server";
import { settled, Time } from "./time";

const ID = "0123456789abcdef";

function seen(status: Seen["status"], name: string | null = null): Seen {
  return { status, name, expires_at: "2026-01-01T08:02:00+08:00", wait_seconds: 2 };
}

/** A page whose questions are answered by hand. */
class Page {
  readonly time = new Time();
  readonly told: string[] = [];
  asked = 0;
  onTheWay = 0;
  private answers: { resolve(seen: Seen): void; reject(error: unknown): void }[] = [];
  readonly watch = new TicketWatch({
    timers: this.time,
    see: () => {
      this.asked += 1;
      this.onTheWay += 1;
      assert.equal(this.onTheWay, 1, "two questions at once");
      return new Promise((resolve, reject) => this.answers.push({ resolve, reject }));
    },
    told: ({ status }) => this.told.push(status),
    failed: (_trouble, over) => this.told.push(over ? "lost" : "failed"),
  });

  async answer(answer: Seen | Error): Promise<void> {
    const waiting = this.answers.shift();
    assert.ok(waiting, "no question is on its way");
    this.onTheWay -= 1;
    if (answer instanceof Error) waiting.reject(answer);
    else waiting.resolve(answer);
    await settled();
  }
}

const offline = () => new Unreachable("no_network", "");

test("the page asks as often as the server wants, and goes on once the phone has confirmed", async () => {
  const page = new Page();
  page.watch.start();
  await page.answer(seen("waiting"));
  await page.time.pass(1_999);
  assert.equal(page.asked, 1);
  await page.time.pass(1);
  await page.answer(seen("scanned", "王*"));
  await page.time.pass(2_000);
  await page.answer(seen("confirmed", "王*"));
  await page.time.pass(600_000);
  assert.deepEqual(page.told, ["waiting", "scanned", "confirmed"]);
  assert.equal(page.asked, 3);
});

test("a question that takes long is not asked twice, whatever wakes the page", async () => {
  const page = new Page();
  page.watch.start();
  page.watch.start();
  await page.time.pass(60_000);
  page.watch.start();
  assert.equal(page.asked, 1);
  await page.answer(seen("waiting"));
  page.watch.start(); // the page is seen again: no need to wait
  assert.equal(page.asked, 2);
  await page.answer(seen("waiting"));
  await page.time.pass(1_000);
  assert.equal(page.asked, 2); // the pause that was cut short does not ask as well
  await page.time.pass(1_000);
  assert.equal(page.asked, 3);
});

test("while nothing answers, it asks less and less often, and as the server wishes; then as before", async () => {
  const page = new Page();
  page.watch.start();
  const pauses: number[] = [];
  for (const trouble of [offline(), offline(), offline(), offline(), offline(), problem("too_many_requests", 429, 45)]) {
    await page.answer(trouble);
    const before = page.time.now;
    const asked = page.asked;
    while (page.asked === asked) await page.time.pass(500);
    pauses.push(page.time.now - before);
  }
  assert.deepEqual(pauses, [2_000, 4_000, 8_000, 16_000, 20_000, 45_000]);
  await page.answer(seen("waiting"));
  await page.time.pass(2_000);
  assert.equal(page.asked, 8);
});

test("a code that is over, refused or unknown is not asked about any more", async () => {
  for (const last of [seen("expired"), seen("denied"), seen("used"), problem("scan_secret_wrong", 404)]) {
    const page = new Page();
    page.watch.start();
    await page.answer(last);
    await page.time.pass(600_000);
    page.watch.start();
    assert.equal(page.asked, 1);
    assert.deepEqual(page.told, [last instanceof Problem ? "lost" : (last as Seen).status]);
  }
});

test("a page that is gone asks nothing, and hears nothing of the question on its way", async () => {
  const page = new Page();
  page.watch.start();
  page.watch.stop();
  await page.answer(seen("confirmed"));
  await page.time.pass(600_000);
  assert.deepEqual(page.told, []);
  assert.equal(page.asked, 1);
});

test("the ticket is found in our link, in WeChat's code and in an ordinary code", () => {
  assert.equal(ticketOf({ ticket_id: ID }), ID);
  assert.equal(ticketOf({ scene: encodeURIComponent(ID) }), ID);
  assert.equal(ticketOf({ q: encodeURIComponent(`https://study.example/?scan=${ID}`) }), ID);
  assert.equal(scannedTicket(`https://study.example/?scan=${ID}&from=wechat`), ID);
  assert.equal(scannedTicket(`pkg-study/scan/scan?scene=${ID}`), ID);
  for (const other of ["", "https://pay.example/?code=1", `${ID}0`, "%E0%A4%A", `?scan=${ID}x`]) assert.equal(scannedTicket(other), null);
  assert.equal(ticketOf({}), null);
});
