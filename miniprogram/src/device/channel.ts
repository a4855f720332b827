export type Channel = "web" | "phone_web" | "mini_program" | "app";

const OF_PLATFORM: Record<typeof __PLATFORM__, () => Channel> = {
  h5: () => (isPhone() ? "phone_web" : "web"),
  "mp-weixin": () => "mini_program",
  app: () => "app",
};

/** Which client this is, as the API calls it. `web`: a computer's browser. */
export const channel = OF_PLATFORM[__PLATFORM__]();

/** Whether this is a computer's browser. */
export const onComputer = channel === "web";

/** A browser on a phone or a tablet, WeChat's among them. */
function isPhone(): boolean {
  const { userAgent, maxTouchPoints } = navigator;
  return /Android|iPhone|iPad|Mobile|HarmonyOS|MicroMessenger/.test(userAgent) || (/Macintosh/.test(userAgent) && maxTouchPoints > 1);
}

/** What a sign-in says of this client: the API tells a phone's browser from a computer's. */
export const signInChannel: Channel | "phone_web" = channel === "web" && !onComputer ? "phone_web" : channel;
