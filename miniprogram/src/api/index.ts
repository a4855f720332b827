import { request, timers } from "../device/ports";
import { upload as send, type Upload } from "../device/upload";
import { restart } from "../navigation";
import { useSession } from "../stores/session";
import { Client } from "./client";

export { Problem, Unreachable } from "./errors";

const session = {
  token: () => useSession().token,
  ended: (token: string) => useSession().ended(token),
};

const version = { ours: __VERSION__, tooOld: () => restart("about") };

/** The API. `api.call("get", "/api/v1/orders/{order_id}", { path: { order_id } })`. */
export const api = new Client(__ORIGIN__, { request, timers, session, version });

/** Send a picture as whoever is signed in. */
export async function upload<Answer>(what: Upload): Promise<Answer> {
  const token = session.token();
  try {
    return await send<Answer>(what, token);
  } catch (error) {
    await api.refused(error, token);
    throw error;
  }
}
