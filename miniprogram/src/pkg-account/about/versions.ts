/** Whether version `ours` is older than `theirs`; versions are numbers with points, such as "1.10.0". */
export function isOlder(ours: string, theirs: string): boolean {
  const [mine, other] = [ours, theirs].map((version) => version.split(".").map(Number));
  for (let at = 0; at < Math.max(mine?.length ?? 0, other?.length ?? 0); at += 1) {
    const gap = (mine?.[at] ?? 0) - (other?.[at] ?? 0);
    if (gap !== 0) return gap < 0;
  }
  return false;
}

/** `too_old`: it has to be updated. `old`: it may be. */
export function standOf(ours: string, { version, minimum }: { version: string; minimum: string }): "newest" | "old" | "too_old" {
  if (isOlder(ours, minimum)) return "too_old";
  return isOlder(ours, version) ? "old" : "newest";
}
