"""What of a person is study's: what they were credited. The learner's lease and bucket stay behind."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import redis.exceptions
import structlog

from app.account import service as account
from app.core.clock import utcnow
from app.core.db import after_commit
from app.study import flush, store
from app.study.models import LessonProgress

log = structlog.get_logger(__name__)


def before(gone: str) -> None:
    """Write what Redis holds of the learner; what comes later, the flusher finds by the lesson, whosever it is."""
    ids = [
        row_id
        for (row_id,) in LessonProgress.select(LessonProgress.id).where(LessonProgress.person_id == gone).tuples()
    ]
    if not ids:
        return
    try:
        flush.flush_learner(gone, ids, now=utcnow())
    except redis.exceptions.RedisError as error:
        log.warning("merge_without_redis", error=type(error).__name__)


def move(keep: str, gone: str, _now: datetime) -> None:
    """In the merge's transaction; a page that still plays as `gone` is told so by its next heartbeat."""
    LessonProgress.update(person_id=keep).where(LessonProgress.person_id == gone).execute()
    after_commit(partial(_free, gone))


def _free(gone: str) -> None:
    try:
        store.free(gone)
    except redis.exceptions.RedisError as error:
        log.warning("merge_without_redis", error=type(error).__name__)


PART = account.Part("study", move, before=before)
