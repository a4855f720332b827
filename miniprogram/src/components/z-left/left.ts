const FROM = 0.8; // of the limit: before that nobody is bothered

/** How much may still be written, once the limit is near; "" before. A phone cuts what is longer, and says nothing. */
export function leftText(length: number, most: number): string {
  if (length < most * FROM) return "";
  return length < most ? `还可以写 ${most - length} 个字` : `已经写满 ${most} 个字，再多写不进去`;
}
