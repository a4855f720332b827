"""From a file that anybody may have made to a clean JPEG: looked at by its header first, decoded within bounds,
turned upright, written anew without anything but pixels.

Decoding costs processor time: two at once a process, a few may wait, the rest is told to come again (fault F7).
"""

from __future__ import annotations

import io
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from PIL import Image, ImageOps, UnidentifiedImageError

from app.face.errors import (
    PHOTO_ANIMATED,
    PHOTO_BROKEN,
    PHOTO_NOT_PICTURE,
    PHOTO_TOO_MANY_PIXELS,
    PICTURES_BUSY,
)

MAX_PIXELS = 24_000_000
MAX_SIDE = 12_000
MAX_SCANS = 100  # cameras write one, progressive files about ten, embedded previews a few more
LIVE_SIDE = 1080  # the provider's advice: within 1920 x 1080, base64 under 2 MB
QUALITY = 92
AT_ONCE = 2
WAITING = 6
WAIT_SECONDS = 2.0

Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow itself refuses twice as many from the header

_decoders = threading.BoundedSemaphore(AT_ONCE)
_places = threading.BoundedSemaphore(AT_ONCE + WAITING)


@contextmanager
def turn() -> Iterator[None]:
    """A turn at the processor. Raises `pictures_busy` when too many wait, or it takes too long."""
    if not _places.acquire(blocking=False):
        raise PICTURES_BUSY(headers={"Retry-After": "3"})
    try:
        if not _decoders.acquire(timeout=WAIT_SECONDS):
            raise PICTURES_BUSY(headers={"Retry-After": "3"})
        try:
            yield
        finally:
            _decoders.release()
    finally:
        _places.release()


def open_header(data: bytes) -> Image.Image:
    """The picture as its header tells it, not yet decoded. Raises `photo_not_picture` for anything but JPEG and PNG
    (by the first bytes, not by name or declared type), `photo_too_many_pixels`, `photo_animated`, `photo_broken`."""
    if data.count(b"\xff\xda") > MAX_SCANS:  # each scan of a progressive JPEG is a walk over all its pixels
        raise PHOTO_BROKEN()
    kind = "JPEG" if data.startswith(b"\xff\xd8\xff") else "PNG" if data.startswith(b"\x89PNG\r\n\x1a\n") else None
    if kind is None:
        raise PHOTO_NOT_PICTURE()
    try:
        picture = Image.open(io.BytesIO(data), formats=(kind,))
        frames = getattr(picture, "n_frames", 1)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PHOTO_TOO_MANY_PIXELS() from error
    except UnidentifiedImageError as error:
        raise PHOTO_NOT_PICTURE() from error
    except (OSError, ValueError, SyntaxError, struct.error, IndexError, KeyError) as error:
        raise PHOTO_BROKEN() from error
    width, height = picture.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise PHOTO_TOO_MANY_PIXELS()
    if kind == "PNG" and frames > 1:
        raise PHOTO_ANIMATED()
    return picture


def decode(picture: Image.Image, *, side: int) -> Image.Image:
    """The pixels of a picture from `open_header`, upright, in RGB on white. A JPEG much larger than `side` pixels is
    decoded at a fraction of its size. Raises `photo_broken`."""
    try:
        picture.draft("RGB", (side, side))
        picture.load()
    except (OSError, ValueError, SyntaxError, struct.error, IndexError, KeyError, MemoryError) as error:
        raise PHOTO_BROKEN() from error
    with suppress(OSError, ValueError, SyntaxError, struct.error, IndexError, KeyError, TypeError):
        picture = ImageOps.exif_transpose(picture)  # metadata that cannot be read turns nothing, and is dropped below
    return _rgb(picture)


def _rgb(picture: Image.Image) -> Image.Image:
    if picture.mode in ("I", "I;16", "I;16B", "I;16L", "F"):  # 16 bits of grey
        picture = picture.convert("I").point(lambda value: value / 256).convert("L")
    if picture.mode in ("LA", "La", "PA", "RGBA", "RGBa") or "transparency" in picture.info:
        layer = picture.convert("RGBA")
        ground = Image.new("RGBA", layer.size, "white")
        picture = Image.alpha_composite(ground, layer)
    return picture.convert("RGB")


def encode(picture: Image.Image) -> bytes:
    """A JPEG of the pixels alone: no EXIF, comment, colour profile, thumbnail, nothing behind the end."""
    clean = Image.new("RGB", picture.size)
    clean.paste(picture)
    out = io.BytesIO()
    clean.save(out, "JPEG", quality=QUALITY)
    return out.getvalue()


def clean(data: bytes, *, side: int) -> bytes:
    """A picture that anybody sent as a clean JPEG of at most `side` pixels a side. Raises the problems above."""
    header = open_header(data)
    with turn():
        picture = decode(header, side=side)
        picture.thumbnail((side, side), Image.Resampling.LANCZOS)
        return encode(picture)


def live_picture(data: bytes) -> bytes:
    """A picture of the camera, as the provider takes it. Raises the problems above."""
    return clean(data, side=LIVE_SIDE)
