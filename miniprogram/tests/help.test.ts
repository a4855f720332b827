import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";
import { nextTick } from "vue";

import { MOST_BYTES, useDraft } from "../src/pkg-account/help/draft";
import { Device, problem } from "./device";

let phone: Device;
const ticket = { id: "t1", topic: "缴费与退款", status: "waiting", status_text: "", unread: false, created_at: "", changed_at: "" };
const taken = { statusCode: 201, data: ticket };

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
});

test("nothing is sent before there is something to be sent", async () => {
  const { draft, send, hand } = useDraft(null, () => assert.fail("sent"));
  await hand();
  assert.deepEqual(Object.keys(send.fields), ["topic", "text"]);
  assert.equal(phone.asked.length, 0);
  draft.text = "缴费后不能学习";
  await nextTick();
  assert.deepEqual(Object.keys(send.fields), [], "what is being mended is not called wrong");
});

test("words stay on the phone until the server has them, and go out under the same id", async () => {
  const first = useDraft(null, () => undefined);
  first.draft.topic = "payment";
  first.draft.text = "缴费后不能学习";
  await nextTick();
  const { client } = first.draft;

  const again = useDraft(null, () => undefined); // the app was closed in between
  assert.deepEqual([again.draft.text, again.draft.topic, again.draft.client], ["缴费后不能学习", "payment", client]);
  phone.replies = [problem(503, "busy"), taken];
  await again.hand();
  assert.ok(again.send.trouble);
  assert.equal(again.draft.text, "缴费后不能学习");
  await again.hand();
  const ids = phone.asked.map((request) => (JSON.parse(request.data ?? "{}") as { client_id: string }).client_id);
  assert.deepEqual(ids, [client, client]);

  const fresh = useDraft(null, () => undefined);
  assert.equal(fresh.draft.text, "");
  assert.notEqual(fresh.draft.client, client);
});

const kept = (id: string) => ({ statusCode: 201, data: { id } });
const offline = { errMsg: "request:fail" };

test("pictures go first, each once, at most three; without a network they wait for the words", async () => {
  let sent = "";
  const { draft, add, hand } = useDraft("t1", (id) => (sent = id));
  phone.replies = [kept("p1"), offline, offline];
  for (let number = 0; number < 3; number += 1) await add.run({ path: `/tmp/${number}.jpg` });
  assert.equal(add.trouble, null, "that there is no network is no fault of the picture's");
  await add.run({ path: "/tmp/3.jpg" });
  assert.match(add.fields.picture ?? "", /最多 3 张/);
  assert.equal(draft.pictures.length, 3);

  draft.text = "截图在这里";
  phone.replies = [kept("p2"), problem(503, "busy")];
  await hand();
  assert.equal(sent, "");
  phone.replies = [kept("p3"), taken];
  await hand();
  assert.equal(sent, "t1");
  assert.equal(phone.uploaded.length, 6, "what was there already was not sent again");
  const last = phone.asked[phone.asked.length - 1];
  assert.deepEqual((JSON.parse(last?.data ?? "{}") as { pictures: string[] }).pictures, ["p1", "p2", "p3"]);
});

test("a picture that is too large is refused as it is chosen, and not sent", async () => {
  const { draft, add } = useDraft(null, () => undefined);
  await add.run({ path: "blob:1", file: { size: MOST_BYTES + 1 } as File });
  assert.match(add.fields.picture ?? "", /超过 5 MB/);
  phone.bytes.set("/tmp/large.jpg", MOST_BYTES + 1);
  await add.run({ path: "/tmp/large.jpg" });
  assert.match(add.fields.picture ?? "", /超过 5 MB/);
  assert.deepEqual([draft.pictures.length, phone.uploaded.length], [0, 0]);
});

test("a file that is no picture goes away as it is chosen, and the server's sentence stays", async () => {
  const { draft, add, drop } = useDraft(null, () => undefined);
  phone.replies = [kept("p1"), problem(415, "photo_not_picture")];
  await add.run({ path: "/tmp/1.jpg" });
  await add.run({ path: "/tmp/words.jpg" });
  assert.deepEqual(draft.pictures.map((one) => one.id), ["p1"]);
  assert.equal(add.trouble?.sentence, "请这样做。");
  phone.replies = [problem(503, "pictures_busy")];
  await add.run({ path: "/tmp/2.jpg" });
  assert.equal(draft.pictures.length, 2, "a server that is busy says nothing of the picture");
  drop(1);
  assert.equal(add.trouble, null);
});
