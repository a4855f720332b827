import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";

import { api, upload } from "../src/api";
import { Problem } from "../src/api/errors";
import { guard, go, onward, takeFarewell } from "../src/navigation";
import { useHome } from "../src/stores/home";
import { useSession } from "../src/stores/session";
import { useSettings } from "../src/stores/settings";
import { Device, problem } from "./device";

let phone: Device;

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
});

const who = { programme: "yunnan", id_number: "53", password: "x" };
const signedIn = (next: string) => ({ statusCode: 200, data: { token: "t1", next, activated: next === "home", must_change_password: false } });

test("a sign-in is kept on the phone, and known when the app starts again", async () => {
  phone.replies = [signedIn("home")];
  await useSession().signIn(who);
  assert.deepEqual(JSON.parse(phone.asked[0]?.data ?? ""), { ...who, channel: "mini_program" });

  setActivePinia(createPinia());
  assert.equal(useSession().stage, "trainee");
  assert.equal(useSession().token, "t1");
});

test("whoever is not signed in is led to the login, and afterwards to where they wanted to go", async () => {
  go("order", { order_id: "o1" });
  assert.deepEqual(phone.went, ["reLaunch /pages/login/login"]);
  phone.replies = [signedIn("home")];
  await useSession().signIn(who);
  onward();
  assert.equal(phone.went[1], "reLaunch /pkg-orders/order/order?order_id=o1");
  onward();
  assert.equal(phone.went[2], "reLaunch /pages/home/home");
});

test("whoever has steps of the first login left is led to the next one, from any page", async () => {
  phone.replies = [signedIn("consent")];
  await useSession().signIn(who);
  assert.equal(guard(), false);
  assert.deepEqual(phone.went, ["reLaunch /pkg-account/consent/consent"]);
  phone.pages = [{ route: "pkg-account/face/face", options: {} }];
  assert.equal(guard(), true);
});

test("a session that the server ended leads to the login, which says so, and back", async () => {
  phone.replies = [signedIn("home"), problem(401, "sign_in_first"), problem(401, "sign_in_first")];
  const session = useSession();
  await session.signIn(who);
  phone.pages = [{ route: "pkg-study/training/training", options: { enrolment_id: "e1" } }];
  await assert.rejects(api.call("get", "/api/v1/orders", {}), Problem);

  assert.equal(session.token, null);
  assert.equal(phone.stored.has("session.token"), false);
  assert.equal(phone.went[0], "reLaunch /pages/login/login");
  assert.equal(takeFarewell(), "登录已过期，请重新登录。");
  assert.equal(takeFarewell(), null);
  session.begin({ token: "t2", next: "home" });
  onward();
  assert.equal(phone.went[1], "reLaunch /pkg-study/training/training?enrolment_id=e1");
});

test("a sign-out forgets what is somebody's, even if the server cannot be told", async () => {
  const session = useSession();
  session.begin({ token: "t1", next: "home" });
  const { home } = useHome();
  phone.replies = [{ statusCode: 200, data: { me: {}, trainings: [], server_now: "2026-01-01T00:00:00+08:00" } }, { errMsg: "fail" }];
  await home.run();
  assert.notEqual(home.data, null);
  await assert.rejects(session.leave());
  assert.equal(session.stage, "anyone");
  assert.equal(home.data, null);
});

test("an old page of this browser takes nothing from whoever signed in on another one meanwhile", async () => {
  useSession().begin({ token: "old", next: "home" });
  phone.stored.set("session.token", "theirs"); // signed in on another page
  phone.replies = [problem(401, "sign_in_first"), problem(401, "sign_in_first")];
  await assert.rejects(api.call("get", "/api/v1/orders", {}), Problem);
  assert.equal(useSession().stage, "anyone");
  assert.equal(phone.stored.get("session.token"), "theirs");
});

test("a picture that is refused because the session ended leads to the login like every other call", async () => {
  useSession().begin({ token: "of-the-picture", next: "home" });
  phone.replies = [problem(401, "sign_in_first"), problem(401, "sign_in_first")];
  await assert.rejects(upload({ path: "/api/v1/photo", name: "photo", picture: { path: "/tmp/x.jpg" } }), Problem);
  assert.equal(useSession().token, null);
  assert.equal(phone.went[0], "reLaunch /pages/login/login");
});

test("big text and the chosen programme are remembered", () => {
  Object.assign(useSettings(), { bigText: true, programme: "yunnan" });
  setActivePinia(createPinia());
  assert.equal(useSettings().bigText, true);
  assert.equal(useSettings().programme, "yunnan");
});
