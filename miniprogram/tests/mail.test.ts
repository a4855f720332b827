import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";

import { useMail } from "../src/pkg-account/messages/use-mail";
import { useHome, type Home } from "../src/stores/home";
import { useSession } from "../src/stores/session";
import { Device, problem } from "./device";

const HOSTILE = "<img src=x onerror=alert(1)>\n第二行";
const line = { id: "a1", title: "七月考试安排", starts_at: "2026-06-01T09:00:00+08:00", read: false };
let phone: Device;

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
  useSession().begin({ token: "t1", next: "home" });
});

async function opened() {
  const mail = useMail();
  phone.replies = [{ statusCode: 200, data: { unread: 1, announcements: [{ ...line }] } }];
  await mail.announcements.run();
  useHome().home.data = { unread: 1, trainings: [] } as unknown as Home;
  return mail;
}

test("an announcement that is opened is read, here and on the first screen", async () => {
  const mail = await opened();
  phone.replies = [{ statusCode: 200, data: { ...line, read: true, body: HOSTILE } }];
  assert.equal(await mail.read.run("a1"), true);
  assert.equal(mail.open, "a1");
  assert.equal(mail.texts.a1, HOSTILE);
  assert.equal(mail.announcements.data?.[0]?.read, true);
  assert.equal(useHome().home.data?.unread, 0);
});

test("opened again it is not asked for again, and counted once", async () => {
  const mail = await opened();
  phone.replies = [{ statusCode: 200, data: { ...line, read: true, body: "正文" } }];
  await mail.read.run("a1");
  const asked = phone.asked.length;
  await mail.read.run("a1");
  assert.equal(mail.open, null);
  await mail.read.run("a1");
  assert.equal(mail.open, "a1");
  assert.equal(phone.asked.length, asked);
  assert.equal(useHome().home.data?.unread, 0);
});

test("one that was withdrawn meanwhile says so and stays closed", async () => {
  const mail = await opened();
  phone.replies = [problem(404, "not_found")];
  assert.equal(await mail.read.run("a1"), false);
  assert.equal(mail.open, null);
  assert.equal(mail.read.trouble?.sentence, "请这样做。");
  assert.equal(useHome().home.data?.unread, 1);
});
