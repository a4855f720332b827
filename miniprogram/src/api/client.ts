import type { Method, RequestPort, RequestResult, Timers } from "../platform";
import type { Input, Output, PathOf, Verb } from "./calls";
import { Problem, problemOf, Unreachable } from "./errors";

/** Where the session's token is kept. */
export interface SessionPort {
  token(): string | null;
  /** The server no longer knows `token`: forget it and ask the person to sign in. Called once for each token. */
  ended(token: string): void;
}

/** This front end's version, which the server is told. */
export interface VersionPort {
  ours: string;
  /** The server takes this version no longer: an update is needed. */
  tooOld(): void;
}

export interface Ports {
  request: RequestPort;
  timers: Timers;
  session: SessionPort;
  version?: VersionPort;
  /** From 0 up to 1, so that many phones do not come back at the same moment. */
  random?: () => number;
}

export interface CallOptions {
  timeoutMilliseconds?: number;
  /** How often to try again after a lost connection, a timeout or a 503. For GET, PUT and DELETE it is 2; for POST
   * 0, and a caller who knows that sending twice does no harm sets it. */
  retries?: number;
  /** The secret of a scanned ticket, in the place of the session's token. */
  ticket?: string;
}

interface Anything {
  path?: Record<string, string | number>;
  query?: Record<string, unknown>;
  body?: unknown;
}

const TIMEOUT = 15_000;
const GRACE = 2_000; // after the platform's own timeout, in case it never calls back
const PAUSES = [600, 2_000];
const LONGEST_PAUSE = 10_000; // a server that asks for more is answered to the person, who may try again

/** The API, over `uni.request`. Every failure is a `Problem` (the server said no) or `Unreachable`. */
export class Client {
  private readonly checks = new Map<string, Promise<void>>();
  private readonly over = new Set<string>();

  /** `base`: scheme and host without a slash at the end; empty in the browser, where the server is the page's own. */
  constructor(
    private readonly base: string,
    private readonly ports: Ports,
  ) {}

  /** Call `verb path`. Rejects with `Problem` or `Unreachable`. */
  async call<V extends Verb, P extends PathOf<V>>(
    verb: V,
    path: P,
    input: Input<P, V>,
    options: CallOptions = {},
  ): Promise<Output<P, V>> {
    const given = input as Anything;
    const url = this.base + address(path as string, given);
    const body = given.body === undefined ? undefined : JSON.stringify(given.body);
    const timeout = options.timeoutMilliseconds ?? TIMEOUT;
    const retries = options.retries ?? (verb === "post" ? 0 : PAUSES.length);
    for (let tried = 0; ; tried++) {
      const token = this.ports.session.token();
      try {
        const right = options.ticket !== undefined ? `Ticket ${options.ticket}` : bearer(token);
        return (await this.once(verb, url, body, right, timeout)) as Output<P, V>;
      } catch (error) {
        const pause = tried < retries ? this.pause(error, tried) : null;
        if (pause === null) {
          await this.refused(error, token);
          throw error;
        }
        await this.sleep(pause);
      }
    }
  }

  /** What a refusal means for the whole app: nobody is signed in any more, or this version is too old. `token`: whose
   * request it was. A picture's upload, which goes its own way, tells it too. */
  async refused(error: unknown, token: string | null): Promise<void> {
    if (token !== null && isSignedOut(error)) await this.check(token);
    if (error instanceof Problem && error.code === "client_too_old") this.ports.version?.tooOld();
  }

  private once(verb: Verb, url: string, body: string | undefined, right: string | null, timeout: number): Promise<unknown> {
    const header: Record<string, string> = { Accept: "application/json, application/problem+json" };
    if (body !== undefined) header["Content-Type"] = "application/json";
    if (right !== null) header["Authorization"] = right;
    if (this.ports.version) header["X-Client-Version"] = this.ports.version.ours;
    return new Promise((resolve, reject) => {
      let task: { abort(): void } | void = undefined;
      const late = this.ports.timers.after(timeout + GRACE, () => {
        task?.abort();
        reject(new Unreachable("timeout", `${verb} ${url}: no call back`));
      });
      task = this.ports.request({
        url,
        method: verb.toUpperCase() as Method,
        data: body,
        header,
        timeout,
        success(result) {
          late();
          try {
            resolve(answerOf(result));
          } catch (error) {
            reject(error);
          }
        },
        fail(error) {
          late();
          const detail = error.errMsg ?? "";
          reject(new Unreachable(/time ?out/i.test(detail) ? "timeout" : "no_network", detail));
        },
      });
    });
  }

  /** Milliseconds to wait before trying again; null where that is no use. */
  private pause(error: unknown, tried: number): number | null {
    const usual = PAUSES[Math.min(tried, PAUSES.length - 1)] ?? 0;
    const spread = 0.75 + (this.ports.random ?? Math.random)() / 2;
    if (error instanceof Unreachable) return usual * spread;
    if (!(error instanceof Problem) || error.status !== 503) return null;
    const asked = Math.max(usual, (error.retryAfterSeconds ?? 0) * 1000);
    return asked > LONGEST_PAUSE ? null : asked * (spread + 0.25);
  }

  /** Before a session is ended, `/me` is asked whether the server really does not know it. Many calls refused at once
   * ask once. */
  private check(token: string): Promise<void> {
    const running = this.checks.get(token);
    if (running !== undefined) return running;
    const asking = this.once("get", `${this.base}/api/v1/me`, undefined, bearer(token), TIMEOUT).then(
      () => undefined,
      (error: unknown) => {
        if (!isSignedOut(error) || this.over.has(token)) return;
        this.over.add(token);
        if (this.ports.session.token() === token) this.ports.session.ended(token);
      },
    );
    const done = () => void this.checks.delete(token);
    this.checks.set(token, asking);
    asking.then(done, done);
    return asking;
  }

  private sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.ports.timers.after(milliseconds, resolve));
  }
}

function bearer(token: string | null): string | null {
  return token === null ? null : `Bearer ${token}`;
}

function isSignedOut(error: unknown): boolean {
  return error instanceof Problem && error.status === 401 && error.code === "sign_in_first";
}

/** The path with its parameters, and the query. Raises `TypeError` for a parameter that is missing. */
function address(path: string, { path: values = {}, query = {} }: Anything): string {
  const place = path.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined || value === "") throw new TypeError(`${path} needs ${name}`);
    return encodeURIComponent(value);
  });
  const asked = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(String(value))}`);
  return asked.length ? `${place}?${asked.join("&")}` : place;
}

/** The JSON of a good answer. Raises `Problem`, or `Unreachable` if something else than our server answered. */
export function answerOf(result: RequestResult): unknown {
  const { statusCode: status, data } = result;
  if (status === 204) return undefined;
  const body = typeof data === "string" ? parsed(data) : data;
  if (status >= 200 && status < 300 && typeof body === "object" && body !== null) return body;
  const problem = status >= 400 ? problemOf(body, retryAfter(result.header)) : null;
  throw problem ?? new Unreachable("bad_answer", `status ${status} without JSON of ours`, status);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return null; // a page of somebody else's: `answerOf` says so
  }
}

function retryAfter(header: Record<string, unknown> = {}): number | null {
  for (const [name, value] of Object.entries(header)) {
    if (name.toLowerCase() === "retry-after" && /^\d{1,6}$/.test(String(value))) return Number(value);
  }
  return null;
}
