import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";

import { Problem, Unreachable } from "../src/api";
import { programmesOf } from "../src/pages/login/wrong-programme";
import { useProgrammes } from "../src/stores/programmes";
import { useSession } from "../src/stores/session";
import { useSettings } from "../src/stores/settings";
import { Device } from "./device";

let phone: Device;

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
});

test("whoever is signed in keeps their own programme, whichever they look at; others have the chosen one", async () => {
  const programmes = useProgrammes();
  const own = () => programmes.own?.key;
  phone.replies = [{ statusCode: 200, data: { items: [{ key: "yunnan" }, { key: "older" }] } }];
  await programmes.list.run();
  useSettings().programme = "yunnan";
  assert.equal(own(), "yunnan");

  useSession().begin({ token: "t1", next: "home" });
  assert.equal(own(), undefined, "not known yet: nobody else's is shown in its place");
  phone.replies = [{ statusCode: 200, data: { next: "home", programme: "older" } }];
  await useSession().load();
  assert.deepEqual([own(), programmes.chosen?.key], ["older", "yunnan"]);

  phone.replies = [{ statusCode: 204 }];
  await useSession().leave();
  assert.equal(own(), "yunnan");
});

test("only a right password in the wrong programme leads to another one", () => {
  const refused = (code: string) =>
    new Problem({ type: "", title: "", status: 409, code, detail: "", programmes: [{ key: "older", title: "旧版" }] } as never);
  assert.deepEqual(programmesOf(refused("other_programme")), [{ key: "older", title: "旧版" }]);
  assert.deepEqual(programmesOf(refused("login_failed")), []);
  assert.deepEqual(programmesOf(new Unreachable("timeout", "")), []);
  assert.deepEqual(programmesOf(null), []);
});
