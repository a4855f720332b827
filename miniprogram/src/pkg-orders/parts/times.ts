/** A server's time in Shanghai as a person writes it, "2026-01-16 14:03": it stands in the text itself. */
export function timeText(moment: string): string {
  return moment.slice(0, 16).replace("T", " ");
}
