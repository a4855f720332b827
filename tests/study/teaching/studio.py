"""Films for tests: small real ones by ffmpeg, and teachers who upload them."""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

from app.core.clock import utcnow
from app.core.staff import Right, Staff
from app.study.models import Film
from app.study.providers import ffmpeg
from app.study.teaching import uploads

TEACHER = Staff("staff:teacher", frozenset({(Right.TEACHING, "yunnan")}))
ELSEWHERE = Staff("staff:elsewhere", frozenset({(Right.TEACHING, "henan")}))
SUPPORT = Staff("staff:support", frozenset({(Right.SUPPORT, "yunnan")}))


def a_file(path: Path, *, seconds: float = 2, size: str = "320x180", sound: bool = True) -> Path:
    """A film of so many seconds, as a camera might give it."""
    source = ["-f", "lavfi", "-i", f"testsrc2=size={size}:rate=15"]
    voice = ["-f", "lavfi", "-i", "sine=frequency=440"] if sound else []
    how = ["-t", str(seconds), "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]
    command = [ffmpeg.binary(), "-hide_banner", "-loglevel", "error", "-y", *source, *voice, *how, str(path)]
    subprocess.run(command, check=True)
    return path


def fingerprint(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def begun(data: bytes, *, who: Staff = TEACHER, title: str = "高处作业") -> Film:
    """An upload of these bytes, nothing of it sent yet."""
    return uploads.begin(who, "yunnan", title, len(data), fingerprint(data), ending="mp4", now=utcnow())


def send(film_id: str, data: bytes, offset: int, until: int, *, who: Staff = TEACHER) -> Film:
    """One piece of the bytes."""
    piece = data[offset:until]
    return uploads.append(who, film_id, offset, piece, hashlib.sha256(piece).hexdigest(), now=utcnow())


def uploaded(data: bytes, *, title: str = "高处作业") -> Film:
    """A film of which everything has come."""
    return send(begun(data, title=title).id, data, 0, len(data))


def a_ready_film(seconds: int = 60, title: str = "高处作业", programme: str = "yunnan") -> Film:
    """A film in the library that can be watched (its file is not there)."""
    now = utcnow()
    film: Film = Film.create(
        programme=programme,
        title=title,
        status="ready",
        size=1000,
        received=1000,
        fingerprint="0" * 64,
        uploaded_by=TEACHER.actor,
        created_at=now,
        moved_at=now,
        seconds=seconds,
        width=640,
        height=360,
        mp4_bytes=900,
    )
    return film
