"""Where films lie: what is being uploaded and worked on in `<data_dir>/films/`, what is watched in
`<data_dir>/videos/`, from where it is served by signed links only. Names are made of row ids, never of what a person
typed."""

from __future__ import annotations

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.study import films

_root: list[Path] = []


def init(data_dir: Path) -> None:
    """Where the files lie; called once at the start of each process."""
    _root[:] = [data_dir]


def incoming(film_id: str) -> Path:
    """The file as it is uploaded."""
    return _root[0] / "films" / "incoming" / film_id


def free() -> int:
    """How many bytes the disk can still take."""
    return shutil.disk_usage(_root[0]).free


def write_at(film_id: str, offset: int, data: bytes) -> None:
    """Write a piece, on the disk when this returns. Inside of `alone`."""
    handle = os.open(incoming(film_id), os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        view = memoryview(data)
        while view:
            written = os.pwrite(handle, view, offset)
            offset, view = offset + written, view[written:]
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def alone(film_id: str) -> Iterator[None]:
    """One writer of this film at a time; the others wait."""
    folder = _root[0] / "films" / "incoming"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle = os.open(folder / f"{film_id}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


@contextmanager
def workshop(lease: str) -> Iterator[Path]:
    """A folder of its own for one run of a worker, gone afterwards."""
    folder = _root[0] / "films" / "work" / lease
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def publish(film_id: str, mp4: Path, hls: Path) -> None:
    """Put what was made where it is served from; made before, it is replaced."""
    folder = _root[0] / films.FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    there = folder / films.hls_folder(films.name_of(film_id))
    shutil.rmtree(there, ignore_errors=True)
    hls.replace(there)
    mp4.replace(folder / films.name_of(film_id))


def forget_source(film_id: str) -> None:
    """Delete what was uploaded; gone already is fine."""
    incoming(film_id).unlink(missing_ok=True)
    incoming(film_id).with_name(f"{film_id}.lock").unlink(missing_ok=True)


def forget(film_id: str) -> None:
    """Delete everything of a film."""
    forget_source(film_id)
    folder = _root[0] / films.FOLDER
    (folder / films.name_of(film_id)).unlink(missing_ok=True)
    shutil.rmtree(folder / films.hls_folder(films.name_of(film_id)), ignore_errors=True)


def forget_work(*, older_than: float) -> int:
    """Delete the folders of workers that died, untouched for so many seconds; gives how many."""
    folder = _root[0] / "films" / "work"
    oldest = time.time() - older_than
    left = [one for one in folder.iterdir() if one.stat().st_mtime < oldest] if folder.is_dir() else []
    for one in left:
        shutil.rmtree(one, ignore_errors=True)
    return len(left)
