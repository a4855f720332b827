import { defineStore } from "pinia";
import { computed, ref } from "vue";

import type { Output } from "../api/calls";
import { api } from "../api";
import { signInChannel } from "../device/channel";
import { remember, storage } from "../device/ports";
import { toLogin } from "../navigation";
import type { Stage } from "../pages";

export type SignedIn = Output<"/api/v1/login", "post">;
export type Me = Output<"/api/v1/me", "get">;

/** What is open to whoever holds the phone: nothing, the steps of the first login, or everything. */
const STAGES: Record<SignedIn["next"], Stage> = { activate: "activating", password: "activating", consent: "activating", home: "trainee" };

/** Who is signed in. The token and the next step outlive the app; nothing of the person is kept on the phone. */
export const useSession = defineStore("session", () => {
  const token = ref(storage.get("session.token"));
  const next = ref((storage.get("session.next") as SignedIn["next"] | null) ?? "home");
  const me = ref<Me | null>(null);
  /** Runs when a session ends by the person's own wish or the server's: stores forget what is somebody's. */
  const farewells: ((wish: boolean) => void)[] = [];

  const stage = computed<Stage>(() => (token.value === null ? "anyone" : STAGES[next.value]));

  function keep(newToken: string | null, newNext: SignedIn["next"]): void {
    token.value = newToken;
    next.value = newNext;
    remember("session.token", newToken);
    remember("session.next", newToken === null ? null : newNext);
  }

  /** Take what a sign-in (`/login`, `/wechat/login`, `/activation`, a scanned code) answered. */
  function begin(answer: { token: string; next: SignedIn["next"] }): void {
    keep(answer.token, answer.next);
    me.value = null;
  }

  async function signIn(body: { programme: string; id_number: string; password: string; code?: string; ticket?: string }): Promise<void> {
    begin(await api.call("post", "/api/v1/login", { body: { ...body, channel: signInChannel } }));
  }

  /** A step of the first login was done: `/password`, `/consents` say what comes next. */
  function goOn(to: SignedIn["next"]): void {
    keep(token.value, to);
  }

  /** Ask who I am, and where the first login stands. */
  async function load(): Promise<Me> {
    const found = await api.call("get", "/api/v1/me", {});
    me.value = found;
    if (found.next !== next.value) goOn(found.next);
    return found;
  }

  /** Another page of this browser may have signed somebody in meanwhile: theirs is not taken from the phone. */
  function forget(wish: boolean): void {
    if (storage.get("session.token") === token.value) keep(null, "home");
    else token.value = null;
    me.value = null;
    for (const farewell of farewells) farewell(wish);
  }

  /** Sign out, by the person's wish: here even if the server cannot be told. */
  async function leave(): Promise<void> {
    try {
      await api.call("post", "/api/v1/logout", {});
    } finally {
      forget(true);
      toLogin();
    }
  }

  /** Sign out on every device: only the server can do that. */
  async function leaveEverywhere(): Promise<void> {
    await api.call("post", "/api/v1/logout", { body: { everywhere: true } });
    forget(true);
    toLogin();
  }

  /** The server no longer knows the token: back here after signing in again. */
  function ended(old: string): void {
    if (token.value !== old) return;
    forget(false);
    toLogin("登录已过期，请重新登录。");
  }

  return { token, next, stage, me, begin, signIn, goOn, load, leave, leaveEverywhere, ended, farewells };
});
