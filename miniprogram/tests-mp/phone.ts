/** A phone with WeChat, on which the BUILT mini-program runs: its `wx`, its pages, and a finger. */

import { createVerify } from "node:crypto";
import path from "node:path";

import { Film } from "./film";
import { ask, Net } from "./net";
import { clear, furnish, require, room, ROOT, separateBranches } from "./room";

/** What the copy says of itself and of the person; see tests/mini_program.py. */
export interface Copy {
  base_url: string;
  sandbox_url: string;
  programme_title: string;
  id_number: string;
  password: string;
  own_password: string;
  phone: string;
  name: string;
  /** The mini-program's appId, and the merchant's public key. */
  app_id: string;
  merchant_key: string;
  /** The right options' texts, by the question's stem and its options. */
  answers: { stem: string; options: string[]; right: string[] }[];
}

/** A node of the simulator's tree. `_vt`: what was written for it. */
interface Node {
  childNodes: Node[];
  shadowRoot?: Node;
  $$?: HTMLElement;
  _vt?: { tagName: string; attrs: { name: string; value: unknown }[]; event: Record<string, { name: string }> };
  triggerLifeTime(name: string): void;
}

interface Instance {
  route: string;
  options: Record<string, string>;
  onLoad?(query: object): void;
  onShow?(): void;
  onHide?(): void;
  onUnload?(): void;
  onReady?(): void;
}

interface Rendered {
  dom: HTMLElement;
  instance: Instance;
  _exparserNode: Node;
  detach(): void;
}

interface Page {
  route: string;
  drawn: Rendered;
}

type Options = Record<string, unknown> & { success?(result: object): void; fail?(error: { errMsg: string }): void; complete?(): void };

const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const SCREEN = { pixelRatio: 2, windowWidth: 390, windowHeight: 844, screenWidth: 390, screenHeight: 844, statusBarHeight: 47, safeArea: { top: 47, bottom: 810, left: 0, right: 390, width: 390, height: 763 } };
const ABOUT = { ...SCREEN, platform: "ios", SDKVersion: "3.8.0", language: "zh_CN", version: "8.0.50", brand: "a phone", model: "a phone", system: "iOS 17", theme: "light" };

export class Phone {
  readonly net: Net;
  /** What the program finds as `wx`. */
  readonly wx: ReturnType<Phone["offered"]>;
  readonly toasts: string[] = [];
  readonly opened: { fileType: string; bytes: Buffer }[] = [];
  /** Payments that WeChat took: only those whose signature the merchant's public key proves. */
  readonly paid: Record<string, string>[] = [];
  private readonly storage = new Map<string, unknown>();
  private readonly loaded = new Map<string, string>();
  private readonly document: Document;
  private readonly simulate: { load(file: string, tag: string, options: object): string; render(id: string): Rendered };
  private readonly exparser: { Element: { pretendAttached(node: Node): void }; Event: { dispatchEvent(node: Node, event: object): void; create(name: string, detail: object, options: object): object } };
  private pages: Page[] = [];
  private readonly cameras = new WeakSet<Node>();
  private film: Film | null = null;
  private readonly hardware: NodeJS.Timeout;

  constructor(private readonly copy: Copy) {
    this.net = new Net(copy.base_url);
    this.document = furnish();
    separateBranches();
    this.simulate = require("miniprogram-simulate") as typeof this.simulate;
    this.exparser = require("miniprogram-exparser") as typeof this.exparser;
    this.wx = this.offered();
    room.wx = this.wx;
    let program: { onLaunch?(options: object): void; onShow?(options: object): void } = {};
    room.App = (options: typeof program) => (program = options);
    room.getApp = () => program;
    room.getCurrentPages = () => this.pages.map(({ drawn }) => drawn.instance);
    this.givePagesTheirRoute();
    clear();
    require(path.join(ROOT, "app.js"));
    program.onLaunch?.({ path: "", query: {}, scene: 1001 });
    program.onShow?.({ path: "", query: {}, scene: 1001 });
    this.hardware = setInterval(() => this.plugIn(), 100);
  }

  off(): void {
    clearInterval(this.hardware);
    this.film?.stop();
  }

  // --- pages ------------------------------------------------------------------------------------------------------

  private givePagesTheirRoute(): void {
    const component = room.Component as (options: Record<string, unknown>) => void;
    room.Component = (options: { lifetimes?: Record<string, unknown>; methods?: Record<string, unknown> }) => {
      const file = this.loading;
      if (options.methods?.onLoad) {
        const created = options.lifetimes?.created as ((this: Instance) => void) | undefined;
        options.lifetimes = {
          ...options.lifetimes,
          created(this: Instance) {
            this.route = file;
            created?.call(this);
          },
        };
      }
      component(options as Record<string, unknown>);
    };
    room.Page = room.Component;
  }

