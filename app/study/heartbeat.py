"""The hot path: watched chunks in, progress out. One signature, one script in Redis, no database, no ORM.

`front` answers it before Flask does; the same `answer` stands behind the route in Flask's URL map. See
docs/decisions/0015. What is refused here is never lost: the phone keeps each chunk until `durable` names it.
"""

from __future__ import annotations

import base64
import math
import struct
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
import peewee
import redis.exceptions
import structlog
from msgspec import Meta
from werkzeug.exceptions import RequestEntityTooLarge

from app.core import clock, db, errors, rates, web
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.ids import new_id
from app.core.tokens import BadToken
from app.policy import load as policy
from app.study import bitmap, store
from app.study.errors import RECORDING_PAUSED, TICKET_INVALID, WRONG_CHUNKS
from app.study.models import Learner, LessonProgress
from app.study.tickets import PlayTicket, read_play

log = structlog.get_logger(__name__)

PATH = "/api/v1/heartbeat"
MAX_BODY = 64 * 1024
MAX_CHUNKS = 1000  # a batch of 2 h 45 min; a longer one comes in several beats
Next = Literal["go_on", "wait", "face_check", "kicked", "done"]
Reason = Literal["other_device", "purged"]


class Beat(msgspec.Struct):
    """`chunks`: numbers of the chunks watched to their end, in any order. `position`: the player's, in seconds."""

    ticket: Annotated[str, Meta(max_length=512)]
    chunks: Annotated[list[Annotated[int, Meta(ge=0, lt=65536)]], Meta(max_length=MAX_CHUNKS)] = []
    position: Annotated[float, Meta(ge=0, le=1e6)] = 0.0


class Answer(msgspec.Struct):
    """`credited` and `durable` are bitmaps (base64, chunk 0 = highest bit of the first byte): what counts, and what
    of it is in SQL. The phone forgets a chunk once `durable` has it, and sends again what `credited` lacks.
    `refused`: chunks of this beat that were not credited; `wait_seconds`: when the first of them can be.
    `store` changes when Redis' state was rebuilt: compare everything then. `resume_at`: seconds up to which the film
    was watched without a gap. `reason` says why the player was kicked. `server_now`: the moment of this answer, at
    which what is durable was."""

    credited: str
    durable: str
    percent: int
    next: Next
    reason: Reason | None
    refused: list[int]
    wait_seconds: float
    resume_at: int
    epoch: int
    store: str
    server_now: str


