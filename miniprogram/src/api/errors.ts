import type { components } from "./schema";

type ProblemBody = components["schemas"]["Problem"];

/** The stable codes that the server answers with. */
export type ProblemCode = ProblemBody["code"];

const KNOWN = ["type", "title", "status", "code", "detail", "fields", "request_id"];

/** The server refused, and says why (problem+json, RFC 9457). */
export class Problem extends Error {
  override readonly name = "Problem";
  readonly status: number;
  readonly code: ProblemCode;
  /** What to show: it says what to do next. */
  readonly sentence: string;
  /** For each form field that is wrong, one sentence; nested fields as `answers.0.choice`. */
  readonly fields: Readonly<Record<string, string>>;
  /** What this code carries besides: `seconds_ago`, `answer`, `result`, `hints` … */
  readonly extra: Readonly<Record<string, unknown>>;
  /** From `Retry-After`, or the body's `retry_after` (an upload tells no headers): when to try again, if it was said. */
  readonly retryAfterSeconds: number | null;
  /** To tell the support. */
  readonly requestId: string | null;

  constructor(body: ProblemBody, retryAfterSeconds: number | null = null) {
    super(`${body.status} ${body.code}`);
    this.status = body.status;
    this.code = body.code;
    this.sentence = body.detail;
    this.fields = flat(body.fields);
    const told: unknown = (body as { retry_after?: unknown }).retry_after;
    this.retryAfterSeconds = retryAfterSeconds ?? (typeof told === "number" ? told : null);
    this.requestId = body.request_id ?? null;
    const extra: Record<string, unknown> = {};
    for (const [name, value] of Object.entries(body)) if (!KNOWN.includes(name)) extra[name] = value;
    this.extra = extra;
  }
}

export type Trouble = "no_network" | "timeout" | "bad_answer";

const SENTENCES: Record<Trouble, string> = {
  no_network: "网络不通，请检查网络后再试。",
  timeout: "网络太慢，没有等到结果，请稍后再试。",
  bad_answer: "没有连上学习系统。如果正在使用需要登录的无线网络，请先登录该网络或改用手机流量。",
};

/** Nothing of the server's arrived. What was asked for may have been done all the same. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
  readonly sentence: string;

  /** `detail` is for the log; `status` is set where something else than our server answered. */
  constructor(
    readonly trouble: Trouble,
    detail: string,
    readonly status: number | null = null,
  ) {
    super(`${trouble}: ${detail}`);
    this.sentence = SENTENCES[trouble];
  }
}

/** The problem in an answer's parsed body, or null if it is none. */
export function problemOf(body: unknown, retryAfterSeconds: number | null): Problem | null {
  if (typeof body !== "object" || body === null) return null;
  const { code, detail, status } = body as Partial<Record<keyof ProblemBody, unknown>>;
  if (typeof code !== "string" || typeof detail !== "string" || typeof status !== "number") return null;
  return new Problem(body as ProblemBody, retryAfterSeconds);
}

function flat(fields: unknown, before = ""): Record<string, string> {
  if (typeof fields === "string") return { [before]: fields };
  if (typeof fields !== "object" || fields === null) return {};
  const all: Record<string, string> = {};
  for (const [name, value] of Object.entries(fields)) Object.assign(all, flat(value, before ? `${before}.${name}` : name));
  return all;
}
