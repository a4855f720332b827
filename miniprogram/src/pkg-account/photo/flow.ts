import { reactive } from "vue";

import { api, Problem, upload } from "../../api";
import type { Output } from "../../api/calls";
import { useAct } from "../../composables/act";
import { useAsk, type Trouble } from "../../composables/ask";
import type { Picture } from "../../device/upload";
import { useSession } from "../../stores/session";

export type Rule = Output<"/api/v1/photo/rule", "get">;
type Checked = Output<"/api/v1/photo/check", "post">;
type Kept = Output<"/api/v1/photo", "post">;
export type Hint = Checked["hints"][number];

/** `start`: what is wanted, and how to take it. `looked`: the picture with what the server says of it. */
export type Stage = "start" | "camera" | "cut" | "checking" | "looked" | "saved" | "consent";

/** A photo of oneself: taken or chosen, looked at by the server, kept. */
export function usePhotoFlow() {
  const session = useSession();
  /** What is wanted; who opens the page is asked for along with it, for what they agreed to. */
  const rule = useAsk(async () => {
    const [wanted] = await Promise.all([api.call("get", "/api/v1/photo/rule", {}), session.load()]);
    return wanted;
  });
  let afterwards: () => void = () => undefined; // what the consent was asked for
  const flow = reactive({
    stage: "start" as Stage,
    picture: null as Picture | null,
    /** What has to be changed; empty: the picture is fine. */
    hints: [] as Hint[],
    /** How the kept one stands. */
    kept: null as Kept["status"] | null,
    /** Whom to call when one's own photo is refused again. */
    phone: null as string | null,
  });

  function turn(trouble: Trouble): boolean {
    if (flow.stage === "checking") flow.stage = "looked";
    if (!(trouble instanceof Problem)) return false;
    const route = trouble.extra.manual_route as { phone?: string } | null | undefined;
    if (route?.phone) flow.phone = route.phone;
    if (trouble.code === "photo_unfit" && Array.isArray(trouble.extra.hints)) {
      flow.hints = trouble.extra.hints as Hint[];
      return true;
    }
    if (trouble.code === "consent_needed") {
      askConsent(() => {
        turnTo("looked");
        void keep.run();
      });
      return true;
    }
    if (trouble.code.startsWith("photo_") && trouble.code !== "photo_fixed") {
      flow.hints = [{ code: trouble.code, sentence: trouble.sentence }];
      return true;
    }
    if (trouble.code === "photo_fixed") void rule.run();
    return false;
  }

  /** Ask what the server says of a picture, without keeping it. */
  const check = useAct(async (picture: Picture) => {
    Object.assign(flow, { picture, hints: [], stage: "checking" });
    keep.clear();
    const { hints } = await upload<Checked>({ path: "/api/v1/photo/check", name: "photo", picture });
    Object.assign(flow, { hints, stage: "looked" });
  }, turn);

  const keep = useAct(async () => {
    if (flow.picture === null) return;
    const { status } = await upload<Kept>({ path: "/api/v1/photo", name: "photo", picture: flow.picture });
    Object.assign(flow, { kept: status, stage: "saved" });
  }, turn);

  function turnTo(stage: Stage, picture: Picture | null = flow.picture): void {
    check.clear();
    keep.clear();
    Object.assign(flow, { stage, picture, hints: [] });
  }

  function askConsent(then: () => void): void {
    afterwards = then;
    flow.stage = "consent";
  }

  /** Before the camera or the album opens: who has not agreed to the use of the face is asked first. `then` opens it,
   * at once or once they agreed. */
  function withConsent(then: () => void): void {
    if (session.me?.consents.face === true) then();
    else askConsent(then);
  }

  /** The consent was given: on with what it was asked for. */
  function agreed(): void {
    if (session.me) session.me.consents.face = true;
    turnTo("start");
    afterwards();
  }

  return { rule, flow, check, keep, turnTo, withConsent, agreed };
}
