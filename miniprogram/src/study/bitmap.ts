/** The server's bitmaps: base64, chunk 0 is the highest bit of the first byte, trailing zeros mean nothing. */

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/** The chunks in a base64 bitmap. Raises `SyntaxError` if it is not base64. */
export function chunksOf(base64: string): Set<number> {
  const text = base64.replace(/={1,2}$/, "");
  if (base64.length % 4 !== 0 || text.length % 4 === 1) throw new SyntaxError("not base64: its length");
  const chunks = new Set<number>();
  const bits = Math.floor((text.length * 6) / 8) * 8;
  for (let place = 0; place < text.length; place++) {
    const six = ALPHABET.indexOf(text.charAt(place));
    if (six < 0) throw new SyntaxError("not base64: its letters");
    for (let bit = 0; bit < 6; bit++) {
      if (six & (32 >> bit) && place * 6 + bit < bits) chunks.add(place * 6 + bit);
    }
  }
  return chunks;
}
