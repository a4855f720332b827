"""Phones for tests of the heartbeat: a learner with a lesson, a phone that keeps chunks until they are durable, a
Redis clock that a test can move, and scripts with a guard taken out."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import msgspec
from msgspec import structs

from app.core import redis as redis_clients
from app.core.ids import new_id
from app.study import bitmap, heartbeat, store
from app.study.heartbeat import Answer
from app.study.models import Learner, LessonProgress, progress_id
from app.study.store import Held, Opened
from app.study.tickets import PlayTicket, sign_play

NOW = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)
CLOCK = "test:clock"
TIME_CALL = "redis.call('TIME')"
_decode = msgspec.json.Decoder(Answer).decode


def chunks_of(text: str) -> set[int]:
    """The chunks of a base64 bitmap."""
    return set(bitmap.chunks(base64.b64decode(text)))


@contextmanager
def changed(**replacements: tuple[str, str]) -> Iterator[None]:
    """Scripts by name with a piece of text replaced: guards off, another clock."""
    before = dict(store.SCRIPTS)
    for name, (old, new) in replacements.items():
        assert old in store.SCRIPTS[name].text, f"{name}: the guard is not where the twin looks for it"
        store.SCRIPTS[name] = store.Script(store.SCRIPTS[name].text.replace(old, new))
    try:
        yield
    finally:
        store.SCRIPTS.update(before)


class Clock:
    """Redis' clock, as the scripts see it."""

    def __init__(self, now: datetime) -> None:
        self.now = now
        self.set(now)

    def set(self, now: datetime) -> None:
        self.now = now
        milliseconds = int(now.timestamp() * 1000)
        value = json.dumps([str(milliseconds // 1000), str(milliseconds % 1000 * 1000)])
        redis_clients.heartbeat().set(CLOCK, value)

    def forward(self, seconds: float) -> datetime:
        """Seconds later (earlier, if negative)."""
        self.set(self.now + timedelta(seconds=seconds))
        return self.now


@contextmanager
def a_clock(now: datetime = NOW) -> Iterator[Clock]:
    """All scripts on a clock that only the test moves."""
    faked = f"cjson.decode(redis.call('GET', '{CLOCK}'))"
    names = [name for name in store.SCRIPTS if TIME_CALL in store.SCRIPTS[name].text]
    with changed(**dict.fromkeys(names, (TIME_CALL, faked))):
        yield Clock(now)


@dataclass
class Phone:
    """One learner's phone on one lesson: keeps what is not durable, sends what is not credited."""

    ticket: PlayTicket
    kept: set[int] = field(default_factory=set)
    credited: set[int] = field(default_factory=set)
    durable: set[int] = field(default_factory=set)
    position: int = 0

    def token(self) -> str:
        return sign_play(self.ticket, expires=NOW + timedelta(days=3650))

    def body(self, chunks: Iterable[int], **more: object) -> bytes:
        """The heartbeat's body."""
        beat = {"ticket": self.token(), "chunks": list(chunks), "position": self.position, **more}
        return json.dumps(beat).encode()

    def send(self, chunks: Iterable[int], *, now: datetime = NOW, **more: object) -> Answer:
        """Report just these chunks."""
        return _decode(heartbeat.answer(self.body(chunks, **more), now=now))

    def watch(self, chunks: Iterable[int]) -> None:
        """See these chunks to their end, without sending anything."""
        self.kept |= set(chunks)

    def beat(self, *, now: datetime = NOW) -> Answer:
        """Send what is kept and not credited; forget what is durable."""
        waiting = sorted(self.kept - self.credited)[: heartbeat.MAX_CHUNKS]
        answer = self.send(waiting, now=now)
        self.credited = chunks_of(answer.credited)
        new = chunks_of(answer.durable)
        self.durable |= new
        self.kept -= new
        return answer


def clear_study() -> None:
    """No progress and no learner, in SQL and in Redis."""
    for model in (LessonProgress, Learner):
        model.delete().execute()
    redis_clients.heartbeat().flushdb()


def a_learner(*, now: datetime = NOW, saved_up: int = 0) -> Learner:
    """A learner whose bucket holds `saved_up` seconds at `now`."""
    start = now - timedelta(seconds=saved_up)
    row: Learner = Learner.create(id=new_id(), started_at=start, bucket_at_ms=int(start.timestamp() * 1000))
    return row


def a_lesson_of(learner: Learner, *, seconds: int = 600, enrolment_id: str | None = None) -> LessonProgress:
    """A lesson the learner has begun; under the yunnan programme's rules."""
    enrolment_id, lesson_id = enrolment_id or new_id(), new_id()
    row: LessonProgress = LessonProgress.create(
        id=progress_id(enrolment_id, lesson_id),
        enrolment_id=enrolment_id,
        lesson_id=lesson_id,
        person_id=learner.id,
        seconds=seconds,
        chunk_seconds=10,
        needed_chunks=-(-seconds // 10),
        rate_percent=100,
        updated_at=NOW,
    )
    return row


def play(
    learner: Learner, progress: LessonProgress, *, device: str = "phone-a", take_over: bool = False
) -> Phone | Held:
    """Take the lease for a new session on `device`; what `service.play` does once its checks have passed."""
    learner = Learner.get_by_id(learner.id)
    session, device = secrets.token_hex(6), f"{device:-<12}"
    opened = store.open_lesson(
        learner,
        LessonProgress.get_by_id(progress.id),
        session=session,
        device=device,
        take_over=take_over,
        stale_seconds=60,
    )
    if not isinstance(opened, Opened):
        return opened
    Learner.update(session=session, device=device).where(Learner.id == learner.id).execute()
    ticket = PlayTicket(
        learner.id, progress.id, session, opened.record.epoch, progress.seconds, "yunnan", "2021-02-01", 0
    )
    return Phone(ticket, credited=set(bitmap.chunks(opened.record.bits)))


def a_phone(*, seconds: int = 600, saved_up: int = 0, now: datetime = NOW) -> Phone:
    """A phone of a new learner that has just pressed play."""
    learner = a_learner(now=now, saved_up=saved_up)
    phone = play(learner, a_lesson_of(learner, seconds=seconds))
    assert isinstance(phone, Phone)
    return phone


def with_face_until(phone: Phone, moment: datetime) -> Phone:
    """The same phone with a ticket whose face pass ends at `moment`."""
    return Phone(structs.replace(phone.ticket, face_until=int(moment.timestamp())))


def in_sql(phone: Phone) -> set[int]:
    """The chunks that SQL has for the phone's lesson."""
    return set(bitmap.chunks(bytes(LessonProgress.get_by_id(phone.ticket.progress_id).bitmap)))
