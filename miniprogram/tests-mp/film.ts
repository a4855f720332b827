/** A player of films as WeChat has one: loads the file, runs with the clock, tells its page. */

/** Seconds that an MP4 file lasts, as its header says. */
export function lengthOf(file: Buffer): number {
  const at = file.indexOf("mvhd");
  if (at < 0) throw new Error("no MP4 file");
  const wide = file.readUInt8(at + 4) === 1;
  const scale = file.readUInt32BE(at + (wide ? 24 : 16));
  return (wide ? Number(file.readBigUInt64BE(at + 28)) : file.readUInt32BE(at + 20)) / scale;
}

const STEP = 250; // milliseconds between two "timeupdate"

/** `tell(event, detail)` reaches the `<video>` of the page. */
export class Film {
  source = "";
  private at = 0;
  private seconds = 0;
  private timer: NodeJS.Timeout | null = null;
  private wanted = false; // play as soon as it is there

  constructor(
    private readonly fetch: (address: string) => Promise<Buffer>,
    private readonly tell: (event: string, detail?: object) => void,
  ) {}

  async load(source: string): Promise<void> {
    this.source = source;
    this.stop();
    this.at = 0;
    this.seconds = 0;
    const seconds = lengthOf(await this.fetch(source));
    if (this.source !== source) return;
    this.seconds = seconds;
    this.tell("loadedmetadata", { duration: seconds });
    if (this.wanted) this.play();
  }

  play(): void {
    this.wanted = true;
    if (this.timer !== null || this.seconds === 0) return;
    if (this.at >= this.seconds) this.at = 0;
    this.tell("play");
    let before = Date.now();
    this.timer = setInterval(() => {
      const now = Date.now();
      this.at = Math.min(this.seconds, this.at + (now - before) / 1000);
      before = now;
      this.tell("timeupdate", { currentTime: this.at, duration: this.seconds });
      if (this.at < this.seconds) return;
      this.stop();
      this.wanted = false;
      this.tell("ended");
    }, STEP);
  }

  pause(): void {
    this.wanted = false;
    if (this.timer !== null) this.tell("pause");
    this.stop();
  }

  seek(seconds: number): void {
    this.at = Math.max(0, Math.min(seconds, this.seconds));
  }

  stop(): void {
    if (this.timer !== null) clearInterval(this.timer);
    this.timer = null;
  }
}
