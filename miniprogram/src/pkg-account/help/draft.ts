import { reactive, watch } from "vue";

import { api, Problem, upload } from "../../api";
import type { Input } from "../../api/calls";
import { useAct, type Act } from "../../composables/act";
import { bytesOf } from "../../device/album";
import { Unreachable } from "../../api/errors";
import { storage } from "../../device/ports";
import type { Picture } from "../../device/upload";

export const MOST_PICTURES = 3;
export const MOST_BYTES = 5 * 1024 * 1024;
type Topic = (Input<"/api/v1/help-tickets", "post"> & { body: { topic: string } })["body"]["topic"];

/** A picture that goes with what is written; `id`: the server's, once it has it. */
export interface Added {
  picture: Picture;
  name: string;
  id: string | null;
}

export interface Draft {
  /** Our id of it: sent again after a lost answer, it is the same one for the server. */
  client: string;
  topic: string;
  text: string;
  pictures: Added[];
}

const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** An id that no other phone has. It is no secret. */
function fresh(): string {
  let id = "";
  while (id.length < 20) id += ALPHABET[Math.floor(Math.random() * ALPHABET.length)];
  return id;
}

function kept(name: string): Partial<Draft> {
  try {
    const value: unknown = JSON.parse(storage.get(name) ?? "null");
    return typeof value === "object" && value !== null ? value : {};
  } catch {
    return {};
  }
}

const word = (value: unknown): string => (typeof value === "string" ? value : "");

/** Whether the server will not take it however often it is sent. */
const isRefusal = (problem: Problem) => problem.status >= 400 && problem.status < 500 && problem.status !== 401;

/** What somebody is writing to support: a new matter, or more about ticket `about`. Its words stay on the phone until
 * the server has them, so that nothing is lost without a network; pictures do not. */
export function useDraft(about: string | null, sent: (ticket: string) => void) {
  const name = `help.draft.${about ?? "new"}`;
  const before = kept(name);
  const draft = reactive<Draft>({ client: word(before.client) || fresh(), topic: word(before.topic), text: word(before.text), pictures: [] });

  watch(
    () => [draft.topic, draft.text],
    () => {
      try {
        storage.set(name, JSON.stringify({ client: draft.client, topic: draft.topic, text: draft.text }));
      } catch {
        // no room on the phone: what is written stands on the screen only
      }
    },
  );

  /** Give a picture to the server; one that it does not take goes away, so that nothing waits for it. */
  async function give(one: Added): Promise<void> {
    try {
      one.id ??= (await upload<{ id: string }>({ path: "/api/v1/help-tickets/pictures", name: "picture", picture: one.picture, fields: { client_id: one.name } })).id;
    } catch (error) {
      if (error instanceof Problem && isRefusal(error)) draft.pictures = draft.pictures.filter((other) => other.name !== one.name);
      throw error;
    }
  }

  /** A picture is chosen: what is wrong with it is said now, not when everything is written. Without a network it waits
   * until the rest is sent. */
  const add = useAct(
    async (picture: Picture) => {
      if (draft.pictures.length >= MOST_PICTURES) return add.refuse({ picture: `一次最多 ${MOST_PICTURES} 张照片。` });
      if ((await bytesOf(picture)) > MOST_BYTES) return add.refuse({ picture: "这张照片超过 5 MB，没有加上。请换一张，或截图后再选。" });
      const one = reactive<Added>({ picture, name: `${draft.client}-${fresh().slice(0, 6)}`, id: null });
      draft.pictures.push(one);
      await give(one);
    },
    (trouble) => trouble instanceof Unreachable,
  ) as Act<[picture: Picture]>;

  function drop(at: number): void {
    draft.pictures.splice(at, 1);
    add.clear();
  }

  const send = useAct(async () => {
    add.clear();
    for (const one of [...draft.pictures]) await give(one);
    const body = { client_id: draft.client, text: draft.text.trim(), pictures: draft.pictures.map((one) => one.id as string) };
    const ticket =
      about === null
        ? await api.call("post", "/api/v1/help-tickets", { body: { ...body, topic: draft.topic as Topic } })
        : await api.call("post", "/api/v1/help-tickets/{help_id}/replies", { path: { help_id: about }, body });
    Object.assign(draft, { client: fresh(), topic: "", text: "", pictures: [] });
    storage.remove(name);
    sent(ticket.id);
  });

  watch(
    () => [draft.topic, draft.text],
    () => {
      if (Object.keys(send.fields).length) send.clear(); // what was wrong is being mended
    },
  );

  /** Send it, once something is there to be sent. */
  async function hand(): Promise<void> {
    const wrong: Record<string, string> = {};
    if (about === null && !draft.topic) wrong.topic = "请选择是哪方面的问题。";
    if (draft.text.trim().length < 2) wrong.text = "请写清楚遇到的问题。";
    if (Object.keys(wrong).length) send.refuse(wrong);
    else await send.run();
  }

  return { draft, send, add, drop, hand };
}
