/** "2026年1月5日 14:03" of a time as the server writes it, in Shanghai time; "" for none. */
export function momentText(moment: string | null): string {
  const found = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}:\d{2})/.exec(moment ?? "");
  return found ? `${found[1]}年${Number(found[2])}月${Number(found[3])}日 ${found[4]}` : "";
}
