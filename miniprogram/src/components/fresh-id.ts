let last = 0;

/** An id that nothing else on the page has. */
export function freshId(kind: string): string {
  last += 1;
  return `z-${kind}-${last}`;
}
