"""The inbox: a provider's callback is committed before it is answered, then applied, as often as it takes.

The body is encrypted. Applying must be idempotent and asks the provider for the truth: the callback is a trigger.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

import peewee
import structlog
from rq.timeouts import BaseTimeoutException

from app.core import stuck
from app.core.budget import Budget
from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField, after_commit, compare_and_set, insert_once
from app.core.ids import new_id
from app.core.queue import enqueue_hint

log = structlog.get_logger(__name__)

APPLY = "jobs.entries.apply_inbox"
CLAIM = timedelta(seconds=60)
STUCK_AFTER = 20  # tries without success: about two hours; a person is told, and the tries go on
MAX_PAUSE = 600  # seconds

Applier = Callable[[str, datetime], None]


class InboxMessage(BaseModel):
    """One verified callback, unique by provider and the provider's own id of it."""

    provider = peewee.CharField(32)
    external_id = peewee.CharField(96)
    body = Sealed()
    body_sealed = peewee.TextField()
    status = peewee.CharField(16, default="pending")
    attempts = peewee.IntegerField(default=0)
    available_at = UtcField()
    received_at = UtcField()
    applied_at = UtcField(null=True)
    last_error = peewee.CharField(200, null=True)

    class Meta:
        indexes = ((("provider", "external_id"), True), (("status", "available_at"), False))


_appliers: dict[str, Applier] = {}


def applier(provider: str, function: Applier) -> None:
    """`function(body, now)` applies a message of `provider`; it may call the network, and runs outside of any
    transaction. Raising means: again later."""
    _appliers[provider] = function


def record(provider: str, external_id: str, body: str, *, now: datetime) -> bool:
    """Commit a verified callback; a job applies it soon. False if it was here before (the answer is the same): one
    that could not be applied yet, and waits for its next try, is then due at once."""
    row_id = new_id()
    fresh = insert_once(
        InboxMessage,
        id=row_id,
        provider=provider,
        external_id=external_id,
        body=body,
        available_at=now,
        received_at=now,
    )
    if fresh:
        after_commit(partial(enqueue_hint, APPLY, row_id))
    else:
        _make_due(provider, external_id, now)
    return fresh


def _make_due(provider: str, external_id: str, now: datetime) -> None:
    """The provider sends again what waits here: no reason to wait longer. One under way is left to who has it."""
    message = InboxMessage.get(InboxMessage.provider == provider, InboxMessage.external_id == external_id)
    if message.status != "pending" or message.available_at <= now:
        return
    seen = {"status": "pending", "available_at": message.available_at}
    if compare_and_set(InboxMessage, message.id, seen, {"available_at": now}):
        after_commit(partial(enqueue_hint, APPLY, message.id))


def apply(message_id: str, *, now: datetime) -> bool:
    """Apply one message, if it is due and no one else has it. True if this call applied it. It is tried for ever,
    at least every ten minutes: money may hang on it. After `STUCK_AFTER` tries a person is told, once."""
    message = InboxMessage.get_or_none(InboxMessage.id == message_id)
    if message is None or message.status not in ("pending", "claimed") or message.available_at > now:
        return False
    seen = {"status": message.status, "available_at": message.available_at}
    claim = {"status": "claimed", "available_at": now + CLAIM, "attempts": message.attempts + 1}
    if not compare_and_set(InboxMessage, message_id, seen, claim):
        return False
    if message.attempts == STUCK_AFTER:  # told here: a try may also have ended with its worker
        facts = {"provider": message.provider, "attempts": message.attempts, "last_error": message.last_error}
        stuck.tell("inbox.stuck", message_id, facts, now=now)
    try:
        _appliers[message.provider](message.body, now)
    except BaseTimeoutException:  # the job's time is over: its claim runs out, and another job takes it
        raise
    except Exception as error:  # any failure of a provider or of ours: kept on the row, tried again
        values = {
            "status": "pending",
            "available_at": now + timedelta(seconds=min(2 ** min(message.attempts + 1, 10), MAX_PAUSE)),
            "last_error": type(error).__name__[:200],
        }
        compare_and_set(InboxMessage, message_id, {"status": "claimed"}, values)
        log.exception("inbox_failed", message_id=message_id, provider=message.provider)
        return False
    return compare_and_set(InboxMessage, message_id, {"status": "claimed"}, {"status": "applied", "applied_at": now})


def sweep(*, now: datetime, limit: int = 500) -> int:
    """Apply what is due, as far as the time of one run goes; gives the number applied."""
    due = (
        InboxMessage.select(InboxMessage.id)
        .where(InboxMessage.status.in_(("pending", "claimed")), InboxMessage.available_at <= now)
        .order_by(InboxMessage.available_at)
        .limit(limit)
        .tuples()
    )
    budget, applied = Budget(), 0
    for (message_id,) in list(due):
        if budget.spent():
            break
        applied += apply(message_id, now=now)
    return applied
