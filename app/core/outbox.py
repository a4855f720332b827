"""The outbox: what must happen after a commit is a row of the same transaction.

`emit` writes one row per subscriber; the row is delivered right after the commit by a job, and again by the sweeper.
A delivery claims its row by compare-and-set; the subscriber's work and the mark 'done' commit together, so a local
effect happens exactly once. A subscriber never calls the network: it writes a row of its own domain, whose job does.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache, partial
from itertools import chain
from typing import Any

import peewee
import structlog
from rq.timeouts import BaseTimeoutException

from app.core import audit, engines, stuck
from app.core.db import BaseModel, UtcField, after_commit, compare_and_set, database, transaction, unit
from app.core.engines import MySql, Postgresql
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.core.statement import Statement

log = structlog.get_logger(__name__)

CLAIM = timedelta(seconds=60)  # a claim older than this belongs to a process that died
MAX_ATTEMPTS = 3
DELIVER = "jobs.entries.deliver_outbox"

Subscriber = Callable[[dict[str, str], datetime], None]


class OutboxMessage(BaseModel):
    """One event for one subscriber. `payload` holds ids only, never personal data."""

    event = peewee.CharField(64)
    subscriber = peewee.CharField(64)
    key = peewee.CharField(96)
    payload = peewee.TextField()
    status = peewee.CharField(16, default="pending")
    attempts = peewee.IntegerField(default=0)
    available_at = UtcField()
    created_at = UtcField()
    done_at = UtcField(null=True)
    last_error = peewee.CharField(200, null=True)

    class Meta:
        indexes = ((("event", "subscriber", "key"), True), (("status", "available_at"), False))


_COLUMNS = ("id", "event", "subscriber", "key", "payload", "status", "attempts", "available_at", "created_at")


@cache
def _insert(rows: int) -> Statement:
    """The statement that writes so many rows at once, leaving those alone that are there."""

    def make(slot: Any) -> Any:
        query = OutboxMessage.insert_many([{getattr(OutboxMessage, name): slot for name in _COLUMNS}] * rows)
        if isinstance(database.obj, Postgresql):
            return query.on_conflict_ignore().returning()
        # their "ignore" forgives other mistakes, too
        unique = (OutboxMessage.event, OutboxMessage.subscriber, OutboxMessage.key)
        target = {} if isinstance(database.obj, MySql) else {"conflict_target": unique}
        return query.on_conflict(preserve=[OutboxMessage.key], **target)

    return Statement(make)


_subscribers: dict[str, dict[str, Subscriber]] = {}


def subscribe(event: str, name: str, function: Subscriber) -> None:
    """Call `function(payload, now)` for each `event`; `name` is unique per event and never changes."""
    _subscribers.setdefault(event, {})[name] = function


def subscribers(event: str) -> list[str]:
    """Who hears of `event` in this process, by name."""
    return sorted(_subscribers.get(event, {}))


def emit(event: str, key: str, payload: dict[str, str], *, now: datetime) -> None:
    """Write the event for each of its subscribers; inside a transaction only. `key` is the business key: the same
    event with the same key is delivered once, however often it is emitted."""
    if not database.in_transaction():
        raise RuntimeError(f"outbox event {event!r} outside of a transaction")
    rows = {subscriber: new_id() for subscriber in subscribers(event)}
    moment = OutboxMessage.created_at.db_value(now)
    text = json.dumps(payload)
    values = [(rows[name], event, name, key, text, "pending", 0, moment, moment) for name in rows]
    if rows:
        _insert(len(rows))(*chain.from_iterable(values))
        after_commit(partial(enqueue_hint, DELIVER, *rows.values()))


def deliver(message_id: str, *, now: datetime) -> bool:
    """Run the subscriber of one message, if it is due and no one else has it. True if this call delivered it.
    An error is written to the row, and the message comes again after a pause of 2, then 4 seconds; after
    `MAX_ATTEMPTS` it is dead, a person is told, and `revive` brings it back. A database that is away is no failure of
    the message: its claim runs out, and it is due again. Raises `OperationalError`, `InterfaceError` then."""
    message = OutboxMessage.get_or_none(OutboxMessage.id == message_id)
    if message is None or message.status not in ("pending", "claimed") or message.available_at > now:
        return False
    function = _subscribers.get(message.event, {}).get(message.subscriber)
    if function is None:
        log.error("outbox_without_subscriber", message_id=message_id, outbox_event=message.event)
        return False
    seen = {"status": message.status, "available_at": message.available_at}
    claim = {"status": "claimed", "available_at": now + CLAIM, "attempts": message.attempts + 1}
    if not compare_and_set(OutboxMessage, message_id, seen, claim):
        return False
    try:
        return unit(partial(_apply, message, function, now))
    except BaseTimeoutException:  # the job's time is over: its claim runs out, and another job takes it
        raise
    except Exception as error:  # any subscriber's failure: kept on the row, tried again, then a person is told
        if isinstance(error, (peewee.OperationalError, peewee.InterfaceError)) or engines.meaning(error) is not None:
            _give_back(message_id, message.attempts)
            raise
        attempts = message.attempts + 1
        dead = attempts >= MAX_ATTEMPTS
        pause = timedelta(seconds=2**attempts)
        values = {
            "status": "dead" if dead else "pending",
            "available_at": now + pause,
            "last_error": type(error).__name__[:200],
        }
        facts = {"event": message.event, "subscriber": message.subscriber, "key": message.key}
        with transaction():
            if compare_and_set(OutboxMessage, message_id, {"status": "claimed"}, values) and dead:
                stuck.tell("outbox.dead", message_id, {**facts, "last_error": type(error).__name__}, now=now)
        log.exception("outbox_failed", message_id=message_id, outbox_event=message.event, dead=dead)
        return False


def _apply(message: OutboxMessage, function: Subscriber, now: datetime) -> bool:
    """The mark 'done' and the subscriber's work, or neither. False if the claim was lost."""
    with transaction():
        done = {"status": "done", "done_at": now, "last_error": None}
        if not compare_and_set(OutboxMessage, message.id, {"status": "claimed"}, done):
            return False
        function(json.loads(message.payload), now)
    return True


