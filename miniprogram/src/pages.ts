/** Every screen by its name: where it lies, and to whom it is open. `anyone` needs no login, `activating` one that may
 * have steps of the first login left, `trainee` a whole one. A page that is added to pages.json is added here. */

export type Stage = "anyone" | "activating" | "trainee";

export const PAGES = {
  login: { path: "pages/login/login", open: "anyone" },
  home: { path: "pages/home/home", open: "trainee" },

  activation: { path: "pkg-account/activation/activation", open: "activating" },
  "own-password": { path: "pkg-account/own-password/own-password", open: "activating" },
  consent: { path: "pkg-account/consent/consent", open: "activating" },
  forgotten: { path: "pkg-account/forgotten/forgotten", open: "anyone" },
  photo: { path: "pkg-account/photo/photo", open: "trainee" },
  face: { path: "pkg-account/face/face", open: "activating" },
  privacy: { path: "pkg-account/privacy/privacy", open: "trainee" },
  messages: { path: "pkg-account/messages/messages", open: "activating" },
  settings: { path: "pkg-account/settings/settings", open: "trainee" },
  phone: { path: "pkg-account/phone/phone", open: "trainee" },
  wechat: { path: "pkg-account/wechat/wechat", open: "trainee" },
  contact: { path: "pkg-account/contact/contact", open: "anyone" },
  help: { path: "pkg-account/help/help", open: "trainee" },
  "help-ticket": { path: "pkg-account/help-ticket/help-ticket", open: "trainee" },
  about: { path: "pkg-account/about/about", open: "anyone" },
  download: { path: "pkg-account/download/download", open: "anyone" },
  texts: { path: "pkg-account/texts/texts", open: "anyone" },

  training: { path: "pkg-study/training/training", open: "trainee" },
  player: { path: "pkg-study/player/player", open: "trainee" },
  scan: { path: "pkg-study/scan/scan", open: "trainee" },
  "scan-login": { path: "pkg-study/scan-login/scan-login", open: "anyone" },

  "exam-notice": { path: "pkg-exam/notice/notice", open: "trainee" },
  exam: { path: "pkg-exam/exam/exam", open: "trainee" },
  "exam-result": { path: "pkg-exam/result/result", open: "trainee" },
  proof: { path: "pkg-exam/proof/proof", open: "trainee" },

  "sign-up": { path: "pkg-orders/sign-up/sign-up", open: "trainee" },
  checkout: { path: "pkg-orders/checkout/checkout", open: "trainee" },
  order: { path: "pkg-orders/order/order", open: "trainee" },
  orders: { path: "pkg-orders/orders/orders", open: "trainee" },
  invoices: { path: "pkg-orders/invoices/invoices", open: "trainee" },
  invoice: { path: "pkg-orders/invoice/invoice", open: "trainee" },
  payer: { path: "pkg-orders/payer/payer", open: "trainee" },
} as const satisfies Record<string, { path: string; open: Stage }>;

export type PageName = keyof typeof PAGES;
export type Query = Record<string, string | number | undefined>;

const RANK: Record<Stage, number> = { anyone: 0, activating: 1, trainee: 2 };

/** Whether a page is open to somebody at this stage. */
export function isOpen(page: PageName, stage: Stage): boolean {
  return RANK[stage] >= RANK[PAGES[page].open];
}

/** The page's address inside the app, with its query. */
export function addressOf(page: PageName, query: Query = {}): string {
  const asked = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== "")
    .map(([name, value]) => `${name}=${encodeURIComponent(String(value))}`);
  return `/${PAGES[page].path}${asked.length ? `?${asked.join("&")}` : ""}`;
}

/** The address that a page was given in its query, as `back=…`; null for none of ours. WeChat hands a query over as it
 * was written. */
export function addressGiven(value: string | undefined): string | null {
  const address = value?.startsWith("%2F") ? decodeURIComponent(value) : value;
  return address?.startsWith("/") && pageAt(address) !== undefined ? address : null;
}

/** The page at a path such as `pages/home/home`; undefined for another's. */
export function pageAt(path: string): PageName | undefined {
  const bare = path.replace(/^\//, "").replace(/\?.*$/, "");
  return (Object.keys(PAGES) as PageName[]).find((name) => PAGES[name].path === bare);
}
