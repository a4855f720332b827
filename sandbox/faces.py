"""Pictures for the scripted face check. They prove the protocol, not recognition.

`make_face` draws a cartoon portrait with a badge below it: a magenta frame around dark and light blocks that
spell a person's number and two flags. `read_face` finds the frame by its colour and reads the blocks, so a
picture that was cut to size, padded or saved anew as a JPEG still says who is on it. A picture without a
badge (any real photograph) counts as "no face".
"""

from __future__ import annotations

import io
import random
import zlib
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageFilter, UnidentifiedImageError

PERSONS = 4096
_ROWS, _COLUMNS = 3, 8
_FRAME = (230, 0, 230)
_DARK, _LIGHT = (24, 40, 84), (255, 255, 255)
_SKINS = ((255, 224, 196), (246, 206, 170), (232, 184, 142), (214, 160, 116))
_HAIRS = ((34, 28, 26), (58, 40, 32), (86, 60, 44), (70, 70, 74))
_SHIRTS = ((38, 92, 160), (28, 124, 112), (96, 104, 116), (60, 72, 140), (20, 110, 70))


@dataclass(frozen=True)
class Marker:
    """What a badge says."""

    person: int
    live: bool
    face: bool


def person_of(id_number: str) -> int:
    """The person's number that belongs to an ID number: its last six characters without letters, below 4096."""
    digits = "".join(character for character in id_number[-6:] if character.isdigit())
    return int(digits or "0") % PERSONS


def _checksum(value: int) -> int:
    return zlib.crc32(value.to_bytes(2, "big")) & 0x3FF


def make_face(person: int, *, live: bool = True, face: bool = True, size: tuple[int, int] = (295, 413)) -> bytes:
    """A JPEG of `person` (0 to 4095) on white ground; `live` False: as if taken from a screen; `face` False: nobody.

    Raises ValueError for another number.
    """
    if not 0 <= person < PERSONS:
        raise ValueError(f"person must be 0 to {PERSONS - 1}")
    image = Image.new("RGB", (590, 826), (255, 255, 255))
    draw = ImageDraw.Draw(image)
    if face:
        _portrait(draw, random.Random(person))  # noqa: S311 - looks, not secrets
    if not live:
        for x in range(0, 590, 14):
            draw.line((x, 0, x, 610), fill=(200, 206, 214), width=2)
        draw.rounded_rectangle((14, 14, 576, 612), radius=36, outline=(90, 96, 104), width=16)
    _badge(draw, person, live, face)
    picture = io.BytesIO()
    image.resize(size, Image.Resampling.LANCZOS).save(picture, "JPEG", quality=90)
    return picture.getvalue()


def _portrait(draw: ImageDraw.ImageDraw, looks: random.Random) -> None:
    skin, hair, shirt = looks.choice(_SKINS), looks.choice(_HAIRS), looks.choice(_SHIRTS)
    width = looks.randint(118, 138)
    if looks.random() < 0.4:  # long hair
        draw.rounded_rectangle((295 - width - 24, 200, 295 + width + 24, 520), radius=50, fill=hair)
    draw.ellipse((70, 470, 520, 900), fill=shirt)
    draw.rectangle((0, 612, 590, 826), fill=(255, 255, 255))
    draw.polygon([(240, 480), (295, 560), (350, 480)], fill=(250, 250, 250))
    draw.rectangle((250, 400, 340, 490), fill=skin)
    draw.ellipse((295 - width - 12, 96, 295 + width + 12, 360), fill=hair)
    draw.ellipse((295 - width - 14, 270, 295 - width + 22, 330), fill=skin)
    draw.ellipse((295 + width - 22, 270, 295 + width + 14, 330), fill=skin)
    draw.ellipse((295 - width, 150, 295 + width, 455), fill=skin)
    fringe = looks.randint(176, 206)
    draw.chord((295 - width, 120, 295 + width, fringe + 60), 180, 360, fill=hair)
    brow, dark = looks.randint(246, 256), (44, 36, 34)
    for eye in (240, 350):
        draw.line((eye - 24, brow, eye + 24, brow - 3), fill=hair, width=7)
        draw.ellipse((eye - 11, 274, eye + 11, 300), fill=dark)
        draw.ellipse((eye - 3, 278, eye + 4, 285), fill=(255, 255, 255))
    if looks.random() < 0.3:  # glasses
        for eye in (240, 350):
            draw.ellipse((eye - 36, 254, eye + 36, 320), outline=dark, width=5)
        draw.line((276, 284, 314, 284), fill=dark, width=5)
    draw.arc((280, 300, 310, 350), 20, 160, fill=(196, 140, 112), width=5)
    smile = looks.randint(28, 46)
    draw.arc((295 - smile, 350, 295 + smile, 400), 15, 165, fill=(186, 84, 84), width=8)


def _badge(draw: ImageDraw.ImageDraw, person: int, live: bool, face: bool) -> None:
    value = person | live << 12 | face << 13
    bits = value << 10 | _checksum(value)
    left, top, cell, frame = 83, 628, 47, 24
    right, bottom = left + _COLUMNS * cell + 2 * frame, top + _ROWS * cell + 2 * frame
    draw.rectangle((left - 8, top - 8, right + 7, bottom + 7), fill=(255, 255, 255))
    draw.rectangle((left, top, right - 1, bottom - 1), fill=_FRAME)
    for index in range(_ROWS * _COLUMNS):
        row, column = divmod(index, _COLUMNS)
        x, y = left + frame + column * cell, top + frame + row * cell
        colour = _DARK if bits >> index & 1 else _LIGHT
        draw.rectangle((x, y, x + cell - 1, y + cell - 1), fill=colour)


def read_face(picture: bytes) -> Marker | None:
    """What the badge on the picture says; None for a picture without one, or for what is no picture."""
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            image = opened.convert("RGB")
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError):
        return None
    red, green, blue = image.split()
    strong = ImageChops.darker(red.point(lambda v: 255 * (v > 150)), blue.point(lambda v: 255 * (v > 150)))
    magenta = ImageChops.darker(strong, green.point(lambda v: 255 * (v < 110)))
    box = magenta.filter(ImageFilter.MedianFilter(3)).getbbox()
    if box is None or box[2] - box[0] < 40 or box[3] - box[1] < 20:
        return None
    left, top, right, bottom = box
    # the frame is 24 of 424 (8 cells of 47 and two frames) wide, and 24 of 189 high
    inset_x, inset_y = (right - left) * 24 / 424, (bottom - top) * 24 / 189
    cell_x = (right - left - 2 * inset_x) / _COLUMNS
    cell_y = (bottom - top - 2 * inset_y) / _ROWS
    grey = image.convert("L")
    bits = 0
    for index in range(_ROWS * _COLUMNS):
        row, column = divmod(index, _COLUMNS)
        x, y = left + inset_x + column * cell_x, top + inset_y + row * cell_y
        core = (x + cell_x * 0.3, y + cell_y * 0.3, x + cell_x * 0.7, y + cell_y * 0.7)
        patch = grey.resize((1, 1), Image.Resampling.BOX, box=core)
        level = patch.getpixel((0, 0))
        if isinstance(level, int | float) and level < 140:
            bits |= 1 << index
    value, checksum = bits >> 10, bits & 0x3FF
    if checksum != _checksum(value):
        return None
    return Marker(value & 0xFFF, bool(value >> 12 & 1), bool(value >> 13 & 1))
