"""Films come up in pieces: each is checked, on the disk and in SQL before it is acknowledged, so that a page that was
closed or a network that dropped goes on where it was (docs/decisions/0067).

`begin` tells where to go on, also for a file that was begun before; `append` takes the piece at exactly that place.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from datetime import datetime, timedelta
from functools import partial

import peewee

from app.core import audit
from app.core.db import after_commit, compare_and_set, locked, transaction
from app.core.queue import FILM_SECONDS, FILMS, enqueue_hint
from app.core.staff import Right, Staff
from app.study.models import Film, Lesson
from app.study.status import FilmAction, FilmStatus, NotAllowed, next_film_status
from app.study.teaching import queries, store
from app.study.teaching.errors import (
    FILM_CHUNK_DAMAGED,
    FILM_IN_USE,
    FILM_NO_ROOM,
    FILM_OFFSET,
    FILM_REFUSED,
    FILM_STEP,
)

CHUNK = 4 * 1024 * 1024  # bytes of one piece: a second on a good line, half a minute on a bad one
LARGEST = 4 * 1024**3
FORMATS = ("mp4", "mov", "mkv", "avi", "wmv", "flv", "ts")  # as files are named; what one is, ffprobe says later
UNFINISHED = 5  # uploads under way of one person
MADE_OF = 3  # times its size: a film as it came, and what is made of it
SPARE = 1024**3  # bytes that stay free: the database lies on the same disk
KEPT = timedelta(days=3)  # an upload of which nothing more came
FAILED_KEPT = timedelta(days=30)
TRANSCODE = "jobs.entries.transcode_film"
_HASH = re.compile(r"[0-9a-f]{64}")


def begin(
    staff: Staff, programme: str, title: str, size: int, fingerprint: str, *, ending: str, now: datetime
) -> Film:
    """Begin to upload a film of `size` bytes, or find the one that this person began with the same file
    (`fingerprint`, 64 hexadecimal digits; `ending`: of its name) in this programme: `received` says where to go on. A
    film that is there whole already is given as it is. Raises `forbidden`, `film_refused`."""
    staff.require(Right.TEACHING, programme)
    title = " ".join(title.split())[:128]
    if not title or not _HASH.fullmatch(fingerprint):
        raise FILM_REFUSED("页面没有读出这个文件，请重新选择。")
    if ending.lower() not in FORMATS:
        raise FILM_REFUSED(f"这不是视频文件。请选择 {'、'.join(FORMATS).upper()} 格式的视频。")
    if not 0 < size <= LARGEST:
        raise FILM_REFUSED(f"视频最大 {LARGEST // 1024**3} GB，也不能是空文件。请压缩，或拆成几节课。")
    known = queries.same_file(programme, fingerprint, size)
    for film in known:
        if film.status != FilmStatus.UPLOADING or film.uploaded_by == staff.actor:
            return film
    mine = (Film.uploaded_by == staff.actor) & (Film.status == FilmStatus.UPLOADING)
    if Film.select().where(mine).count() >= UNFINISHED:
        raise FILM_REFUSED(f"您有 {UNFINISHED} 个视频还没有传完，请先传完或删除它们。")
    if store.free() < MADE_OF * size + _still_to_come() + SPARE:
        raise FILM_REFUSED("服务器的磁盘空间不够，请联系管理员清理后再上传。")
    with transaction():
        film = Film.create(
            programme=programme,
            title=title,
            status=FilmStatus.UPLOADING,
            size=size,
            fingerprint=fingerprint,
            uploaded_by=staff.actor,
            created_at=now,
            moved_at=now,
        )
        audit.record(staff.actor, "film.begun", f"film:{film.id}", now=now, programme=programme, size=size)
    return film


def _still_to_come() -> int:
    """How many bytes the films under way will take that are not on the disk yet."""
    coming = peewee.fn.SUM(MADE_OF * Film.size - Film.received)
    made = Film.status.in_((FilmStatus.UPLOADING, FilmStatus.QUEUED, FilmStatus.TRANSCODING))
    return int(Film.select(coming).where(made).scalar() or 0)


def append(staff: Staff, film_id: str, offset: int, data: bytes, digest: str, *, now: datetime) -> Film:
    """Take the piece that begins at `offset`; `digest` is its SHA-256 in hexadecimal digits. It is on the disk when
    this returns; with the last one a worker is asked to make the film watchable. The piece before, sent again because
    its answer was lost, changes nothing. Raises `not_found`, `film_offset` (with the offset that is wanted),
    `film_chunk_damaged`, `film_no_room`, `film_refused`."""
    if not data or len(data) > CHUNK:
        raise FILM_REFUSED("一段的大小不对，请刷新页面后继续上传。")
    if not hmac.compare_digest(hashlib.sha256(data).hexdigest(), digest):
        raise FILM_CHUNK_DAMAGED()
    queries.film(staff, film_id)
    with store.alone(film_id):
        film = queries.film(staff, film_id)
        if film.status != FilmStatus.UPLOADING or film.received != offset:
            if film.received == offset + len(data) or film.received == film.size:
                return film  # its answer was lost on the way
            raise FILM_OFFSET(headers={"Upload-Offset": str(film.received)}, offset=film.received)
        after = offset + len(data)
        if after > film.size:
            raise FILM_REFUSED("收到的比文件还长，请删除后重新上传。")
        if store.free() < SPARE + len(data):
            raise FILM_NO_ROOM()
        store.write_at(film_id, offset, data)
        values: dict[str, object] = {"received": after, "moved_at": now}
        if after == film.size:
            values["status"] = next_film_status(film.status, FilmAction.COMPLETE)
        where = {"status": FilmStatus.UPLOADING, "received": offset}
        with transaction():
            if not compare_and_set(Film, film_id, where, values):
                raise FILM_STEP()
            if after == film.size:
                audit.record(staff.actor, "film.uploaded", f"film:{film_id}", now=now)
                after_commit(partial(ask_worker, film_id))
    return queries.film(staff, film_id)


def ask_worker(film_id: str) -> None:
    """Ask the films' worker to take this one soon; the sweep asks again."""
    enqueue_hint(TRANSCODE, film_id, queue_name=FILMS, seconds=FILM_SECONDS)