  private loading = "";

  /** Draw the page at `/path?query` and let it live through its beginning, in WeChat's order. */
  open(url: string): void {
    const [place = "", search = ""] = url.replace(/^\//, "").split("?");
    let id = this.loaded.get(place);
    if (id === undefined) {
      this.loading = place;
      id = this.simulate.load(path.join(ROOT, place), `page-${this.loaded.size}`, { rootPath: ROOT });
      this.loaded.set(place, id);
    }
    const query = Object.fromEntries(search.split("&").filter(Boolean).map((part) => part.split("=") as [string, string]));
    const drawn = this.simulate.render(id);
    const { instance } = drawn;
    instance.options = query;
    this.pages.push({ route: place, drawn });
    this.document.body.appendChild(drawn.dom);
    this.exparser.Element.pretendAttached(drawn._exparserNode);
    instance.onLoad?.(query);
    instance.onShow?.();
    for (const node of [...walk(drawn._exparserNode)].reverse()) if (node.shadowRoot) node.triggerLifeTime("ready");
    instance.onReady?.();
  }

  private close(page: Page): void {
    page.drawn.instance.onUnload?.();
    page.drawn.detach();
    page.drawn.dom.remove();
  }

  private get top(): Page {
    const page = this.pages[this.pages.length - 1];
    if (page === undefined) throw new Error("no page is open");
    return page;
  }

  get route(): string {
    return this.top.route;
  }

  private go(options: Partial<Options>, how: () => void): void {
    setTimeout(() => {
      how();
      options.success?.({});
      options.complete?.();
    });
  }

  // --- looking and touching ---------------------------------------------------------------------------------------

  /** What stands on the page that is open. */
  text(): string {
    return (this.top.drawn.dom.textContent ?? "").replace(/\s+/g, " ");
  }

  /** Wait until `what` stands on the page that is open, or is true. Fails with what stands there. */
  async until(what: string | (() => boolean), seconds = 20): Promise<void> {
    const deadline = Date.now() + seconds * 1000;
    const there = () => (typeof what === "string" ? this.text().includes(what) : what());
    while (!there()) {
      if (Date.now() > deadline) throw new Error(`not within ${seconds} s: ${String(what)}; on ${this.route} stands: ${this.text()}`);
      await pause(50);
    }
  }

  private *nodes(): Generator<Node> {
    yield* walk(this.top.drawn._exparserNode);
  }

  /** Press what has this name: its label for a screen reader, or its text. */
  async press(name: string, seconds = 20): Promise<void> {
    let found: Node | undefined;
    await this.until(() => (found = this.target(name)) !== undefined, seconds).catch((error: Error) => {
      throw new Error(`nothing to press: ${name}. ${error.message}`);
    });
    this.tell(found as Node, "tap");
    await pause(20);
  }

  private target(name: string): Node | undefined {
    const all = [...this.nodes()];
    const above = all.filter((node) => attribute(node, "role") === "dialog").flatMap((dialog) => [...walk(dialog)]);
    const touchable = [...above, ...all].filter((node) => hears(node, "tap") && node.$$?.isConnected && !attribute(node, "disabled"));
    return touchable.find((node) => named(node) === name) ?? touchable.find((node) => named(node).startsWith(name));
  }

  /** Whether something with this name can be pressed now. */
  has(name: string): boolean {
    return this.target(name) !== undefined;
  }

  /** Write into the field with this label. */
  async fill(label: string, value: string): Promise<void> {
    let found: Node | undefined;
    const fits = (node: Node) => node._vt?.tagName === "input" && String(attribute(node, "ariaLabel")).split("，")[0] === label;
    await this.until(() => (found = [...this.nodes()].find(fits)) !== undefined);
    this.tell(found as Node, "input", { value });
    await pause(20);
  }

  /** The names of the right options of the question that is shown. */
  rightOptions(): string[] {
    const shown = [...this.nodes()].filter((node) => ["radio", "checkbox"].includes(String(attribute(node, "role")))).map(named);
    const texts = shown.map((name) => name.replace(/^[A-F]：/, ""));
    const stem = this.text();
    const known = this.copy.answers.find((each) => stem.includes(each.stem.replace(/\s+/g, " ")) && each.options.every((text) => texts.includes(text)));
    if (known === undefined) throw new Error(`no such question in the bank: ${stem}`);
    return shown.filter((_, at) => known.right.includes(texts[at] ?? ""));
  }

  /** Let `node` hear an event. */
  private tell(node: Node, event: string, detail: object = {}): void {
    const made = this.exparser.Event.create(event, detail, { bubbles: event === "tap", capturePhase: true, composed: true, extraFields: { touches: [], changedTouches: [] } });
    this.exparser.Event.dispatchEvent(node, made);
  }

  /** Cameras begin when they are drawn, films when they are given an address. */
  private plugIn(): void {
    if (this.pages.length === 0) return;
    for (const node of this.nodes()) {
      if (node._vt?.tagName === "camera" && !this.cameras.has(node)) {
        this.cameras.add(node);
        this.tell(node, "initdone");
      }
      const source = attribute(node, "src");
      if (node._vt?.tagName === "video" && typeof source === "string" && source !== "") {
        this.film ??= this.player();
        if (this.film.source !== source) void this.film.load(source);
      }
    }
  }

  private player(): Film {
    const video = () => [...this.nodes()].find((node) => node._vt?.tagName === "video");
    return new Film(
      async (address) => (await this.net.get(address)).body,
      (event, detail) => {
        const node = video();
        if (node) this.tell(node, event, detail);
      },
    );
  }

  // --- what WeChat offers -----------------------------------------------------------------------------------------

  /** The face in front of the camera, as a temporary file. */
  private async picture(): Promise<string> {
    const answer = await ask("GET", `${this.copy.sandbox_url}/_control/face.jpg?id_number=${this.copy.id_number}`);
    if (answer.status !== 200) throw new Error(`the face: ${answer.status}`);
    return this.net.keep(answer.body, "jpg");
  }

  async control(place: string, body: object): Promise<Record<string, string>> {
    const answer = await ask("POST", this.copy.sandbox_url + place, { "Content-Type": "application/json" }, JSON.stringify(body));
    if (answer.status !== 200) throw new Error(`${place}: ${answer.status} ${answer.body.toString()}`);
    return JSON.parse(answer.body.toString()) as Record<string, string>;
  }

  /** The code of the newest SMS that has come to the person's phone since `before` of them. */
  async smsCode(before: number): Promise<string> {
    let codes: string[] = [];
    for (let tried = 0; tried < 200 && codes.length <= before; tried++) {
      await pause(200);
      codes = await this.smsCodes();
    }
    if (codes[0] === undefined || codes.length <= before) throw new Error("no SMS has come");
    return codes[0];
  }

  async smsCodes(): Promise<string[]> {
    const answer = await ask("GET", `${this.copy.sandbox_url}/_control/sms?phone=${this.copy.phone}`);
    const messages = JSON.parse(answer.body.toString()) as { params: string[] }[];
    return messages.flatMap(({ params }) => params.slice(0, 1));
  }

  /** WeChat shows its own page only for parameters that the merchant has signed, and pays at its platform. */
  private async pay(given: Record<string, string>): Promise<void> {
    const signed = [this.copy.app_id, given.timeStamp, given.nonceStr, given.package].map((line) => `${line}\n`).join("");
    const fits = given.signType === "RSA" && createVerify("RSA-SHA256").update(signed).verify(this.copy.merchant_key, given.paySign ?? "", "base64");
    if (!fits) throw new Error("requestPayment:fail the signature is not the merchant's");
    await this.control("/_control/wechatpay/pay", { prepay_id: (given.package ?? "").replace("prepay_id=", "") });
    this.paid.push(given);
  }

  private offered() {
    const { storage, net } = this;
    const later = (options: Options | undefined, doing: () => object | Promise<object>) =>
      void Promise.resolve()
        .then(doing)
        .then(
          (result) => options?.success?.(result),
          (error: Error) => options?.fail?.({ errMsg: error.message }),
        )
        .then(() => options?.complete?.());
    const quiet = (options?: Options) => later(options, () => ({}));
    const about = () => ABOUT;
    return {
      request: net.request,
      uploadFile: net.uploadFile,
      downloadFile: net.downloadFile,
      getStorageSync: (key: string) => storage.get(key) ?? "",
      getStorage: (options: Options & { key: string }) => later(options, () => ({ data: storage.get(options.key) ?? "" })),
      setStorage: (options: Options & { key: string; data: unknown }) => later(options, () => storage.set(options.key, options.data)),
      setStorageSync: (key: string, value: unknown) => void storage.set(key, value),
      removeStorageSync: (key: string) => void storage.delete(key),
      getStorageInfoSync: () => ({ keys: [...storage.keys()], currentSize: 1, limitSize: 10_240 }),
      getSystemInfoSync: about,
      getWindowInfo: about,
      getDeviceInfo: about,
      getAppBaseInfo: about,
      getSystemSetting: () => ({}),
      getAppAuthorizeSetting: () => ({}),
      canIUse: () => true,
      getLaunchOptionsSync: () => ({ path: "", query: {}, scene: 1001 }),
      getEnterOptionsSync: () => ({ path: "", query: {}, scene: 1001 }),
      getAccountInfoSync: () => ({ miniProgram: { appId: this.copy.app_id, envVersion: "release" } }),
      getMenuButtonBoundingClientRect: () => ({ top: 51, height: 32, width: 87, left: 296, right: 383, bottom: 83 }),
      getUpdateManager: () => ({ onCheckForUpdate: (told: (found: object) => void) => told({ hasUpdate: false }), onUpdateReady: () => undefined, onUpdateFailed: () => undefined, applyUpdate: () => undefined }),
      getNetworkType: (options: Options) => later(options, () => ({ networkType: "wifi" })),
      onNetworkStatusChange: () => undefined,
      onAppShow: () => undefined,
      onAppHide: () => undefined,
      onError: () => undefined,
      onUnhandledRejection: () => undefined,
      onThemeChange: () => undefined,
      nextTick: (action: () => void) => setTimeout(action),
      setNavigationBarTitle: quiet,
      stopPullDownRefresh: quiet,
      pageScrollTo: quiet,
      hideShareMenu: quiet,
      setKeepScreenOn: quiet,
      enableAlertBeforeUnload: quiet,
      disableAlertBeforeUnload: quiet,
      setClipboardData: quiet,
      requestSubscribeMessage: quiet,
      requirePrivacyAuthorize: quiet,
      showToast: (options: Options & { title: string }) => {
        this.toasts.push(options.title);
        quiet(options);
      },
      login: (options: Options) => later(options, async () => ({ code: (await this.control("/_control/wechat/login_code", {})).code })),
      requestPayment: (options: Options & Record<string, string>) =>
        later(options, async () => {
          const { success: _success, fail: _fail, complete: _complete, ...given } = options;
          await this.pay(given as Record<string, string>);
          return { errMsg: "requestPayment:ok" };
        }),
      chooseMedia: (options: Options) => later(options, async () => ({ tempFiles: [{ tempFilePath: await this.picture() }] })),
      cropImage: (options: Options & { src: string }) => later(options, () => ({ tempFilePath: options.src })),
      compressImage: (options: Options & { src: string }) => later(options, () => ({ tempFilePath: options.src })),
      getFileInfo: (options: Options & { filePath: string }) => later(options, () => ({ size: net.files.get(options.filePath)?.length ?? 0 })),
      createCameraContext: () => ({
        onCameraFrame: () => ({ start: () => undefined, stop: () => undefined }),
        takePhoto: (options: Options) => later(options, async () => ({ tempImagePath: await this.picture() })),
      }),
      createVideoContext: () => ({
        play: () => (this.film ??= this.player()).play(),
        pause: () => this.film?.pause(),
        seek: (seconds: number) => this.film?.seek(seconds),
        requestFullScreen: () => undefined,
        exitFullScreen: () => undefined,
      }),
      arrayBufferToBase64: (bytes: ArrayBuffer) => Buffer.from(bytes).toString("base64"),
      openDocument: (options: Options & { filePath: string; fileType: string }) =>
        later(options, () => {
          const bytes = net.files.get(options.filePath);
          if (bytes === undefined) throw new Error("openDocument:fail no such file");
          this.opened.push({ fileType: options.fileType, bytes });
          return {};
        }),
      navigateTo: (options: Partial<Options> & { url: string }) =>
        this.go(options, () => {
          this.top.drawn.instance.onHide?.();
          this.open(options.url);
        }),
      redirectTo: (options: Partial<Options> & { url: string }) =>
        this.go(options, () => {
          this.close(this.pages.pop() as Page);
          this.open(options.url);
        }),
      reLaunch: (options: Partial<Options> & { url: string }) =>
        this.go(options, () => {
          for (const page of this.pages.splice(0).reverse()) this.close(page);
          this.open(options.url);
        }),
      navigateBack: (options: Options = {}) =>
        this.go(options, () => {
          this.close(this.pages.pop() as Page);
          this.top.drawn.instance.onShow?.();
        }),
    };
  }
}

function* walk(node: Node): Generator<Node> {
  yield node;
  if (node.shadowRoot) yield* walk(node.shadowRoot);
  for (const child of node.childNodes ?? []) yield* walk(child);
}

function attribute(node: Node, name: string): unknown {
  return node._vt?.attrs?.find((each) => each.name === name)?.value;
}

function hears(node: Node, event: string): boolean {
  return Object.values(node._vt?.event ?? {}).some(({ name }) => name === event);
}

/** The name of something for whoever presses it. */
function named(node: Node): string {
  return String(attribute(node, "ariaLabel") || (node.$$?.textContent ?? "")).replace(/\s+/g, " ").trim();
}
