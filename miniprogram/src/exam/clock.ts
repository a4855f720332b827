/** The exam's clock: the server's time as it was last told, moved on by what has passed since. The phone's clock is used
 * only for the length of a second, and where it jumps, the server is asked. */

const FAR = 2_500; // a second of the ticking that took longer: the phone slept, or somebody set its clock
const ROUND_TRIP = 20_000; // longer than any answer takes: the phone's clock jumped meanwhile

export class ExamClock {
  /** False after a jump, until the server was heard again: the time is an estimate. */
  sure = false;
  private server: number | null = null;
  private phone = 0;

  /** Take `server_now` of an answer that was asked for at `askedAt` and came at `now` (the phone's milliseconds). */
  hear(serverNow: string, askedAt: number, now: number): void {
    const way = now - askedAt;
    this.server = Date.parse(serverNow) + (way > 0 && way < ROUND_TRIP ? way / 2 : 0);
    this.phone = now;
    this.sure = true;
  }

  /** About a second has passed; `now`: the phone's milliseconds. */
  tick(now: number): void {
    if (this.server === null) return;
    const passed = now - this.phone;
    this.phone = now;
    if (passed < 0 || passed > FAR) this.sure = false;
    this.server += passed < 0 ? 1_000 : passed; // set back: a second passed all the same. Ahead: rather less time than too much
  }

  /** Seconds until `moment` (an ISO time of the server), 0 once it is over; null before the server was heard. */
  until(moment: string): number | null {
    return this.server === null ? null : Math.max(0, Math.ceil((Date.parse(moment) - this.server) / 1000));
  }
}