def retry(staff: Staff, film_id: str, *, now: datetime) -> None:
    """Try once more to make a film watchable. Raises `not_found`, `film_step`."""
    film = queries.film(staff, film_id)
    try:
        after = next_film_status(film.status, FilmAction.RETRY)
    except NotAllowed:
        raise FILM_STEP() from None
    values = {"status": after, "failure": None, "tries": 0, "percent": 0, "moved_at": now}
    with transaction():
        if not compare_and_set(Film, film_id, {"status": film.status}, values):
            raise FILM_STEP()
        audit.record(staff.actor, "film.retried", f"film:{film_id}", now=now)
        after_commit(partial(ask_worker, film_id))


def rename(staff: Staff, film_id: str, title: str, *, now: datetime) -> None:
    """Give the film another name in the library. Raises `not_found`, `film_refused`."""
    queries.film(staff, film_id)
    title = " ".join(title.split())
    if not 1 <= len(title) <= 128:
        raise FILM_REFUSED("请填写名称，不超过 128 个字。")
    with transaction():
        Film.update(title=title).where(Film.id == film_id).execute()
        audit.record(staff.actor, "film.renamed", f"film:{film_id}", now=now, title=title)


def discard(staff: Staff, film_id: str, *, now: datetime) -> None:
    """Delete a film that no lesson has (one that was taken out of use has it, too); a lesson that has got another
    one keeps nothing of it. What is under way stops. Raises `not_found`, `film_in_use`."""
    film = queries.film(staff, film_id)
    with transaction():
        locked(Film, film_id)  # a lesson that takes it holds it, or finds it gone
        if Lesson.select().where(Lesson.film_id == film_id).exists():
            raise FILM_IN_USE()
        Film.delete().where(Film.id == film_id).execute()
        audit.record(staff.actor, "film.discarded", f"film:{film_id}", now=now, title=film.title)
        after_commit(partial(store.forget, film_id))


def forget(*, now: datetime, limit: int = 100) -> int:
    """Scheduled: delete uploads of which nothing came for three days, and films that could not be made watchable a
    month ago; gives how many."""
    stale = (Film.status == FilmStatus.UPLOADING) & (Film.moved_at < now - KEPT)
    failed = (Film.status == FilmStatus.FAILED) & (Film.moved_at < now - FAILED_KEPT)
    gone = 0
    for film in list(Film.select().where(stale | failed).order_by(Film.moved_at).limit(limit)):
        where = (Film.id == film.id) & (Film.status == film.status) & (Film.moved_at == film.moved_at)
        if Film.delete().where(where).execute():  # nobody went on with it meanwhile
            store.forget(film.id)
            gone += 1
    store.forget_work(older_than=KEPT.total_seconds())
    return gone
