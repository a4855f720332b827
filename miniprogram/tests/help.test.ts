import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";
import { nextTick } from "vue";

import { useDraft } from "../src/pkg-account/help/draft";
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

test("pictures go first, each once, at most three", async () => {
  let sent = "";
  const { draft, add, hand } = useDraft("t1", (id) => (sent = id));
  for (let number = 0; number < 5; number += 1) add({ path: `/tmp/${number}.jpg` });
  assert.equal(draft.pictures.length, 3);
  draft.text = "截图在这里";
  phone.replies = [{ statusCode: 201, data: { id: "p1" } }, problem(503, "busy")];
  await hand();
  assert.equal(sent, "");
  phone.replies = [{ statusCode: 201, data: { id: "p2" } }, { statusCode: 201, data: { id: "p3" } }, taken];
  await hand();
  assert.equal(sent, "t1");
  assert.equal(phone.uploaded.length, 4, "the first was there already");
  const last = phone.asked[phone.asked.length - 1];
  assert.deepEqual((JSON.parse(last?.data ?? "{}") as { pictures: string[] }).pictures, ["p1", "p2", "p3"]);
});
