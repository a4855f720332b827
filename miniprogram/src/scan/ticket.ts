const ID = /^[0-9a-f]{16}$/;

/** The ticket that a scan page was opened for: by a link of ours (`ticket_id`), by WeChat's code (`scene`), or by an
 * ordinary code that WeChat hands over (`q`, an address); null for none. */
export function ticketOf(query: Record<string, string | undefined>): string | null {
  for (const text of [query.ticket_id, query.scene, query.q]) {
    const found = text === undefined ? null : scannedTicket(text);
    if (found !== null) return found;
  }
  return null;
}

/** The ticket in what a scanner read: an id, our address with `?scan=`, or the mini-program's path with `?scene=`;
 * null for somebody else's code. */
export function scannedTicket(read: string): string | null {
  let text = read.trim();
  try {
    text = decodeURIComponent(text);
  } catch {
    return null; // not of ours: a percent sign that means nothing
  }
  if (ID.test(text)) return text;
  const found = /[?&](?:scan|scene|ticket_id)=([0-9a-f]{16})(?:[&#]|$)/.exec(text);
  return found?.[1] ?? null;
}
