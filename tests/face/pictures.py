"""Pictures that people, phones and attackers send."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

from PIL import Image

GPS_IFD = 0x8825
ORIENTATION = 0x0112


def jpeg(picture: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, **options)
    return out.getvalue()


def png(picture: Image.Image, **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, "PNG", **options)
    return out.getvalue()


def opened(data: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(data))
    picture.load()
    return picture


def with_position(data: bytes, *, orientation: int = 1) -> bytes:
    """The JPEG with an EXIF position (somewhere in Kunming), a comment, and turned as a phone would say it is."""
    picture = opened(data)
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    exif[0x010F] = "KUNMING-PHONE"
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (25.0, 2.0, 33.0), 3: "E", 4: (102.0, 43.0, 5.0)})
    return jpeg(picture, exif=exif, comment=b"SECRET-COMMENT")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def huge_png(width: int = 12_000, height: int = 12_000) -> bytes:
    """A black greyscale PNG of 144 megapixels in about 140 KB, made without ever holding its pixels."""
    pack = zlib.compressobj(9)
    row = b"\0" * (width + 1)
    body = b"".join(pack.compress(row) for _ in range(height)) + pack.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", body) + _chunk(b"IEND", b"")


def animated_png() -> bytes:
    frames = [Image.new("RGB", (295, 413), colour) for colour in ("white", "red")]
    return png(frames[0], save_all=True, append_images=frames[1:])
