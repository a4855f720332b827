"""The programme's rule for the photo: shape, size, ground; and in plain words what to do about it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image, ImageOps

from app.face import image
from app.policy.schema import Photo

LIGHT = 200  # a pixel of a white wall: every channel at least this bright (ours)
TINT = 32  # and the channels at most this far apart
WHITE_SHARE = 0.75  # ours: hair and collar may reach into the edges that are looked at


@dataclass(frozen=True)
class Hint:
    """What is wrong, and what to do."""

    code: str
    sentence: str


_SIZES = {"one_inch": "一寸", "half_length": "半身"}


def title(rule: Photo) -> str:
    """What the photo is called, such as 一寸白底免冠照片."""
    return f"{_SIZES[rule.size]}{'白底' if rule.ground == 'white' else ''}{'免冠' if rule.bareheaded else ''}照片"


def points(rule: Photo) -> tuple[str, ...]:
    """The rule in sentences, for somebody about to be photographed."""
    found = ["本人近期照片，正对镜头，五官清楚。"]
    if rule.bareheaded:
        found.append("不戴安全帽、帽子和墨镜。")
    if rule.ground == "white":
        found.append("站在白墙前，背景干净，没有阴影和杂物。")
    found.append("头和肩膀都在照片里，竖版。")
    if rule.unretouched:
        found.append("不要美颜、修图。")
    return tuple(found)


@dataclass(frozen=True)
class Checked:
    """A photo that was looked at: the JPEG to keep (only when there are no hints), and the hints."""

    picture: bytes | None
    hints: tuple[Hint, ...]
    width: int
    height: int


def check(data: bytes, rule: Photo) -> Checked:
    """Look at an uploaded file by the programme's rule. Raises the problems of `image.open_header` and `decode`."""
    header = image.open_header(data)
    with image.turn():
        picture = image.decode(header, side=3 * rule.height_px)
        width, height = picture.size
        scale = max(header.size) / max(picture.size) if max(picture.size) else 1.0  # decoded at a fraction
        hints = list(_shape(round(width * scale), round(height * scale), rule))
        if not hints and rule.ground == "white" and not _white_ground(picture):
            hints.append(
                Hint("ground", "照片背景不是白色。请站在白色墙面前、光线均匀处重新拍摄，避免阴影和其他物品入镜。")
            )
        if hints:
            return Checked(None, tuple(hints), width, height)
        fitted = ImageOps.fit(picture, (rule.width_px, rule.height_px), Image.Resampling.LANCZOS)
        return Checked(image.encode(fitted), (), rule.width_px, rule.height_px)


def _shape(width: int, height: int, rule: Photo) -> list[Hint]:
    hints = []
    if width < rule.min_width_px:
        hints.append(Hint("small", f"照片太小（宽 {width} 像素），请上传宽度不少于 {rule.min_width_px} 像素的照片。"))
    wanted = rule.width_px / rule.height_px
    if abs(width / height / wanted - 1) * 100 > rule.aspect_tolerance_percent:
        hints.append(
            Hint(
                "shape",
                f"照片比例不对（{width}×{height}）。"
                f"请裁剪为{_SIZES[rule.size]}竖版照片，约 {rule.width_px}×{rule.height_px}。",
            )
        )
    return hints


def _white_ground(picture: Image.Image) -> bool:
    """Whether the top edge and the upper parts of both sides are near white: there a head-and-shoulders photo
    shows nothing but its ground."""
    width, height = picture.size
    edge = max(width // 12, 1)
    boxes = (
        (0, 0, width, max(height // 20, 1)),
        (0, 0, edge, height * 2 // 5),
        (width - edge, 0, width, height * 2 // 5),
    )
    white = total = 0
    for box in boxes:
        small = picture.crop(box).resize((32, 32), Image.Resampling.BOX)
        pixels = small.tobytes()
        for index in range(0, len(pixels), 3):
            red, green, blue = pixels[index : index + 3]
            low, high = min(red, green, blue), max(red, green, blue)
            white += low >= LIGHT and high - low <= TINT
            total += 1
    return white / total >= WHITE_SHARE
