/** Going from screen to screen. Whoever may not see a page is led to the login, or to the next step of the first login,
 * and from there back to where they wanted to go. */

import { timers } from "./device/ports";
import { addressOf, isOpen, pageAt, type PageName, type Query } from "./pages";
import { useSession } from "./stores/session";

let wanted: string | null = null; // where to go once signed in
let farewell: string | null = null; // what the login says, once
let underWay: string | null = null; // where we are being led to just now

const failed = ({ errMsg }: { errMsg: string }) => console.error(errMsg); // a page that is not there is a bug of ours

/** Open a page on top of this one. */
export function go(page: PageName, query?: Query): void {
  const address = addressOf(page, query);
  if (!isOpen(page, useSession().stage)) return detour(address);
  uni.navigateTo({ url: address, fail: () => uni.redirectTo({ url: address, fail: failed }) }); // ten pages are open: the last one goes
}

/** Open a page in the place of this one. */
export function swap(page: PageName, query?: Query): void {
  const address = addressOf(page, query);
  if (!isOpen(page, useSession().stage)) return detour(address);
  uni.redirectTo({ url: address, fail: failed });
}

/** Open a page and forget the ones before: after signing in or out, after paying. */
export function restart(page: PageName, query?: Query): void {
  const address = addressOf(page, query);
  if (!isOpen(page, useSession().stage)) return detour(address);
  launch(address);
}

/** Open the page that an address from outside means, in the place of the first page, which opens meanwhile. */
export function land(page: PageName, query?: Query): void {
  const address = addressOf(page, query);
  underWay = address;
  timers.after(0, () => {
    if (underWay === address) underWay = null;
    restart(page, query);
  });
}

/** Back to the page before; to the first screen where there is none. */
export function back(): void {
  if (getCurrentPages().length > 1) uni.navigateBack();
  else restart("home");
}

/** Back to the page at `address` after something was done for it: to the one before, if that is it. */
export function returnTo(address: string): void {
  const pages = getCurrentPages() as { route?: string }[];
  const before = pages[pages.length - 2]?.route;
  if (before !== undefined && pageAt(before) === pageAt(address)) uni.navigateBack();
  else uni.redirectTo({ url: address, fail: failed });
}

const STEPS = { activate: "activation", password: "own-password", consent: "consent", home: "home" } as const;

/** After a sign-in or a step of the first login: the next step, or where the person wanted to go at first. */
export function onward(): void {
  const step = STEPS[useSession().next];
  const address = step === "home" ? (wanted ?? addressOf("home")) : addressOf(step);
  if (step === "home") wanted = null;
  launch(address);
}

/** To the login, which says `sentence`; after it, back to the page that is open now (not when somebody signed out). */
export function toLogin(sentence: string | null = null): void {
  farewell = sentence;
  if (sentence === null) wanted = null;
  else wanted = here() ?? wanted;
  launch(addressOf("login"));
}

/** What the login has to say, once. */
export function takeFarewell(): string | null {
  const sentence = farewell;
  farewell = null;
  return sentence;
}

/** Called by every page as it opens (`z-page` does it): true if the person may see it; if not, they are led on. */
export function guard(): boolean {
  const page = current();
  if (page === undefined) return true;
  if (underWay !== null && pageAt(underWay) !== page.name) return false; // it is being left
  if (isOpen(page.name, useSession().stage)) return true;
  detour(addressOf(page.name, page.query));
  return false;
}

/** Open a page in the place of all others. Two that want the same at once get it once. */
function launch(url: string): void {
  if (url === underWay) return;
  underWay = url;
  uni.reLaunch({
    url,
    fail: failed,
    complete: () => {
      if (underWay === url) underWay = null;
    },
  });
}

function detour(address: string | null): void {
  const { stage } = useSession();
  wanted = address;
  if (stage === "anyone") launch(addressOf("login"));
  else onward();
}

/** The address of the page that is open; null for the login, to which nobody wants to come back. */
function here(): string | null {
  const page = current();
  return page === undefined || page.name === "login" ? null : addressOf(page.name, page.query);
}

function current(): { name: PageName; query: Query | undefined } | undefined {
  const pages = getCurrentPages();
  const page = pages[pages.length - 1] as { route?: string; options?: Query } | undefined;
  const name = page?.route === undefined ? undefined : pageAt(page.route);
  return name === undefined ? undefined : { name, query: page?.options };
}
