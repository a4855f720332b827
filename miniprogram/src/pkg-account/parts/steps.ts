import type { SignedIn } from "../../stores/session";

const ORDER = ["activate", "password", "consent"] as const;
const TITLES = { activate: "验证本人", password: "设置密码", consent: "同意协议" };

/** The steps of the first login, and which are done when `next` is the one to do. */
export function firstSteps(next: SignedIn["next"]): { title: string; done: boolean }[] {
  const at = next === "home" ? ORDER.length : ORDER.indexOf(next);
  return ORDER.map((step, place) => ({ title: TITLES[step], done: place < at }));
}

export type Way = "sms" | "face";

/** How the account can be activated, the easier way first; empty: only the support can help. */
export function waysOf(me: { activation_methods: readonly Way[]; phone: string | null }): Way[] {
  return (["sms", "face"] as const).filter((way) => me.activation_methods.includes(way) && (way === "face" || me.phone !== null));
}

/** What is wrong with a new password before the server is asked; it judges the rest. */
export function newPasswordFields(password: string, again: string): Record<string, string> {
  if (!password) return { new_password: "请填写新密码。" };
  if (password.length < 8) return { new_password: "新密码至少 8 位。" };
  return password === again ? {} : { again: "两次填写的密码不一样。" };
}

/** What is wrong with a code by SMS before the server is asked. */
export function codeFields(code: string): Record<string, string> {
  return /^\d{6}$/.test(code) ? {} : { code: "请填写短信里的 6 位数字。" };
}
