"""The verbs of study: play a lesson, tell how far one is, purge."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import cast

import redis.exceptions
import structlog

from app.account import service as account
from app.core import audit
from app.core.db import insert_once, lock, transaction
from app.enrol import queries as enrolments
from app.enrol import service as enrol
from app.enrol.models import Enrolment
from app.face import service as face
from app.policy import load as policy
from app.policy import rules as policy_rules
from app.policy.schema import Programme
from app.study import bitmap, flush, queries, store
from app.study.errors import STUDYING_ELSEWHERE
from app.study.heartbeat import Rules, rules_of
from app.study.models import Learner, Lesson, LessonProgress, progress_id
from app.study.store import Opened, Record
from app.study.tickets import PlayTicket, sign_play, sign_video

log = structlog.get_logger(__name__)

TICKET_HOURS = 12  # a phone may be without a network for a shift; what it kept is sent with the next ticket too
VIDEO_HOURS = 6
FACE_PURPOSE = "study"
_SESSION = ("session", "device", "enrolment_id", "face_passed_at")


@dataclass(frozen=True)
class Play:
    """What the player needs. Bitmaps as in heartbeats; `resume_at` in seconds; `film`: the file's name;
    `face_until`: when the face is to be checked again, if it is."""

    ticket: str
    video: str
    title: str
    seconds: int
    chunk_seconds: int
    chunks: int
    in_order: bool
    resume_at: int
    watched: bytes
    durable: bytes
    epoch: int
    store: str
    film: str
    number: int
    autoplay: bool
    face_until: datetime | None


@dataclass(frozen=True)
class LessonState:
    """A lesson of an enrolment's course, and how far it is. `percent` of its chunks. `saved_at`: when SQL last took
    something of it; `film`: the file's name."""

    id: str
    number: int
    title: str
    seconds: int
    percent: int
    done: bool
    resume_at: int
    saved_at: datetime | None
    film: str


@dataclass(frozen=True)
class Summary:
    """How far an enrolment's study is. For the screen: `complete` may run a few seconds ahead of SQL. `seconds_left`:
    of film not yet credited; `next_lesson_id`: the first that is not done."""

    lessons: int
    lessons_done: int
    percent: int
    complete: bool
    seconds_left: int
    next_lesson_id: str | None


