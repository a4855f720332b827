import { reactive } from "vue";

import { api } from "../../api";
import type { Output } from "../../api/calls";
import { useAct, type Act } from "../../composables/act";
import { useAsk, type Ask } from "../../composables/ask";
import { useHome } from "../../stores/home";

export type Announcement = Output<"/api/v1/announcements", "get">["announcements"][number];
export type Sms = Output<"/api/v1/messages", "get">["messages"][number];

/** A trainee's mail: the centre's announcements, and what was sent to the phone. */
export interface Mail {
  announcements: Ask<Announcement[]>;
  sms: Ask<Sms[]>;
  /** The text of the announcement that is open, when it came. */
  texts: Record<string, string>;
  /** Which one is open: an announcement's id, or `sms` and its place. */
  open: string | null;
  /** Open an announcement; the server counts it as read, and so does the first screen. Pressed again, it is closed. */
  read: Act<[id: string]>;
  /** Open an SMS, or close it. */
  turn(what: string): void;
}

export function useMail(): Mail {
  const mail = reactive({
    announcements: useAsk(async () => (await api.call("get", "/api/v1/announcements", {})).announcements),
    sms: useAsk(async () => (await api.call("get", "/api/v1/messages", {})).messages),
    texts: {} as Record<string, string>,
    open: null as string | null,
    read: useAct(async (id: string) => {
      if (mail.open === id) {
        mail.open = null;
        return;
      }
      if (mail.texts[id] === undefined) {
        const text = await api.call("post", "/api/v1/announcements/{announcement_id}/read", { path: { announcement_id: id } });
        mail.texts[id] = text.body;
        seen(id);
      }
      mail.open = id;
    }),
    turn(what: string): void {
      mail.open = mail.open === what ? null : what;
    },
  }) as Mail;

  function seen(id: string): void {
    const one = mail.announcements.data?.find((each) => each.id === id);
    if (!one || one.read) return;
    one.read = true;
    const { home } = useHome();
    if (home.data && home.data.unread > 0) home.data.unread -= 1;
  }

  return mail;
}
