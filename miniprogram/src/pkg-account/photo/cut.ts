/** A picture behind a frame: how large it is shown (`scale`, frame pixels by picture pixels), and where its upper left
 * corner lies in the frame. The frame is always full. */
export interface Placed {
  scale: number;
  x: number;
  y: number;
}

interface Size {
  width: number;
  height: number;
}

const LARGEST = 4; // times the size at which it just fills the frame

const least = (picture: Size, frame: Size) => Math.max(frame.width / picture.width, frame.height / picture.height);
const within = (value: number, low: number, high: number) => Math.min(high, Math.max(low, value));

function kept({ scale, x, y }: Placed, picture: Size, frame: Size): Placed {
  return { scale, x: within(x, frame.width - picture.width * scale, 0), y: within(y, frame.height - picture.height * scale, 0) };
}

/** The picture in the middle, just filling the frame. */
export function placed(picture: Size, frame: Size): Placed {
  const scale = least(picture, frame);
  return { scale, x: (frame.width - picture.width * scale) / 2, y: (frame.height - picture.height * scale) / 2 };
}

export function moved(place: Placed, right: number, down: number, picture: Size, frame: Size): Placed {
  return kept({ ...place, x: place.x + right, y: place.y + down }, picture, frame);
}

/** Larger or smaller, around the frame's middle. */
export function zoomed(place: Placed, times: number, picture: Size, frame: Size): Placed {
  const smallest = least(picture, frame);
  const scale = within(place.scale * times, smallest, smallest * LARGEST);
  const grown = scale / place.scale;
  const around = (corner: number, side: number) => side / 2 - (side / 2 - corner) * grown;
  return kept({ scale, x: around(place.x, frame.width), y: around(place.y, frame.height) }, picture, frame);
}

/** What the frame shows, in pixels of the picture. */
export function shownPart({ scale, x, y }: Placed, frame: Size): Size & { x: number; y: number } {
  return { x: -x / scale, y: -y / scale, width: frame.width / scale, height: frame.height / scale };
}
