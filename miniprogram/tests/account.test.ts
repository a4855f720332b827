import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";

import { api } from "../src/api";
import { Problem } from "../src/api/errors";
import { returnTo } from "../src/navigation";
import { addressGiven, addressOf } from "../src/pages";
import { standOf } from "../src/pkg-account/about/versions";
import { momentText } from "../src/pkg-account/parts/dates";
import { codeFields, firstSteps, newPasswordFields, waysOf } from "../src/pkg-account/parts/steps";
import { useSession } from "../src/stores/session";
import { Device, problem } from "./device";

let phone: Device;

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
});

test("the steps of the first login stand in their order, those before the next one are done", () => {
  const done = (next: Parameters<typeof firstSteps>[0]) => firstSteps(next).map((step) => step.done);
  assert.deepEqual(done("activate"), [false, false, false]);
  assert.deepEqual(done("password"), [true, false, false]);
  assert.deepEqual(done("consent"), [true, true, false]);
  assert.deepEqual(done("home"), [true, true, true]);
});

test("an account is activated by SMS where there is a phone, else by the face, else by the support", () => {
  assert.deepEqual(waysOf({ activation_methods: ["face", "sms"], phone: "138****0000" }), ["sms", "face"]);
  assert.deepEqual(waysOf({ activation_methods: ["sms", "face"], phone: null }), ["face"]);
  assert.deepEqual(waysOf({ activation_methods: ["sms"], phone: null }), []);
});

test("what is missing in a form is said before the server is asked", () => {
  assert.deepEqual(codeFields("12345"), { code: "请填写短信里的 6 位数字。" });
  assert.deepEqual(codeFields("123456"), {});
  assert.ok(newPasswordFields("short", "short").new_password);
  assert.ok(newPasswordFields("long-enough", "other").again);
  assert.deepEqual(newPasswordFields("long-enough", "long-enough"), {});
});

test("a version is compared by its numbers", () => {
  assert.equal(standOf("1.10.0", { version: "1.10.0", minimum: "1.9.0" }), "newest");
  assert.equal(standOf("1.9.0", { version: "1.10.0", minimum: "1.9.0" }), "old");
  assert.equal(standOf("1.8.9", { version: "1.10.0", minimum: "1.9.0" }), "too_old");
});

test("every call says which version asks, and a version that is too old is led to the update", async () => {
  phone.replies = [problem(409, "client_too_old")];
  await assert.rejects(api.call("get", "/api/v1/home", {}), Problem);
  assert.equal(phone.asked[0]?.header["X-Client-Version"], "1.2.3");
  assert.deepEqual(phone.went, ["reLaunch /pkg-account/about/about"]);
});

test("a page that was asked to lead back leads to a page of ours, and goes back where that one waits", () => {
  const player = addressOf("player", { enrolment_id: "e1", lesson_id: "l1" });
  assert.equal(addressGiven(player), player);
  assert.equal(addressGiven(encodeURIComponent(player)), player); // as WeChat hands it over
  for (const bad of [undefined, "", "https://evil.test/", "//evil.test", "/nowhere"]) assert.equal(addressGiven(bad), null);

  phone.pages = [{ route: "pkg-study/player/player", options: {} }, { route: "pkg-account/face/face", options: {} }];
  returnTo(player);
  phone.pages = [{ route: "pages/home/home", options: {} }, { route: "pkg-account/face/face", options: {} }];
  returnTo(player);
  assert.deepEqual(phone.went, ["navigateBack", `redirectTo ${player}`]);
});

test("signing out everywhere needs the server: without it nobody is signed out here either", async () => {
  const session = useSession();
  session.begin({ token: "t1", next: "home" });
  phone.replies = [{ errMsg: "fail" }, { statusCode: 204 }];
  await assert.rejects(session.leaveEverywhere());
  assert.equal(session.token, "t1");
  await session.leaveEverywhere();
  assert.equal(session.token, null);
  assert.deepEqual(JSON.parse(phone.asked[1]?.data ?? ""), { everywhere: true });
});

test("a moment is written as people say it", () => {
  assert.equal(momentText("2026-01-05T14:03:09+08:00"), "2026年1月5日 14:03");
  assert.equal(momentText(null), "");
});