class Rules(msgspec.Struct, frozen=True):
    """What the script needs of a programme version."""

    chunk_seconds: int
    rate: float
    cap_ms: int
    in_order: int
    lesson_percent: int

    def chunks(self, seconds: int) -> int:
        """How many chunks a lesson of `seconds` has; the last one may be shorter."""
        return -(-seconds // self.chunk_seconds)

    def needed(self, seconds: int) -> int:
        """How many of them make the lesson done."""
        return -(-self.chunks(seconds) * self.lesson_percent // 100)


@lru_cache(maxsize=64)
def rules_of(programme: str, version: str) -> Rules:
    """The rules of a programme version, which never change. Raises `LookupError` if there is no such version."""
    study = policy.programme(programme, version).study
    if study is None:
        raise LookupError(f"{programme} {version} has no study")
    return Rules(
        chunk_seconds=study.chunk_seconds,
        rate=study.rate,
        cap_ms=study.offline_allowance_seconds * 1000,
        in_order=int(study.no_skipping_until_done),
        lesson_percent=math.ceil(study.lesson_percent),
    )


_decode = msgspec.json.Decoder(Beat).decode
_encode = msgspec.json.Encoder().encode
_OUTCOMES = ("credited", "missing", "other_session", "purged")


def answer(body: bytes, *, now: datetime, paced: bool = False) -> bytes:
    """Credit what `body` (JSON of a `Beat`) reports and give the JSON of an `Answer`. `paced`: no more often than a
    person may beat. Raises `Problem`; `RedisError` while the store is away: the phone keeps its chunks and goes on
    playing."""
    try:
        beat = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise (errors.INVALID if isinstance(error, msgspec.ValidationError) else errors.BAD_REQUEST)() from error
    try:
        ticket = read_play(beat.ticket, now)
    except BadToken as error:
        raise TICKET_INVALID() from error
    if paced:
        rates.check_person(rates.Kind.HEARTBEAT, ticket.person_id, now=now)
    return _encode(credit(ticket, beat.chunks, beat.position, now=now))


def credit(ticket: PlayTicket, watched: Iterable[int], position: float, *, now: datetime) -> Answer:
    """Credit `watched` chunks of the ticket's lesson. Raises as `answer` does."""
    rules = rules_of(ticket.programme, ticket.version)
    total = rules.chunks(ticket.seconds)
    chunks = sorted(set(watched))
    if chunks and chunks[-1] >= total:
        raise WRONG_CHUNKS()
    face_due = bool(ticket.face_until) and now.timestamp() >= ticket.face_until
    counted = () if face_due else chunks
    arguments = (
        ticket.session,
        ticket.progress_id,
        ticket.epoch,
        total,
        rules.chunk_seconds * 1000,
        (ticket.seconds - (total - 1) * rules.chunk_seconds) * 1000,
        rules.rate,
        rules.cap_ms,
        rules.in_order,
        struct.pack(f">{len(counted)}H", *counted),
        min(int(position), ticket.seconds),
        f"{ticket.person_id}:{ticket.progress_id}",
    )
    shard = store.shard(ticket.person_id)
    keys = (f"h:{{{shard}}}:{ticket.person_id}", f"d:{{{shard}}}")
    reply = store.run("beat", keys, arguments)
    if reply[0] == 1:
        _rebuild(ticket)
        reply = store.run("beat", keys, arguments)
        if reply[0] == 1:
            raise TICKET_INVALID()
    outcome, raw, wait_ms, packed, store_id = reply
    record = store.unpack_record(raw)
    refused = list(struct.unpack(f">{len(packed) // 2}H", packed))
    if outcome != 0 or face_due:
        refused = [chunk for chunk in chunks if outcome or not bitmap.has(record.bits, chunk)]
    reason: Reason | None = None
    if outcome:
        next_: Next = "kicked"
        reason = "other_device" if outcome == 2 else "purged"
    elif face_due:
        next_ = "face_check"
    elif record.count >= rules.needed(ticket.seconds):
        next_ = "done"
    else:
        next_ = "wait" if wait_ms else "go_on"
    return Answer(
        credited=base64.b64encode(record.bits).decode(),
        durable=base64.b64encode(record.durable).decode(),
        percent=record.count * 100 // total,
        next=next_,
        reason=reason,
        refused=refused,
        wait_seconds=wait_ms / 1000,
        resume_at=min(bitmap.prefix(record.bits) * rules.chunk_seconds, ticket.seconds),
        epoch=record.epoch,
        store=store_id.decode(),
        server_now=clock.iso(now),
    )


def _rebuild(ticket: PlayTicket) -> None:
    """Redis has lost this learner: put back what SQL has. The lease goes to the session that SQL names, and the
    bucket goes on from where SQL knows it."""
    with db.connection():
        learner = Learner.get_or_none(Learner.id == ticket.person_id)
        progress = LessonProgress.get_or_none(LessonProgress.id == ticket.progress_id)
    if learner is None or progress is None:
        raise TICKET_INVALID()
    store.open_lesson(learner, progress, session="", device="", take_over=False, stale_seconds=0)
    log.warning("study_state_rebuilt", progress_id=progress.id)


# --- in front of Flask -------------------------------------------------------------------------------------------

StartResponse = Callable[..., Any]
Wsgi = Callable[[dict[str, Any], StartResponse], Iterable[bytes]]


def problem_of(error: Exception) -> Problem:
    """The problem to answer with when `answer` raised `error`; errors that are not foreseen go on."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestEntityTooLarge):
        return errors.TOO_LARGE()
    if isinstance(error, RecursionError):  # [[[[…: the JSON reader gives up
        return errors.BAD_REQUEST()
    if isinstance(error, (redis.exceptions.RedisError, peewee.OperationalError)):
        log.error("heartbeat_store_unavailable", error=type(error).__name__)
        return RECORDING_PAUSED(headers={"Retry-After": "5"})
    log.exception("heartbeat_failed")
    return errors.INTERNAL()


def front(flask: Wsgi) -> Wsgi:
    """`flask` with the heartbeat answered before it. A beat without a length, or too long, goes on to Flask's own
    checks; no request line is logged for a beat that went well."""

    headers = list(web.data_headers().items())

    def application(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH or environ["REQUEST_METHOD"] != "POST":
            return flask(environ, start_response)
        length = environ.get("CONTENT_LENGTH") or ""
        if not length.isdecimal() or int(length) > MAX_BODY:
            return flask(environ, start_response)
        request_id, now = new_id(), utcnow()
        try:
            rates.check_address(rates.Kind.HEARTBEAT, environ.get("REMOTE_ADDR", "unknown"), now=now)
            body = answer(environ["wsgi.input"].read(int(length)), now=now, paced=True)
        except Exception as error:  # turned into an answer, or logged as a bug, by problem_of
            structlog.contextvars.clear_contextvars()
            structlog.contextvars.bind_contextvars(request_id=request_id)
            response = web.problem_response(problem_of(error))
            response.headers.extend([*headers, ("X-Request-Id", request_id)])
            return response(environ, start_response)
        own = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), ("X-Request-Id", request_id)]
        start_response("200 OK", [*headers, *own])
        return [body]

    return application