def _give_back(message_id: str, attempts: int) -> None:
    """The try that the database broke off does not count; where it is still away, the next one finds out."""
    try:
        compare_and_set(OutboxMessage, message_id, {"status": "claimed"}, {"attempts": attempts})
    except peewee.DatabaseError:
        log.warning("outbox_try_counted", message_id=message_id)


def sweep(*, now: datetime, limit: int = 500) -> int:
    """Deliver what is due: lost hints, failures whose pause is over, claims of processes that died.
    Gives the number delivered."""
    due = (
        OutboxMessage.select(OutboxMessage.id)
        .where(OutboxMessage.status.in_(("pending", "claimed")), OutboxMessage.available_at <= now)
        .order_by(OutboxMessage.available_at)
        .limit(limit)
        .tuples()
    )
    return sum(deliver(message_id, now=now) for (message_id,) in list(due))


def revive(*, actor: str, now: datetime) -> int:
    """Dead messages are due again, with all their tries: for when the cause was mended. Gives how many. `actor` as in
    the audit log."""
    dead = OutboxMessage.update(status="pending", attempts=0, available_at=now).where(OutboxMessage.status == "dead")
    with transaction():
        revived = int(dead.execute())
        if revived:
            audit.record(actor, "outbox.revived", "outbox", now=now, messages=revived)
    return revived


def revive_one(message_id: str, *, now: datetime) -> bool:
    """As `revive`, one message. False if it is not dead (any more)."""
    due = {"status": "pending", "attempts": 0, "available_at": now}
    if not compare_and_set(OutboxMessage, message_id, {"status": "dead"}, due):
        return False
    after_commit(partial(enqueue_hint, DELIVER, message_id))
    return True


def undelivered(event: str, *, before: datetime) -> list[str]:
    """The keys, in order, of `event`s written before `before` that a subscriber has not heard of yet."""
    query = OutboxMessage.select(OutboxMessage.key).distinct()
    late = query.where(
        OutboxMessage.event == event, OutboxMessage.status != "done", OutboxMessage.created_at < before
    )
    return [key for (key,) in late.order_by(OutboxMessage.key).tuples()]


def counts() -> dict[str, Any]:
    """Messages per status, for health pages and audits."""
    query = OutboxMessage.select(OutboxMessage.status, peewee.fn.COUNT(OutboxMessage.id))
    return dict(query.group_by(OutboxMessage.status).tuples())
