import { defineStore } from "pinia";
import { ref } from "vue";

/** The server's clock: the phone's may be wrong, and decides nothing. */
export const useClock = defineStore("clock", () => {
  const ahead = ref(0); // milliseconds that the server is ahead of the phone

  /** Take `server_now` of an answer. `askedAt`: the phone's time when it was asked for, in milliseconds; half of the
   * way there and back is the server's answer under way. */
  function hear(serverNow: string, askedAt?: number): void {
    const phone = Date.now();
    const middle = askedAt === undefined ? phone : (askedAt + phone) / 2;
    const server = Date.parse(serverNow);
    if (Number.isFinite(server)) ahead.value = server - middle;
  }

  /** The server's time, in milliseconds since 1970. */
  const now = (): number => Date.now() + ahead.value;

  return { ahead, hear, now };
});
