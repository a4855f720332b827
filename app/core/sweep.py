"""A scheduled run over many rows: one that cannot be done is logged, and must not stand in the way of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

import peewee
import structlog
from rq.timeouts import BaseTimeoutException

from app.core import db, engines
from app.core.db import BaseModel

log = structlog.get_logger(__name__)
R = TypeVar("R", bound=BaseModel)

# what ends the whole run and not one row: the worker's alarm (an ordinary Exception to Python), the database away
RUN_OVER = (BaseTimeoutException, peewee.OperationalError, peewee.InterfaceError)


def each(name: str, rows: Iterable[R], work: Callable[[R], bool]) -> tuple[int, int]:
    """Call `work` on each row; gives for how many it was true, and how many raised (logged as `sweep_row_failed`).
    `work` moves its row to the end of the queue first, so that rows that fail do not fill the next run. Raises
    `RUN_OVER`."""
    done = failed = 0
    for row in rows:
        try:
            done += db.unit(partial(work, row))
        except RUN_OVER:
            raise
        except Exception as error:  # whatever is wrong with this row, the next one has nothing to do with it
            if engines.meaning(error) == "gone":
                raise
            failed += 1
            log.exception("sweep_row_failed", sweep=name, row_id=row.id)
    return done, failed
