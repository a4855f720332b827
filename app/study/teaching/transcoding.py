"""Films made watchable: read what was uploaded, make MP4 and HLS of it, put both in place. Run by the films' worker.

A worker holds a film by its lease and says every second that it is still there. One that was killed is found by the
sweep; another begins anew in a folder of its own, and nothing is watchable before everything is in place.
"""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

import structlog

from app.core.clock import utcnow
from app.core.db import compare_and_set
from app.core.ids import new_id
from app.study import films
from app.study.models import Film
from app.study.providers import ffmpeg
from app.study.status import Failure, FilmAction, FilmStatus, NotAllowed, next_film_status
from app.study.teaching import store, uploads

log = structlog.get_logger(__name__)

SHORTEST, LONGEST = 1, films.MAX_SECONDS  # seconds
TRIES = 3
SILENT = timedelta(seconds=150)  # a worker tells its progress each second: one that does not is gone
AGAIN = timedelta(seconds=60)  # a hint that nobody followed
TELL_EVERY = 1.0  # seconds between two lines about the progress
SLOWEST = 8  # seconds of work a second of film
LEAST = 300.0  # seconds of work that any film may take


class _Taken(Exception):
    """The film is another worker's now, or was deleted."""


class _Wrong(Exception):
    """The film cannot be made watchable."""

    def __init__(self, failure: Failure):
        super().__init__(failure)
        self.failure = failure


def no_step() -> None:
    """Nobody watches this process."""


def transcode(film_id: str, *, now: datetime, step: Callable[[], None] = no_step) -> bool:
    """Make one film watchable, if it waits for that and nobody else does. `step` is called while it goes on. True if
    it is ready. What goes wrong with the film stands in its row; what goes wrong with us is raised."""
    film = Film.get_or_none(Film.id == film_id)
    if film is None or film.status != FilmStatus.QUEUED:
        return False
    lease = new_id()
    begun = {"status": next_film_status(film.status, FilmAction.BEGIN), "lease": lease, "moved_at": now, "percent": 0}
    if not compare_and_set(Film, film_id, {"status": FilmStatus.QUEUED}, begun | {"tries": film.tries + 1}):
        return False
    try:
        with store.workshop(lease) as folder:
            made = _make(film_id, lease, folder, step)
        ready = _end(film_id, lease, FilmAction.FINISH, **made)
        if not ready and not Film.select().where(Film.id == film_id).exists():
            store.forget(film_id)  # deleted after the last look: what was put in place is nobody's
        return ready
    except _Wrong as wrong:
        _end(film_id, lease, FilmAction.FAIL, failure=wrong.failure)
    except _Taken:
        log.info("film_taken", film_id=film_id)
    return False


def _make(film_id: str, lease: str, folder: Path, step: Callable[[], None]) -> dict[str, object]:
    source = store.incoming(film_id)
    try:
        facts = ffmpeg.probe(source)
        if facts.seconds < SHORTEST:
            raise _Wrong(Failure.TOO_SHORT)
        if facts.seconds > LONGEST:
            raise _Wrong(Failure.TOO_LONG)
        limit = max(LEAST, SLOWEST * facts.seconds)
        mp4, hls = folder / "film.mp4", folder / "hls"
        ffmpeg.to_mp4(source, mp4, facts, limit=limit, progress=_teller(film_id, lease, facts.seconds, step))
        _tell(film_id, lease, 99)
        hls.mkdir()
        copied = _teller(film_id, lease, facts.seconds, step, least=99)  # a long film is copied for minutes
        ffmpeg.to_hls(mp4, hls, limit=limit, progress=copied)
        made = ffmpeg.probe(mp4)
    except ffmpeg.NotAFilm:
        raise _Wrong(Failure.NOT_A_FILM) from None
    except ffmpeg.TooSlow:
        raise _Wrong(Failure.TOO_SLOW) from None
    except ffmpeg.Failed as error:
        full = "No space left" in str(error) or shutil.disk_usage(folder).free < 64 * 1024**2
        log.warning("film_failed", film_id=film_id, error=str(error))
        raise _Wrong(Failure.NO_ROOM if full else Failure.BROKEN) from None
    _tell(film_id, lease, 100)  # the last look whether it is still ours
    size = mp4.stat().st_size
    store.publish(film_id, mp4, hls)
    seconds = max(1, math.ceil(made.seconds - 0.1))  # an audio frame may stand out by a few hundredths
    return {"seconds": seconds, "width": made.width, "height": made.height, "mp4_bytes": size}


def _teller(
    film_id: str, lease: str, seconds: float, step: Callable[[], None], *, least: int = 0
) -> Callable[[float], None]:
    said = [0.0]

    def tell(done: float) -> None:
        if time.monotonic() - said[0] < TELL_EVERY:
            return
        said[0] = time.monotonic()
        step()
        _tell(film_id, lease, max(least, min(98, int(done * 100 / seconds))))

    return tell


def _tell(film_id: str, lease: str, percent: int) -> None:
    mine = (Film.id == film_id) & (Film.lease == lease)
    if not Film.update(percent=percent, moved_at=utcnow()).where(mine).execute():
        raise _Taken


def _end(film_id: str, lease: str, action: FilmAction, **values: object) -> bool:
    after = next_film_status(FilmStatus.TRANSCODING, action)
    done = {"status": after, "lease": None, "moved_at": utcnow(), **values}
    if not compare_and_set(Film, film_id, {"lease": lease, "status": FilmStatus.TRANSCODING}, done):
        return False
    if after == FilmStatus.READY:
        store.forget_source(film_id)
    return after == FilmStatus.READY


def sweep(*, now: datetime, limit: int = 50) -> int:
    """Scheduled: films whose worker is gone wait again (after three, they have failed), and the worker is asked for
    those that wait; gives how many were lost."""
    lost = 0
    gone = (Film.status == FilmStatus.TRANSCODING) & (Film.moved_at < now - SILENT)
    for film in list(Film.select().where(gone).order_by(Film.moved_at).limit(limit)):
        action = FilmAction.LOSE if film.tries < TRIES else FilmAction.FAIL
        try:
            after = next_film_status(film.status, action)
        except NotAllowed:
            continue
        failure = Failure.WORKER_LOST if action is FilmAction.FAIL else None
        values = {"status": after, "lease": None, "failure": failure, "moved_at": now - AGAIN}
        lost += compare_and_set(Film, film.id, {"status": film.status, "lease": film.lease}, values)
    waiting = (Film.status == FilmStatus.QUEUED) & (Film.moved_at <= now - AGAIN)
    for film in list(Film.select().where(waiting).order_by(Film.moved_at).limit(limit)):
        same = {"status": FilmStatus.QUEUED, "moved_at": film.moved_at}
        if compare_and_set(Film, film.id, same, {"moved_at": now}):
            uploads.ask_worker(film.id)
    return lost