def play(person_id: str, enrolment_id: str, lesson_id: str, *, device: str, take_over: bool, now: datetime) -> Play:
    """Begin (or go on with) a lesson on `device`: takes the study lease, and gives the ticket for heartbeats and the
    film. A new session needs a face pass where the programme asks for one (yunnan manual, step 3 (二) 1), used up
    here. Raises `NOT_FOUND`, `NOT_PAID_YET`, `STUDY_PERIOD_OVER`, `FACE_CHECK_NEEDED`, `STUDYING_ELSEWHERE` (unless
    `take_over`), `RedisError`."""
    enrolment = enrol.study_access(enrolment_id, person_id, now=now)
    place, lesson = queries.lesson_for(enrolment, lesson_id)
    programme = policy.programme(enrolment.programme, enrolment.version)
    study = rules_of(enrolment.programme, enrolment.version)
    stale = programme.study.lease_stale_seconds if programme.study and programme.study.one_device else 0
    device_tag = hashlib.sha256(device.encode()).hexdigest()[:12]
    insert_once(Learner, id=person_id, started_at=now)
    _ensure_progress(enrolment, lesson, study, now)
    if not take_over:
        _refuse_second_device(person_id, device_tag, stale, now)
    before, learner = _start_session(programme, enrolment, device_tag, now)
    progress = LessonProgress.get_by_id(progress_id(enrolment.id, lesson.id))
    try:
        opened = store.open_lesson(
            learner,
            progress,
            session=learner.session,
            device=device_tag,
            take_over=take_over,
            stale_seconds=stale,
        )
    except redis.exceptions.RedisError:
        _step_back(learner, before)
        raise
    if not isinstance(opened, Opened):
        _step_back(learner, before, store.read(person_id, [])[0])
        raise STUDYING_ELSEWHERE(seconds_ago=opened.ago_ms // 1000)
    return _play(enrolment, place, lesson, programme, learner, opened, now=now)


def _play(
    enrolment: Enrolment,
    place: int,
    lesson: Lesson,
    programme: Programme,
    learner: Learner,
    opened: Opened,
    *,
    now: datetime,
) -> Play:
    record, study = opened.record, rules_of(enrolment.programme, enrolment.version)
    face_until = _face_until(programme, learner)
    expires = now + timedelta(hours=TICKET_HOURS)
    if enrolment.study_deadline is not None and enrolment.study_deadline > now:
        expires = min(expires, cast(datetime, enrolment.study_deadline))
    ticket = PlayTicket(
        person_id=learner.id,
        progress_id=progress_id(enrolment.id, lesson.id),
        session=learner.session,
        epoch=record.epoch,
        seconds=lesson.seconds,
        programme=enrolment.programme,
        version=enrolment.version,
        face_until=face_until,
    )
    return Play(
        ticket=sign_play(ticket, expires=expires),
        video=sign_video(lesson.video, expires=now + timedelta(hours=VIDEO_HOURS)),
        title=lesson.title,
        seconds=lesson.seconds,
        chunk_seconds=study.chunk_seconds,
        chunks=study.chunks(lesson.seconds),
        in_order=bool(study.in_order),
        resume_at=_resume_at(record, study, lesson.seconds),
        watched=record.bits,
        durable=record.durable,
        epoch=record.epoch,
        store=opened.store,
        film=lesson.video,
        number=place,
        autoplay=programme.study is not None and programme.study.autoplay,
        face_until=datetime.fromtimestamp(face_until, UTC) if face_until else None,
    )


def _ensure_progress(enrolment: Enrolment, lesson: Lesson, study: Rules, now: datetime) -> None:
    row_id = progress_id(enrolment.id, lesson.id)
    if LessonProgress.select(LessonProgress.id).where(LessonProgress.id == row_id).exists():
        return
    insert_once(
        LessonProgress,
        id=row_id,
        enrolment_id=enrolment.id,
        lesson_id=lesson.id,
        person_id=enrolment.person_id,
        seconds=lesson.seconds,
        chunk_seconds=study.chunk_seconds,
        needed_chunks=study.needed(lesson.seconds),
        rate_percent=round(study.rate * 100),
        updated_at=now,
    )


def _refuse_second_device(person_id: str, device: str, stale_seconds: int, now: datetime) -> None:
    """Before a face pass is used up; the script decides again, in one step."""
    head, _ = store.read(person_id, [])
    if head is None:  # Redis was lost: SQL knows who studied, and about when
        learner = Learner.get_by_id(person_id)
        holder, seen_ms = learner.device, learner.bucket_at_ms
    else:
        holder, seen_ms = head.device, head.seen_ms
    ago = max(0, _ms(now) - seen_ms)
    if holder not in ("", store.NOBODY, device) and ago < stale_seconds * 1000:
        raise STUDYING_ELSEWHERE(seconds_ago=ago // 1000)


def _start_session(
    programme: Programme, enrolment: Enrolment, device: str, now: datetime
) -> tuple[dict[str, object], Learner]:
    """A new session of this person, with a face pass used up if one is due: not for each lesson, but after the
    programme's time, on another device, or for another enrolment. The pass and the session commit together. Gives
    the session that stood there before (for `_step_back`), too."""
    with transaction():
        learner = lock(Learner.select().where(Learner.id == enrolment.person_id)).get()
        before: dict[str, object] = {name: getattr(learner, name) for name in _SESSION}
        same = (learner.device, learner.enrolment_id) == (device, enrolment.id)
        same = same and account.has_consent(enrolment.person_id, "face")  # a pass ends with the consent it rests on
        passed_at = learner.face_passed_at if same else None
        if policy_rules.face_check_due(programme, "study_now", passed_at, now):
            face.consume_pass(enrolment.person_id, FACE_PURPOSE, enrolment.id, now=now)
            passed_at = now
        learner.session = secrets.token_hex(6)
        learner.device = device
        learner.enrolment_id = enrolment.id
        learner.face_passed_at = passed_at
        learner.revision += 1
        learner.save(only=[getattr(Learner, name) for name in (*_SESSION, "revision")])
    return before, learner


def _step_back(learner: Learner, before: dict[str, object], holder: store.Head | None = None) -> None:
    """The new session did not get the lease: SQL, from which a lost Redis is rebuilt, names the one that has it
    again (`holder`: by Redis, where it is known; else the one of `before`)."""
    if holder is not None and holder.session != before["session"]:
        before = {"session": holder.session, "device": holder.device, "enrolment_id": "", "face_passed_at": None}
    mine = (Learner.id == learner.id) & (Learner.session == learner.session)
    Learner.update(**before, revision=Learner.revision + 1).where(mine).execute()


def _face_until(programme: Programme, learner: Learner) -> int:
    """Unix seconds until which the session's face pass is good; 0 where the programme asks for none."""
    purposes = programme.face.purposes if programme.face else ()
    passed_at: datetime | None = learner.face_passed_at
    for rule in purposes:
        if rule.purpose == "study_now" and passed_at is not None:
            return int((passed_at + timedelta(minutes=rule.pass_valid_minutes)).timestamp())
    return 0


def overview(person_id: str, enrolment_id: str) -> tuple[Summary, list[LessonState]]:
    """The lessons of the person's enrolment and how far each is, the last seconds from Redis included.
    Raises `NOT_FOUND`, `NO_COURSE`."""
    (enrolment,) = enrolments.owned([enrolment_id], person_id)
    states = _states(enrolment)
    return _sum(enrolment, states), states


def summary(enrolment_id: str) -> Summary:
    """How far the enrolment is, for the screen. Raises `NOT_FOUND`, `NO_COURSE`."""
    enrolment = enrol.get(enrolment_id)
    return _sum(enrolment, _states(enrolment))


def _sum(enrolment: Enrolment, states: list[LessonState]) -> Summary:
    study = rules_of(enrolment.programme, enrolment.version)
    chunks = sum(study.chunks(state.seconds) for state in states)
    credited = sum(state.percent * study.chunks(state.seconds) for state in states)
    done = sum(state.done for state in states)
    percent = credited // chunks if chunks else 0
    left = [state for state in states if not state.done]
    return Summary(
        lessons=len(states),
        lessons_done=done,
        percent=percent,
        complete=_enough(enrolment, len(states), done),
        seconds_left=sum(state.seconds * (100 - state.percent) // 100 for state in left),
        next_lesson_id=left[0].id if left else None,
    )


def is_complete(enrolment_id: str) -> bool:
    """Whether the study is complete by what stands in SQL: the gate of the exam. See `settle`.
    Raises `NOT_FOUND`, `NO_COURSE`."""
    enrolment = enrol.get(enrolment_id)
    course_lessons = queries.lessons_for(enrolment)
    progress = queries.progress_of(enrolment_id)
    rows = [progress.get(lesson.id) for lesson in course_lessons]
    done = sum(row is not None and row.completed_at is not None for row in rows)
    return _enough(enrolment, len(course_lessons), done)


def settle(enrolment_id: str, *, now: datetime) -> bool:
    """`is_complete`, after writing what Redis holds of this learner, so that nobody waits for the flusher. While
    Redis is away SQL alone answers. Outside of a transaction."""
    if is_complete(enrolment_id):
        return True
    rows = list(queries.progress_of(enrolment_id).values())
    if rows:
        try:
            flush.flush_learner(rows[0].person_id, [row.id for row in rows], now=now)
        except redis.exceptions.RedisError as error:
            log.warning("settle_without_redis", enrolment_id=enrolment_id, error=type(error).__name__)
    return is_complete(enrolment_id)


def free_lease(person_id: str, *, programme: str, actor: str, reason: str, now: datetime) -> bool:
    """No device studies any more in SQL's eyes and Redis': the next one that begins has the lease, and what the old
    one still sends is refused. What was credited stays. False if no device did. Outside of a transaction. Raises
    `RedisError` before anything is changed."""
    held = store.free(person_id)
    with transaction():
        learner = lock(Learner.select().where(Learner.id == person_id)).first()
        if learner is None:
            return held
        named = learner.device not in ("", store.NOBODY)
        if named:
            nobody = {"session": "", "device": "", "face_passed_at": None, "revision": Learner.revision + 1}
            Learner.update(nobody).where(Learner.id == person_id).execute()
        if held or named:
            audit.record(
                actor, "study.lease_freed", f"person:{person_id}", now=now, programme=programme, reason=reason
            )
    return held or bool(named)


def lease_of(person_id: str) -> datetime | None:
    """When the device that holds the lease was last heard of; None where none does, or Redis is away."""
    try:
        head, _ = store.read(person_id, [])
    except redis.exceptions.RedisError as error:
        log.warning("lease_without_redis", error=type(error).__name__)
        return None
    if head is None or head.device == store.NOBODY:
        return None
    return datetime.fromtimestamp(head.seen_ms / 1000, UTC)


def purge(enrolment_id: str, *, actor: str, reason: str, now: datetime) -> int:
    """学时清零: take back everything this enrolment was credited (mohurd manual: hours audit). Tickets made before no
    longer count, a late flush or a phone that sends again does not undo it, and what the learner had saved up in the
    bucket is gone. How many lessons were emptied. Raises `NOT_FOUND`; `RedisError` after the purge stands in SQL
    (Redis follows with the next flush or play)."""
    person_id = enrol.get(enrolment_id).person_id
    with transaction():
        emptied = LessonProgress.update(
            epoch=LessonProgress.epoch + 1,
            bitmap=b"",
            credited_chunks=0,
            position=0,
            completed_at=None,
            updated_at=now,
            revision=LessonProgress.revision + 1,
        ).where(LessonProgress.enrolment_id == enrolment_id)
        count: int = emptied.execute()
        Learner.update(bucket_ms=0, bucket_at_ms=_ms(now), revision=Learner.revision + 1).where(
            Learner.id == person_id
        ).execute()
        audit.record(actor, "study.purged", f"enrolment:{enrolment_id}", now=now, reason=reason, lessons=count)
    store.purge(person_id, {row.id: row.epoch for row in queries.progress_of(enrolment_id).values()})
    return count


def _enough(enrolment: Enrolment, lessons_: int, done: int) -> bool:
    study = policy.programme(enrolment.programme, enrolment.version).study
    return study is not None and lessons_ > 0 and done * 100 >= lessons_ * study.total_percent


def _states(enrolment: Enrolment) -> list[LessonState]:
    study = rules_of(enrolment.programme, enrolment.version)
    course_lessons = queries.lessons_for(enrolment)
    progress = queries.progress_of(enrolment.id)
    live = _live(enrolment.person_id, progress)
    states = []
    for place, lesson in enumerate(course_lessons, start=1):
        row = progress.get(lesson.id)
        record = live.get(lesson.id)
        if row is not None and (record is None or record.epoch != row.epoch):
            record = Record(row.epoch, row.credited_chunks, row.position, bytes(row.bitmap), bytes(row.bitmap))
        record = record or Record(0, 0, 0, b"", b"")
        states.append(
            LessonState(
                id=lesson.id,
                number=place,
                title=lesson.title,
                seconds=lesson.seconds,
                percent=record.count * 100 // study.chunks(lesson.seconds),
                done=record.count >= study.needed(lesson.seconds),
                resume_at=_resume_at(record, study, lesson.seconds),
                saved_at=row.updated_at if row is not None and row.credited_chunks else None,
                film=lesson.video,
            )
        )
    return states


def _live(person_id: str, progress: dict[str, LessonProgress]) -> dict[str, Record]:
    """What Redis holds beyond SQL, by lesson; nothing while Redis is away."""
    if not progress:
        return {}
    try:
        _, records = store.read(person_id, [row.id for row in progress.values()])
    except redis.exceptions.RedisError as error:
        log.warning("progress_without_redis", error=type(error).__name__)
        return {}
    return {
        lesson_id: Record(
            record.epoch,
            bitmap.count(united := bitmap.union(record.bits, bytes(row.bitmap))),
            record.position,
            united,
            record.durable,
        )
        for (lesson_id, row), record in zip(progress.items(), records, strict=True)
        if record is not None
    }


def _resume_at(record: Record, study: Rules, seconds: int) -> int:
    """Where to go on: from the start once done, and never beyond a gap where the order is kept."""
    if record.count >= study.needed(seconds):
        return 0
    if study.in_order:
        return min(record.position, bitmap.prefix(record.bits) * study.chunk_seconds)
    return record.position


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
