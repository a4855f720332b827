/** Something is under way on this page that must not be left by a slip of the finger. */
export interface Stay {
  /** It is over, or the page may be left. Resolves when the way back is free again. */
  end(): Promise<void>;
}

/** Ask before the page is left. Where only the platform can ask (closing a browser's tab, WeChat's way back), it does so,
 * WeChat with `message`; a browser's way back calls `tried`, and the page asks itself. */
export function askBeforeLeaving(message: string, tried: () => void): Stay {
  // #ifdef H5
  void message;
  return holdPage(tried);
  // #endif
  // #ifdef MP-WEIXIN
  void tried;
  uni.enableAlertBeforeUnload({ message });
  return {
    end() {
      uni.disableAlertBeforeUnload();
      return Promise.resolve();
    },
  };
  // #endif
  // #ifdef APP-PLUS
  void [message, tried];
  return { end: () => Promise.resolve() };
  // #endif
}

// #ifdef H5
const MARK = "stay"; // in the state of the entry that stands above the page's own
const PATIENCE = 500; // milliseconds a browser may take to go back by one

/** A second entry of the history with the page's own address: a way back (the button, a gesture of the phone) takes that
 * one away, the router sees no other page, and it is put there again. After a reload it is still there. */
function holdPage(tried: () => void): Stay {
  const address = window.location.href;
  const state = () => (window.history.state ?? {}) as Record<string, unknown>;
  const hold = () => {
    if (!state()[MARK]) window.history.pushState({ ...state(), [MARK]: true }, "", address);
  };
  const popped = () => {
    if (window.location.href !== address || state()[MARK]) return;
    hold();
    tried();
  };
  const closing = (event: BeforeUnloadEvent) => event.preventDefault(); // the browser has words of its own
  hold();
  window.addEventListener("popstate", popped);
  window.addEventListener("beforeunload", closing);
  return {
    end() {
      window.removeEventListener("popstate", popped);
      window.removeEventListener("beforeunload", closing);
      if (window.location.href !== address || !state()[MARK]) return Promise.resolve();
      return new Promise((resolve) => {
        window.addEventListener("popstate", () => resolve(), { once: true });
        setTimeout(resolve, PATIENCE);
        window.history.back();
      });
    },
  };
}
// #endif
