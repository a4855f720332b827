import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { afterEach, beforeEach, test, vi } from "vitest";

import { useHome } from "../src/stores/home";
import { useSession } from "../src/stores/session";
import { Device, problem } from "./device";
import { settled } from "./time";

let phone: Device;

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
  vi.useFakeTimers();
});
afterEach(() => void vi.useRealTimers());

/** As long as a question is tried again. */
async function patience(): Promise<void> {
  for (let tried = 0; tried < 3; tried += 1) {
    await settled();
    vi.advanceTimersByTime(4_000);
  }
  await settled();
}

const screen = { me: { name: "张" }, trainings: [{ enrolment_id: "e1" }], server_now: "2026-01-01T00:00:00+08:00" };

test("without a network the first screen is there as it was last, and says that it is old", async () => {
  useSession().begin({ token: "t1", next: "home" });
  phone.replies = [{ statusCode: 200, data: screen }];
  await useHome().home.run();
  setActivePinia(createPinia()); // the app is opened again, without a network
  const { home } = useHome();
  phone.replies = [{ errMsg: "fail" }, { errMsg: "fail" }, { errMsg: "fail" }];
  const asking = home.run();
  await patience();
  await asking;
  assert.deepEqual([home.data?.trainings.length, home.trouble?.name], [1, "Unreachable"]);
});

test("what the server refuses is not covered up with what was kept, and another session does not see it", async () => {
  useSession().begin({ token: "t1", next: "home" });
  phone.replies = [{ statusCode: 200, data: screen }];
  await useHome().home.run();
  setActivePinia(createPinia());
  phone.replies = [problem(409, "client_too_old")];
  await useHome().home.run();
  assert.equal(useHome().home.data, null);
  phone.stored.set("session.token", "theirs"); // signed in on another page of this browser
  setActivePinia(createPinia());
  phone.replies = [{ errMsg: "fail" }, { errMsg: "fail" }, { errMsg: "fail" }];
  const asking = useHome().home.run();
  await patience();
  await asking;
  assert.equal(useHome().home.data, null);
});

test("the kept first screen goes with the session", async () => {
  const session = useSession();
  session.begin({ token: "t1", next: "home" });
  phone.replies = [{ statusCode: 200, data: screen }, { statusCode: 204 }];
  await useHome().home.run();
  assert.equal(phone.stored.has("home.kept"), true);
  await session.leave();
  assert.equal(phone.stored.has("home.kept"), false);
});
