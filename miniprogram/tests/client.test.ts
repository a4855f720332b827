import assert from "node:assert/strict";
import { test } from "vitest";

import { Client } from "../src/api/client";
import { Problem, Unreachable } from "../src/api/errors";
import type { RequestOptions, RequestResult } from "../src/platform";
import { settled, Time } from "./time";

type Reply = RequestResult | { errMsg: string } | "silence";

/** A platform whose `request` gives these replies in turn. */
class Platform {
  readonly time = new Time();
  readonly asked: RequestOptions[] = [];
  readonly ended: string[] = [];
  aborted = 0;
  token: string | null = "token-1";
  readonly client: Client;

  constructor(...replies: Reply[]) {
    this.client = new Client("https://example.test", {
      timers: this.time,
      random: () => 0.5,
      session: { token: () => this.token, ended: (token) => this.ended.push(token) },
      request: (options) => {
        this.asked.push(options);
        const reply = replies.shift();
        assert.ok(reply, `not expected: ${options.method} ${options.url}`);
        if (reply !== "silence") {
          void Promise.resolve().then(() => ("statusCode" in reply ? options.success(reply) : options.fail(reply)));
        }
        return { abort: () => void (this.aborted += 1) };
      },
    });
  }

  /** What `call` comes to when all the time it wants passes. */
  async outcome<T>(call: Promise<T>): Promise<T | Error> {
    const caught = call.catch((error: Error) => error);
    await this.time.pass(120_000);
    return caught;
  }
}

const ok = (data: unknown): RequestResult => ({ statusCode: 200, data });

function refused(status: number, code: string, more: object = {}, header: Record<string, string> = {}): RequestResult {
  const body = { type: `/api/docs#${code}`, title: code, status, code, detail: "请这样做。", request_id: "r1", ...more };
  return { statusCode: status, data: body, header };
}

test("a call puts its parameters, its body and the token where they belong", async () => {
  const platform = new Platform(ok({ code_url: "weixin://x" }));
  await platform.client.call("post", "/api/v1/orders/{order_id}/payments", {
    path: { order_id: "a/b 中" },
    body: { channel: "wechat_native" },
  });
  const [asked] = platform.asked;
  assert.equal(asked?.url, "https://example.test/api/v1/orders/a%2Fb%20%E4%B8%AD/payments");
  assert.equal(asked.method, "POST");
  assert.equal(asked.data, '{"channel":"wechat_native"}');
  assert.equal(asked.header["Authorization"], "Bearer token-1");
  assert.equal(asked.header["Content-Type"], "application/json");
});

test("a query leaves out what is not given", async () => {
  const platform = new Platform(ok({}));
  platform.token = null;
  await platform.client.call("get", "/api/v1/sign-ups", { query: { programme: "yun nan", kind: undefined } });
  assert.equal(platform.asked[0]?.url, "https://example.test/api/v1/sign-ups?programme=yun%20nan");
  assert.equal("Authorization" in platform.asked[0].header, false);
});

test("text that the platform did not parse is parsed", async () => {
  const platform = new Platform({ statusCode: 200, data: '{"orders":[]}' });
  assert.deepEqual(await platform.client.call("get", "/api/v1/orders", {}), { orders: [] });
});

test("an answer without a body is undefined", async () => {
  const platform = new Platform({ statusCode: 204, data: "" });
  assert.equal(await platform.client.call("post", "/api/v1/logout", {}), undefined);
});

test("a refusal has its code, its sentence, its fields and what it carries besides", async () => {
  const fields = { new_password: "密码太短。", answers: { "0": { choice: "请选择。" } } };
  const platform = new Platform(refused(409, "studying_elsewhere", { fields, seconds_ago: 12 }, { "Retry-After": "7" }));
  const error = await platform.outcome(
    platform.client.call("post", "/api/v1/enrolments/{enrolment_id}/lessons/{lesson_id}/play", {
      path: { enrolment_id: "e", lesson_id: "l" },
      body: { device: "12345678" },
    }),
  );
  assert.ok(error instanceof Problem);
  assert.equal(error.code, "studying_elsewhere");
  assert.equal(error.sentence, "请这样做。");
  assert.deepEqual(error.fields, { new_password: "密码太短。", "answers.0.choice": "请选择。" });
  assert.deepEqual(error.extra, { seconds_ago: 12 });
  assert.deepEqual([error.status, error.retryAfterSeconds, error.requestId], [409, 7, "r1"]);
});

