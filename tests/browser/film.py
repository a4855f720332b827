"""What Chromium's fake camera films: a picture that stands still, on a white wall, as a Y4M file."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

SIZE = (1280, 960)
SHARE = 0.94  # of the film's height that the picture takes
WALL = (250, 250, 250)


def film(picture: bytes, path: Path) -> Path:
    """Write the film of a JPEG to `path`; gives `path`."""
    shown = Image.open(io.BytesIO(picture)).convert("RGB")
    height = int(SIZE[1] * SHARE) // 2 * 2
    width = shown.width * height // shown.height // 2 * 2
    frame = Image.new("RGB", SIZE, WALL)
    frame.paste(shown.resize((width, height)), ((SIZE[0] - width) // 2, (SIZE[1] - height) // 2))
    light, blue, red = frame.convert("YCbCr").split()
    half = (SIZE[0] // 2, SIZE[1] // 2)
    planes = [light, *(plane.resize(half, Image.Resampling.BOX) for plane in (blue, red))]
    data = b"FRAME\n" + b"".join(plane.tobytes() for plane in planes)
    path.write_bytes(b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n" % SIZE + data * 2)
    return path
