"""Demo lessons: real H.264 films of a few slides, made with the ffmpeg that comes with imageio-ffmpeg."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from app.study.providers import ffmpeg

SIZE = (640, 360)
SLIDE_SECONDS = 5
_GROUNDS = ("#17456b", "#1d5c4d", "#5b3a63", "#6b4417")


class VideoError(RuntimeError):
    """ffmpeg failed; the message holds its last words."""


def make_demo_video(
    path: Path,
    title: str,
    seconds: int,
    *,
    font: Path | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> bool:
    """Write a film of `seconds` seconds (640 × 360, `moov` in front so that it plays while it loads) to `path`:
    slides with the title and a running clock. `font`: a TrueType file that has the title's characters.
    `progress(done, total)` counts slides. False if the film is there already. Raises `VideoError`."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    slides = -(-seconds // SLIDE_SECONDS)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        for number in range(slides):
            _slide(title, number, seconds, font).save(Path(folder) / f"{number:04d}.png")
            if progress is not None:
                progress(number + 1, slides)
        made = Path(folder) / "film.mp4"
        _encode(Path(folder), seconds, made)
        made.replace(path)  # in one step: a film that is there is whole
    return True


def _slide(title: str, number: int, seconds: int, font: Path | None) -> Image.Image:
    picture = Image.new("RGB", SIZE, _GROUNDS[number % len(_GROUNDS)])
    draw = ImageDraw.Draw(picture)
    start = number * SLIDE_SECONDS
    done = SIZE[0] * min(start + SLIDE_SECONDS, seconds) // seconds
    draw.rectangle((0, SIZE[1] - 10, done, SIZE[1]), fill="#f2b84b")
    size = max(20, min(48, (SIZE[0] - 80) // max(len(title), 1)))
    draw.text((SIZE[0] // 2, 140), title, font=_font(font, size), fill="white", anchor="mm")
    clock = f"{start // 60:02d}:{start % 60:02d} / {seconds // 60:02d}:{seconds % 60:02d}"
    draw.text((SIZE[0] // 2, 230), clock, font=_font(font, 28), fill="#d7e3ec", anchor="mm")
    return picture


def _font(path: Path | None, size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.truetype(str(path), size) if path else ImageFont.load_default(size)


def _encode(folder: Path, seconds: int, made: Path) -> None:
    command = [
        ffmpeg.binary(),
        *("-hide_banner", "-loglevel", "error", "-y"),
        *("-framerate", f"1/{SLIDE_SECONDS}", "-i", str(folder / "%04d.png")),
        *("-f", "lavfi", "-i", "anullsrc=channel_layout=mono:sample_rate=22050"),
        *("-t", str(seconds), "-r", "5", "-c:v", "libx264", "-preset", "veryfast", "-tune", "stillimage"),
        *("-pix_fmt", "yuv420p", "-g", "10", "-c:a", "aac", "-b:a", "16k", "-movflags", "+faststart", str(made)),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own arguments
    if done.returncode:
        raise VideoError(done.stderr.strip()[-400:])
