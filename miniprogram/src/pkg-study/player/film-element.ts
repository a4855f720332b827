/** In a browser: a `<video>` of our own, without controls, and without the ways past them that browsers offer. */

export interface FilmEvents {
  time(seconds: number): void;
  playing(): void;
  paused(): void;
  waiting(): void;
  moved(): void;
  ended(): void;
  failed(): void;
  full(on: boolean): void;
}

const ATTRIBUTES = {
  playsinline: "",
  "webkit-playsinline": "",
  "x5-playsinline": "",
  "x5-video-player-type": "h5",
  controlslist: "nodownload noplaybackrate noremoteplayback",
  disablepictureinpicture: "",
  disableremoteplayback: "",
  tabindex: "-1",
};

/** Keys of a headset or a keyboard, and the phone's lock screen, that would wind the film on. */
const WINDING = ["seekforward", "seekbackward", "seekto", "nexttrack", "previoustrack"] as const;

export function filmElement(place: HTMLElement, label: string, events: FilmEvents) {
  const video = document.createElement("video");
  for (const [name, value] of Object.entries(ATTRIBUTES)) video.setAttribute(name, value);
  Object.assign(video.style, { position: "absolute", top: "0", left: "0", width: "100%", height: "100%", objectFit: "contain" }); // a component's styles do not reach it
  video.preload = "auto";
  video.setAttribute("aria-label", label);
  let begin = 0;

  const listeners: Record<string, () => void> = {
    loadedmetadata: () => {
      if (begin > 0) video.currentTime = begin;
    },
    timeupdate: () => {
      if (!video.paused && !video.seeking) events.time(video.currentTime);
    },
    playing: () => events.playing(),
    pause: () => events.paused(),
    waiting: () => events.waiting(),
    stalled: () => {
      if (!video.paused && video.readyState < HTMLMediaElement.HAVE_FUTURE_DATA) events.waiting();
    },
    seeking: () => events.moved(),
    seeked: () => events.time(video.currentTime),
    ratechange: () => {
      if (video.playbackRate !== 1) video.playbackRate = 1;
    },
    ended: () => {
      events.time(video.currentTime); // the last stretch, before the end is told
      events.ended();
    },
    error: () => {
      if (video.getAttribute("src")) events.failed();
    },
  };
  for (const [name, heard] of Object.entries(listeners)) video.addEventListener(name, heard);
  video.addEventListener("contextmenu", (event) => event.preventDefault());
  place.appendChild(video);

  const changed = () => events.full(document.fullscreenElement !== null);
  document.addEventListener("fullscreenchange", changed);
  const winding = (handler: (() => void) | null) => {
    for (const key of WINDING) {
      try {
        navigator.mediaSession?.setActionHandler(key, handler);
      } catch {
        // this browser has no such key
      }
    }
  };
  winding(() => undefined);

  return {
    load(address: string, at: number): void {
      begin = at;
      video.src = address;
      video.load();
    },
    async play(): Promise<boolean> {
      try {
        await video.play();
        return true;
      } catch (error) {
        return (error as DOMException).name !== "NotAllowedError";
      }
    },
    pause: () => video.pause(),
    seek(seconds: number): void {
      video.currentTime = seconds;
    },
    toggleFull(box: HTMLElement | null): void {
      const iPhone = video as HTMLVideoElement & { webkitEnterFullscreen?(): void };
      if (document.fullscreenElement !== null) void document.exitFullscreen();
      else if (box?.requestFullscreen) void box.requestFullscreen();
      else iPhone.webkitEnterFullscreen?.();
    },
    remove(): void {
      document.removeEventListener("fullscreenchange", changed);
      winding(null);
      video.removeAttribute("src");
      video.load();
      video.remove();
    },
  };
}