test("a page of a hotel's network is not taken for an answer", async () => {
  for (const reply of [ok("<html>请登录</html>"), { statusCode: 302, data: "" }, { statusCode: 502, data: "<html>" }]) {
    const platform = new Platform(reply);
    const error = await platform.outcome(platform.client.call("get", "/api/v1/home", {}, { retries: 0 }));
    assert.ok(error instanceof Unreachable);
    assert.equal(error.trouble, "bad_answer");
  }
});

test("reading is tried again, and writing by POST is not", async () => {
  const lost = { errMsg: "request:fail" };
  const reading = new Platform(lost, refused(503, "busy"), ok({ orders: [] }));
  assert.deepEqual(await reading.outcome(reading.client.call("get", "/api/v1/orders", {})), { orders: [] });
  const writing = new Platform(lost);
  const error = await writing.outcome(writing.client.call("post", "/api/v1/logout", {}));
  assert.ok(error instanceof Unreachable);
  assert.equal(error.trouble, "no_network");
  const knowing = new Platform(lost, { statusCode: 204, data: "" });
  assert.equal(await knowing.outcome(knowing.client.call("post", "/api/v1/logout", {}, { retries: 1 })), undefined);
});

test("trying again ends, and a refusal is not tried again", async () => {
  const lost = { errMsg: "request:fail timeout" };
  const platform = new Platform(lost, lost, lost);
  const error = await platform.outcome(platform.client.call("get", "/api/v1/orders", {}));
  assert.ok(error instanceof Unreachable);
  assert.equal(error.trouble, "timeout");
  for (const reply of [refused(404, "not_found"), refused(429, "too_many_requests"), refused(500, "internal")]) {
    const once = new Platform(reply);
    assert.ok((await once.outcome(once.client.call("get", "/api/v1/orders", {}))) instanceof Problem);
  }
});

test("a 503 is not asked again before the time it names, nor if that is long", async () => {
  const platform = new Platform(refused(503, "busy", {}, { "retry-after": "3" }), ok({ orders: [] }));
  const call = platform.client.call("get", "/api/v1/orders", {});
  await platform.time.pass(2_900);
  assert.equal(platform.asked.length, 1);
  assert.deepEqual(await platform.outcome(call), { orders: [] });
  const long = new Platform(refused(503, "busy", {}, { "Retry-After": "60" }));
  assert.ok((await long.outcome(long.client.call("get", "/api/v1/orders", {}))) instanceof Problem);
});

test("a platform that never calls back is given up", async () => {
  const platform = new Platform("silence");
  const error = await platform.outcome(
    platform.client.call("post", "/api/v1/logout", {}, { timeoutMilliseconds: 5_000 }),
  );
  assert.ok(error instanceof Unreachable);
  assert.equal(error.trouble, "timeout");
  assert.equal(platform.aborted, 1);
});

test("a session that the server no longer knows ends once", async () => {
  const gone = refused(401, "sign_in_first");
  const platform = new Platform(gone, gone, gone);
  const both = await Promise.allSettled([
    platform.client.call("get", "/api/v1/orders", {}),
    platform.client.call("get", "/api/v1/home", {}),
  ]);
  assert.ok(both.every((each) => each.status === "rejected" && each.reason instanceof Problem));
  assert.deepEqual(platform.ended, ["token-1"]);
  assert.equal(platform.asked[2]?.url, "https://example.test/api/v1/me");
});

test("a session that has not finished its activation does not end", async () => {
  const platform = new Platform(refused(401, "sign_in_first"), ok({ next: "activate" }));
  assert.ok((await platform.outcome(platform.client.call("get", "/api/v1/home", {}))) instanceof Problem);
  assert.deepEqual(platform.ended, []);
});

test("a late 401 of an old session does not end the new one", async () => {
  const platform = new Platform(refused(401, "sign_in_first"), refused(401, "sign_in_first"));
  const call = platform.client.call("get", "/api/v1/home", {}).catch((error: Error) => error);
  platform.token = "token-2";
  await settled();
  assert.ok((await call) instanceof Problem);
  assert.deepEqual(platform.ended, []);
});

test("a wrong password or an old ticket is no end of the session", async () => {
  for (const code of ["login_failed", "play_ticket_invalid"]) {
    const platform = new Platform(refused(401, code));
    await platform.outcome(platform.client.call("post", "/api/v1/logout", {}));
    assert.deepEqual([platform.ended, platform.asked.length], [[], 1]);
  }
});

test("a parameter that is missing at run time is a mistake, not a request", async () => {
  const platform = new Platform();
  const call = platform.client.call("get", "/api/v1/orders/{order_id}", { path: { order_id: "" } });
  await assert.rejects(call, TypeError);
});
