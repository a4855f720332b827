import type { Picture } from "./upload";

/** Whether this device lets us use a camera inside the page. In a browser that needs https (or localhost); the app has
 * none. */
export function hasCamera(): boolean {
  // #ifdef H5
  return typeof navigator.mediaDevices?.getUserMedia === "function";
  // #endif
  // #ifdef MP-WEIXIN
  return true;
  // #endif
  // #ifdef APP-PLUS
  return false;
  // #endif
}

/** A camera that is on. */
export interface Camera {
  /** A picture as a JPEG of at most `maxBytes`. `ratio`: width by height, cut from the middle; without one all that the
   * camera sees. */
  shot(ratio?: number, maxBytes?: number): Promise<Picture>;
  /** What it sees, small, as RGBA pixels; null where there is nothing yet. */
  look(): Pixels | null;
  close(): void;
}

export interface Pixels {
  data: ArrayLike<number>;
  width: number;
  height: number;
}

/** Why there is no camera: the person said no, there is none, or another program holds it. */
export type CameraRefusal = "refused" | "missing" | "busy";

export class NoCamera extends Error {
  constructor(readonly why: CameraRefusal) {
    super(why);
  }
}

// #ifdef H5
const LONG_SIDE = 1280;
const SMALL = { width: 48, height: 64 };
const REFUSALS: Record<string, CameraRefusal> = { NotAllowedError: "refused", SecurityError: "refused", NotFoundError: "missing", OverconstrainedError: "missing" };

/** Show the front camera in `host`, an element of the page. Rejects with `NoCamera`. */
export async function openCamera(host: Element): Promise<Camera> {
  const wanted = { facingMode: "user", width: { ideal: LONG_SIDE }, height: { ideal: 960 } };
  const stream = await navigator.mediaDevices.getUserMedia({ audio: false, video: wanted }).catch((error: DOMException) => {
    throw new NoCamera(REFUSALS[error.name] ?? "busy");
  });
  const video = document.createElement("video"); // `uni` makes a player of a <video> in a template
  video.muted = true;
  video.playsInline = true;
  Object.assign(video.style, { display: "block", width: "100%", height: "100%", objectFit: "cover", transform: "scaleX(-1)" }); // as in a mirror; the picture itself is not turned
  video.setAttribute("aria-hidden", "true");
  video.srcObject = stream;
  host.replaceChildren(video);
  const close = () => {
    for (const track of stream.getTracks()) track.stop();
    video.remove();
  };
  await video.play().catch(() => {
    close();
    throw new NoCamera("busy");
  });

  function drawn(width: number, height: number, ratio: number): HTMLCanvasElement {
    const { videoWidth, videoHeight } = video;
    const cut = { width: Math.min(videoWidth, videoHeight * ratio), height: Math.min(videoHeight, videoWidth / ratio) };
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    canvas.getContext("2d")?.drawImage(video, (videoWidth - cut.width) / 2, (videoHeight - cut.height) / 2, cut.width, cut.height, 0, 0, width, height);
    return canvas;
  }

  return {
    close,
    look() {
      if (!video.videoWidth) return null;
      const small = drawn(SMALL.width, SMALL.height, SMALL.width / SMALL.height);
      const pixels = small.getContext("2d")?.getImageData(0, 0, SMALL.width, SMALL.height);
      return pixels ? { data: pixels.data, ...SMALL } : null;
    },
    shot(ratio = video.videoWidth / video.videoHeight, maxBytes = Infinity) {
      const height = Math.min(LONG_SIDE, Math.round(Math.min(video.videoHeight, video.videoWidth / ratio)));
      return pictureOf(drawn(Math.round(height * ratio), height, ratio), maxBytes);
    },
  };
}

const QUALITIES = [0.92, 0.85, 0.75, 0.6, 0.45];

/** What is drawn as a JPEG, as good as `maxBytes` allows. */
export async function pictureOf(canvas: HTMLCanvasElement, maxBytes: number): Promise<Picture> {
  for (const quality of QUALITIES) {
    const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
    if (blob === null) throw new NoCamera("busy");
    if (blob.size > maxBytes && quality !== QUALITIES[QUALITIES.length - 1]) continue;
    const file = new File([blob], "picture.jpg", { type: "image/jpeg" });
    return { path: URL.createObjectURL(file), file };
  }
  throw new NoCamera("busy");
}
// #endif
