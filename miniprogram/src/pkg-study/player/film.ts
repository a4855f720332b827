/** What the player's screen asks of the film, whatever plays it. */
export interface FilmPort {
  /** Show this film from second `at`. Does not begin to play. */
  load(address: string, at: number): void;
  /** False where the browser first wants a tap of the person. */
  play(): Promise<boolean>;
  pause(): void;
  seek(seconds: number): void;
  /** Over the whole screen, or back again. */
  toggleFull(): void;
}
