/** Where somebody lands who comes from outside: back from a payment or a face check, or by a scanned code. The server
 * sends them to `/?order=…`, `/?face=…`, `/?scan=…` (a `#` would be lost on the way through a provider's page), WeChat
 * opens the scan page with a `scene`. */

import { pageAt, type PageName, type Query } from "./pages";

const PLACES: Record<string, (value: string) => [PageName, Query]> = {
  order: (order_id) => ["order", { order_id, back: "provider" }],
  face: (check_id) => ["face", { check_id }],
  scan: (ticket_id) => ["scan", { ticket_id }],
};

/** The page that a query such as `?order=…` of the H5's address means; null for none of them. Providers add
 * parameters of their own, which are left aside. */
export function landing(search: string): { page: PageName; query: Query } | null {
  const authorised = authorisation(search);
  if (authorised !== null) return { page: "order", query: authorised };
  for (const part of search.replace(/^\?/, "").split("&")) {
    const [name = "", value = ""] = part.split("=");
    const place = Object.prototype.hasOwnProperty.call(PLACES, name) ? PLACES[name] : undefined;
    if (place === undefined || !/^[\w-]{1,64}$/.test(value)) continue;
    const [page, query] = place(value);
    return { page, query };
  }
  return null;
}

/** Back from WeChat's page that says whose WeChat this is: the code and the state that the server exchanges. */
export function authorisation(search: string): { code: string; state: string } | null {
  const of = (name: string) => new RegExp(`[?&]${name}=([\\w-]{1,128})(?:&|$)`).exec(search)?.[1];
  const [code, state] = [of("code"), of("state")];
  return of("wechat") === "return" && code !== undefined && state !== undefined ? { code, state } : null;
}

/** The programme that a link such as `/?programme=yunnan` chooses. */
export function programmeOf(search: string): string | null {
  return /[?&]programme=([a-z][a-z0-9-]{0,31})(?:&|$)/.exec(search)?.[1] ?? null;
}

/** Whether the part of the H5's address behind the `#` leads to no page of ours: mistyped, or of an older version. */
export function isAstray(hash: string): boolean {
  const path = hash.replace(/^#\/?/, "").replace(/[?#].*$/, "");
  return path !== "" && pageAt(path) === undefined;
}
