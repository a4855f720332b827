"""Files that wait to be confirmed: uploaded, previewed, imported or forgotten after a day. A signed token names one,
who uploaded it, and for which programme; so nothing is confirmed that nobody saw."""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from app.core import tokens
from app.core.ids import new_id
from app.exam.errors import UPLOAD_GONE

PURPOSE = "questions preview"
GOOD_FOR = timedelta(hours=2)
KEPT = 24 * 3600  # seconds
_root: list[Path] = []


@dataclass(frozen=True)
class Waiting:
    """A file that waits. `replace`: whether questions that it does not hold are to be retired."""

    path: Path
    programme: str
    replace: bool


def init(data_dir: Path) -> None:
    """Where the files lie; called once at the start of each process."""
    _root[:] = [data_dir / "imports"]


def _owner(actor: str) -> str:
    """The actor as a part of a token."""
    return actor.replace(":", ".")


def keep(data: bytes, programme: str, *, actor: str, replace: bool, now: datetime) -> tuple[Waiting, str]:
    """Keep an uploaded file; gives it, and its token."""
    _root[0].mkdir(parents=True, exist_ok=True, mode=0o700)
    name = new_id()
    path = _root[0] / f"{name}.xlsx"
    path.write_bytes(data)
    digest = hashlib.sha256(data).hexdigest()
    token = tokens.sign(PURPOSE, name, digest, programme, _owner(actor), int(replace), expires=now + GOOD_FOR)
    return Waiting(path, programme, replace), token


def find(token: str, *, actor: str, now: datetime) -> Waiting:
    """The file of a token that this person got. Raises `upload_gone`."""
    try:
        name, digest, programme, owner, replace = tokens.verify(PURPOSE, token, now)
    except (tokens.BadToken, ValueError):
        raise UPLOAD_GONE() from None
    path = _root[0] / f"{name}.xlsx"
    if owner != _owner(actor) or not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != digest:
        raise UPLOAD_GONE()
    return Waiting(path, programme, replace == "1")


def forget(*, now: datetime) -> int:
    """Scheduled: delete what nobody confirmed within a day; gives how many files."""
    oldest = time.time() - KEPT
    old = [path for path in _root[0].glob("*.xlsx") if path.stat().st_mtime < oldest] if _root[0].is_dir() else []
    for path in old:
        path.unlink(missing_ok=True)
    return len(old)
