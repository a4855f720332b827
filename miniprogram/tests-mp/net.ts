/** The phone's line to the running copy: plain HTTP from node, as `wx.request`, `wx.uploadFile` and `wx.downloadFile`. */

import { request as http } from "node:http";

/** The name that the built program asks. A line that asks another one fails the test. */
export const ORIGIN = "https://zhukao.invalid";

export interface Answer {
  status: number;
  header: Record<string, string>;
  body: Buffer;
}

/** Ask `url` for real. `body`: bytes to send. */
export function ask(method: string, url: string, header: Record<string, string> = {}, body?: Buffer | string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { "Content-Length": String(Buffer.byteLength(body)) };
    const call = http(url, { method, headers: { ...header, ...length } }, (response) => {
      const pieces: Buffer[] = [];
      response.on("data", (piece: Buffer) => pieces.push(piece));
      response.on("end", () => {
        const found = Object.entries(response.headers).map(([name, value]) => [name, String(value)]);
        resolve({ status: response.statusCode ?? 0, header: Object.fromEntries(found) as Record<string, string>, body: Buffer.concat(pieces) });
      });
      response.on("error", reject);
    });
    call.on("error", reject);
    call.end(body);
  });
}

interface Callbacks<T> {
  success?(result: T): void;
  fail?(error: { errMsg: string }): void;
  complete?(): void;
}

interface WxRequest extends Callbacks<{ statusCode: number; data: unknown; header: Record<string, string> }> {
  url: string;
  method?: string;
  data?: unknown;
  header?: Record<string, string>;
  responseType?: string;
}

interface WxUpload extends Callbacks<{ statusCode: number; data: string }> {
  url: string;
  name: string;
  filePath: string;
  formData?: Record<string, string>;
  header?: Record<string, string>;
}

interface WxDownload extends Callbacks<{ statusCode: number; tempFilePath: string }> {
  url: string;
}

/** `strangers`: what was asked of any other host. `log`: what was asked, as "GET /api/v1/home". */
export class Net {
  readonly strangers: string[] = [];
  readonly log: string[] = [];
  /** The phone's temporary files. */
  readonly files = new Map<string, Buffer>();
  private made = 0;

  constructor(private readonly copy: string) {}

  /** Keep bytes as a temporary file; gives its path. */
  keep(bytes: Buffer, kind: string): string {
    const file = `wxfile://tmp_${++this.made}.${kind}`;
    this.files.set(file, bytes);
    return file;
  }

  get(url: string, header: Record<string, string> = {}): Promise<Answer> {
    return ask("GET", this.real(url), header);
  }

  /** Where `url` really is: the name of the product leads to the copy, every other one nowhere. */
  private real(url: string): string {
    if (url.startsWith(`${ORIGIN}/`)) return this.copy + url.slice(ORIGIN.length);
    this.strangers.push(url);
    throw new Error(`url not in domain list: ${url}`);
  }

  private send<T>(options: Callbacks<T>, doing: () => Promise<T>): { abort(): void; onProgressUpdate(): void } {
    let off = false;
    const told = (tell: () => void) => {
      if (off) return;
      tell();
      options.complete?.();
    };
    doing().then(
      (result) => told(() => options.success?.(result)),
      (error: Error) => told(() => options.fail?.({ errMsg: `request:fail ${error.message}` })),
    );
    return { abort: () => (off = true), onProgressUpdate: () => undefined } as never;
  }

  readonly request = (options: WxRequest) =>
    this.send(options, async () => {
      const method = options.method ?? "GET";
      const body = options.data === undefined || method === "GET" ? undefined : typeof options.data === "string" ? options.data : JSON.stringify(options.data);
      this.log.push(`${method} ${options.url.replace(ORIGIN, "")}`);
      const answer = await ask(method, this.real(options.url), options.header, body);
      return { statusCode: answer.status, header: answer.header, data: options.responseType === "arraybuffer" ? bare(answer.body) : json(answer.body) };
    });

  readonly uploadFile = (options: WxUpload) =>
    this.send(options, async () => {
      const file = this.files.get(options.filePath);
      if (file === undefined) throw new Error(`no such file: ${options.filePath}`);
      this.log.push(`POST ${options.url.replace(ORIGIN, "")}`);
      const line = "----phone";
      const fields = Object.entries(options.formData ?? {}).map(([name, value]) => `--${line}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
      const head = `${fields.join("")}--${line}\r\nContent-Disposition: form-data; name="${options.name}"; filename="picture.jpg"\r\nContent-Type: image/jpeg\r\n\r\n`;
      const body = Buffer.concat([Buffer.from(head), file, Buffer.from(`\r\n--${line}--\r\n`)]);
      const answer = await ask("POST", this.real(options.url), { ...options.header, "Content-Type": `multipart/form-data; boundary=${line}` }, body);
      return { statusCode: answer.status, data: answer.body.toString() };
    });

  readonly downloadFile = (options: WxDownload) =>
    this.send(options, async () => {
      this.log.push(`GET ${options.url.replace(ORIGIN, "")}`);
      const answer = await this.get(options.url);
      return { statusCode: answer.status, tempFilePath: this.keep(answer.body, "bin") };
    });
}

/** An ArrayBuffer of its own. */
function bare(bytes: Buffer): ArrayBuffer {
  return Uint8Array.from(bytes).buffer;
}

/** Parsed where it is JSON, as WeChat does it. */
function json(bytes: Buffer): unknown {
  const text = bytes.toString();
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
