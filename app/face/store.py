"""The photo store: files in `<data_dir>/photos/`, encrypted under keys of their own, never the database's.

A file is written once and never changed: a new picture is a new file, and the row points at it.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Literal

import structlog

from app.core import crypto
from app.core.clock import shanghai
from app.core.ids import new_id
from app.face.models import EVIDENCE_DAYS

log = structlog.get_logger(__name__)

Kind = Literal["portrait", "anchor", "evidence"]


_root: list[Path] = []


def init(data_dir: Path) -> None:
    """Where the files lie; called once at the start of each process."""
    _root[:] = [data_dir / "photos"]


def put(kind: Kind, person_id: str, picture: bytes, *, now: datetime) -> str:
    """Encrypt and write `picture`; gives the file's name for the row. Whole or not at all, also after a power cut."""
    row_id = new_id()
    folder = shanghai(now).date().isoformat() if kind == "evidence" else row_id[-2:]
    name = f"{kind}/{folder}/{row_id}"
    path = _root[0] / name
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    _write(path, path.with_suffix(".part"), picture, _aad(person_id, name))
    return name


def _write(path: Path, unfinished: Path, picture: bytes, aad: str) -> None:
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(crypto.photos().seal_bytes(picture, aad))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)
    _sync(path.parent)


def key_of(name: str) -> str | None:
    """The id of the key that the file is sealed under; None if it is gone."""
    try:
        with (_root[0] / name).open("rb") as file:
            return crypto.key_of(file.read(16))
    except FileNotFoundError:
        return None


@contextmanager
def alone() -> Iterator[None]:
    """One process of this host at a time; the others wait."""
    _root[0].mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(_root[0], os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def reseal(person_id: str, name: str) -> bool:
    """Write the file anew under today's key, whole or not at all; False: it is, or it is gone. Inside `alone()`. A
    file that is deleted meanwhile may come back: look afterwards whether a row still points at it. Raises
    `CannotOpen`."""
    picture = None if key_of(name) in (None, crypto.photos().current) else get(person_id, name)
    if picture is None:
        return False
    path = _root[0] / name
    unfinished = path.with_suffix(".rekeyed")
    unfinished.unlink(missing_ok=True)  # of a run that was killed
    _write(path, unfinished, picture, _aad(person_id, name))
    return True


def get(person_id: str, name: str) -> bytes | None:
    """The picture, or None if its file is gone. Raises `CannotOpen` for one of another person or a changed one."""
    try:
        sealed = (_root[0] / name).read_bytes()
    except FileNotFoundError:
        return None
    return crypto.photos().open_bytes(sealed, _aad(person_id, name))


def remove(name: str | None) -> None:
    """Delete a file that no row points at any more; None and a file already gone are fine."""
    if name is not None:
        (_root[0] / name).unlink(missing_ok=True)


def purge_evidence(*, now: datetime) -> int:
    """Delete the days of evidence that are older than `EVIDENCE_DAYS`; gives the number of days deleted."""
    oldest = shanghai(now).date() - timedelta(days=EVIDENCE_DAYS)
    folder = _root[0] / "evidence"
    days = [day for day in folder.iterdir() if _is_before(day, oldest)] if folder.is_dir() else []
    for day in days:
        shutil.rmtree(day)
    return len(days)


def _is_before(folder: Path, oldest: date) -> bool:
    try:
        return date.fromisoformat(folder.name) < oldest
    except ValueError:  # not ours: left for whoever put it there
        log.warning("evidence_folder_unknown", name=folder.name)
        return False


def _aad(person_id: str, name: str) -> str:
    return f"photos/{name} of {person_id}"


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
