import type { Output } from "../api/calls";
import { Watch, type WatchPorts } from "../watch";

export type Seen = Output<"/api/v1/scan-tickets/{ticket_id}", "get">;

export interface TicketPorts extends Pick<WatchPorts<Seen>, "timers" | "failed"> {
  /** GET /scan-tickets/{id}. Rejects with `Problem` or `Unreachable`. */
  see(): Promise<Seen>;
  /** Each answer. After the last one (confirmed, denied, used, expired) nothing is asked any more. */
  told(seen: Seen): void;
}

const LAST: readonly string[] = ["confirmed", "used", "denied", "expired"];

/** Asks how a scanned ticket stands, as often as the server wants. */
export class TicketWatch extends Watch<Seen> {
  constructor({ timers, see, told, failed }: TicketPorts) {
    super({
      timers,
      ask: see,
      failed,
      told(seen) {
        told(seen);
        return LAST.includes(seen.status) ? null : seen.wait_seconds * 1000;
      },
    });
  }
}
