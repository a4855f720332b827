import assert from "node:assert/strict";
import { createPinia, setActivePinia } from "pinia";
import { beforeEach, test } from "vitest";

import { moved, placed, shownPart, zoomed } from "../src/pkg-account/photo/cut";
import { usePhotoFlow } from "../src/pkg-account/photo/flow";
import { looksOf } from "../src/pkg-account/photo/looks";
import { Device, problem } from "./device";
import { settled } from "./time";

let phone: Device;
const picture = { path: "/tmp/me.jpg" };
const ground = { code: "ground", sentence: "背景不是白色。" };

beforeEach(() => {
  phone = new Device();
  setActivePinia(createPinia());
});

const checked = (...hints: object[]) => ({ statusCode: 200, data: { fine: !hints.length, hints } });

/** What a camera sees: `wall` behind somebody in the middle. */
function seen(wall: [number, number, number], person: [number, number, number] = [90, 80, 80], width = 48, height = 64) {
  const data: number[] = [];
  for (let y = 0; y < height; y += 1) {
    for (let x = 0; x < width; x += 1) data.push(...(x > width / 5 && x < (width * 4) / 5 && y > height / 6 ? person : wall), 255);
  }
  return { data, width, height };
}

test("in front of a white wall there is nothing to change; a dark room and a coloured wall are told", () => {
  assert.equal(looksOf(seen([235, 238, 236]), true), null);
  assert.equal(looksOf(seen([30, 30, 34], [40, 30, 30]), true), "dark");
  assert.equal(looksOf(seen([200, 120, 60]), true), "ground");
  assert.equal(looksOf(seen([200, 120, 60]), false), null);
  assert.equal(looksOf(seen([255, 255, 255], [240, 240, 240]), false), "bright");
  assert.equal(looksOf(seen([235, 238, 236], [90, 80, 80], 480, 640), true), null); // a phone's large frames too
});

test("the server's hints are shown before the photo is handed in, and a good one is kept", async () => {
  const { flow, check, keep } = usePhotoFlow();
  phone.replies = [checked(ground), checked(), { statusCode: 200, data: { status: "waiting", width: 295, height: 413 } }];
  await check.run(picture);
  assert.deepEqual([flow.stage, flow.hints], ["looked", [ground]]);
  await check.run(picture);
  assert.deepEqual([flow.stage, flow.hints], ["looked", []]);
  await keep.run();
  assert.deepEqual([flow.stage, flow.kept], ["saved", "waiting"]);
  assert.deepEqual(phone.uploaded.map(({ url, name }) => [url, name]), [
    ["/api/v1/photo/check", "photo"],
    ["/api/v1/photo/check", "photo"],
    ["/api/v1/photo", "photo"],
  ]);
});

test("a file that is no photo, and a photo of somebody else, say what to do in the place of the hints", async () => {
  const { flow, check, keep } = usePhotoFlow();
  phone.replies = [problem(415, "photo_not_picture"), checked(), problem(422, "photo_not_same_person"), problem(422, "photo_unfit", { hints: [ground] })];
  await check.run(picture);
  assert.deepEqual([flow.stage, flow.hints[0]?.sentence, check.trouble], ["looked", "请这样做。", null]);
  await check.run(picture);
  await keep.run();
  assert.deepEqual([flow.stage, flow.hints[0]?.code], ["looked", "photo_not_same_person"]);
  await keep.run();
  assert.deepEqual(flow.hints, [ground]);
});

test("without a network the picture stays, to be checked or kept again", async () => {
  const { flow, check, keep } = usePhotoFlow();
  phone.replies = [{ errMsg: "fail" }, checked(), { errMsg: "fail" }, { statusCode: 200, data: { status: "confirmed", width: 1, height: 1 } }];
  await check.run(picture);
  assert.deepEqual([flow.stage, flow.picture, check.trouble?.name], ["looked", picture, "Unreachable"]);
  await check.run(picture);
  await keep.run();
  assert.deepEqual([flow.stage, keep.trouble?.name], ["looked", "Unreachable"]);
  await keep.run();
  assert.equal(flow.kept, "confirmed");
});

const asked = (face: boolean) => [{ statusCode: 200, data: { points: [] } }, { statusCode: 200, data: { next: "home", consents: { face } } }];

test("the consent is asked for before the camera opens, once, and then it opens by itself", async () => {
  const { rule, flow, turnTo, withConsent, agreed } = usePhotoFlow();
  let opened = 0;
  const open = () => void (opened += 1);
  phone.replies = asked(false);
  await rule.run();
  withConsent(open);
  assert.deepEqual([flow.stage, opened], ["consent", 0]);
  turnTo("start"); // refused: nothing opens
  assert.equal(opened, 0);
  withConsent(open);
  agreed();
  assert.deepEqual([flow.stage, opened], ["start", 1]);
  withConsent(open);
  assert.deepEqual([flow.stage, opened], ["start", 2]);
});

test("who agreed at the first login is not asked again", async () => {
  const { rule, flow, withConsent } = usePhotoFlow();
  let opened = 0;
  phone.replies = asked(true);
  await rule.run();
  withConsent(() => void (opened += 1));
  assert.deepEqual([flow.stage, opened], ["start", 1]);
});

test("a consent that was withdrawn meanwhile is asked for, and the picture is kept without another press", async () => {
  const { flow, check, keep, agreed } = usePhotoFlow();
  phone.replies = [checked(), problem(403, "consent_needed"), { statusCode: 200, data: { status: "waiting", width: 1, height: 1 } }];
  await check.run(picture);
  await keep.run();
  assert.equal(flow.stage, "consent");
  agreed();
  assert.deepEqual([flow.stage, flow.picture], ["looked", picture]);
  await settled();
  assert.deepEqual([flow.stage, flow.kept], ["saved", "waiting"]);
});

test("a picture is cut without leaving the frame, however it is moved or made larger", () => {
  const frame = { width: 250, height: 350 };
  for (const size of [{ width: 4000, height: 3000 }, { width: 900, height: 2000 }, { width: 120, height: 100 }]) {
    let place = placed(size, frame);
    const [first] = [shownPart(place, frame)];
    assert.ok(Math.abs(first.width / first.height - 250 / 350) < 1e-9);
    for (const [right, down, times] of [[900, 900, 1.5], [-5000, 20, 9], [3, -7000, 0.1], [40, 40, 0.5]] as const) {
      place = zoomed(moved(place, right, down, size, frame), times, size, frame);
      const part = shownPart(place, frame);
      assert.ok(part.x >= -1e-6 && part.y >= -1e-6);
      assert.ok(part.x + part.width <= size.width + 1e-6 && part.y + part.height <= size.height + 1e-6);
      assert.ok(Math.abs(part.width / part.height - 250 / 350) < 1e-9);
    }
  }
});
