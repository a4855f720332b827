"""Lists as files: asked for with a reason, made by a job, fetched by whoever asked, gone after a day. Who asked, why,
for which rows, and each time the file was fetched stands in the audit log (fault A5)."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, cast

import structlog

from app.account import service as account
from app.core import audit, crypto, table_file
from app.core.clock import day_of
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.errors import FORBIDDEN, NOT_FOUND
from app.core.ids import new_id
from app.core.logging import redact_text
from app.core.queue import JOB_SECONDS, enqueue_hint
from app.core.staff import EVERYWHERE, Right, Staff
from app.core.table_file import Cell, Format
from app.policy import load as policy
from app.policy.days import shanghai_day
from app.reports import lists
from app.reports.errors import EXPORT_BUSY, EXPORT_INVALID, EXPORT_NOT_READY
from app.reports.figures import ONE_DAY, ends_of
from app.reports.lists import LISTS, List, Wanted
from app.reports.models import Export
from app.reports.status import UNDER_WAY, Action, Status, next_status
from app.staff import service as staff_service

log = structlog.get_logger(__name__)

MAKE = "jobs.entries.make_export"
MOST_ROWS = 100_000
MOST_DAYS = 366
AT_ONCE = 2  # exports of one person that are being made
MOST_TRIES = 3
LASTS = timedelta(hours=24)
LOST = timedelta(seconds=JOB_SECONDS * 2)  # a claim that old belongs to a worker that died
REASON = (5, 200)  # characters
FORMATS: tuple[Format, ...] = ("xlsx", "csv")

_root: list[Path] = []


def init(data_dir: Path) -> None:
    """Where the files lie; called once at the start of each process."""
    _root[:] = [data_dir / "exports"]


def _path(export_id: str) -> Path:
    return _root[0] / export_id


def _aad(export: Export) -> str:
    return f"report_export.{export.id} of {export.actor}"


@dataclass(frozen=True)
class Asked:
    """What the form says: which list, as what, of which programme, from one day to another, both included."""

    what: str
    format: str
    programme: str
    since: str
    until: str
    clear: bool
    reason: str


def ask(staff: Staff, asked: Asked, *, token: str, now: datetime) -> Export:
    """Ask for a list; a worker makes the file. The same `token` again is the same export. Raises `export_invalid`,
    `export_busy`, `forbidden`."""
    known = Export.get_or_none(Export.actor == staff.actor, Export.token == token)
    if known is not None:
        return cast(Export, known)
    reason = " ".join(asked.reason.split())
    what, _, _ = _checked(asked, reason, token)
    _require(staff, what, asked.programme, asked.clear)
    row_id = new_id()
    with transaction():
        account.hold("export", staff.actor, now=now)  # of two forms at the same moment one is counted first
        open_ = Export.select().where(Export.actor == staff.actor, Export.status.in_(UNDER_WAY)).count()
        if open_ >= AT_ONCE:
            raise EXPORT_BUSY(headers={"Retry-After": "10"})
        fresh = insert_once(
            Export, id=row_id, actor=staff.actor, token=token, what=asked.what, format=asked.format,
            programme=asked.programme, since=asked.since, until=asked.until, clear=asked.clear,
            reason=redact_text(reason), status=Status.ASKED, asked_at=now,
        )  # fmt: skip
        if fresh:
            audit.record(
                staff.actor, "export.asked", f"export:{row_id}", now=now, what=asked.what, programme=asked.programme,
                since=asked.since, until=asked.until, clear=asked.clear, reason=redact_text(reason),
            )  # fmt: skip
            after_commit(partial(enqueue_hint, MAKE, row_id))
    return cast(Export, Export.get(Export.actor == staff.actor, Export.token == token))


def _checked(asked: Asked, reason: str, token: str) -> tuple[List, date, date]:
    wrong = {}
    try:
        since, until = day_of(asked.since), day_of(asked.until)
        if not timedelta(0) <= until - since < timedelta(days=MOST_DAYS):
            wrong["since"] = f"起止日期有误：结束不早于开始，最长 {MOST_DAYS} 天。"
    except ValueError:
        wrong["since"] = "请填写起止日期。"
    if asked.what not in LISTS:
        wrong["what"] = "请选择导出的内容。"
    if asked.format not in FORMATS:
        wrong["format"] = "请选择文件格式。"
    if not REASON[0] <= len(reason) <= REASON[1]:
        wrong["reason"] = f"请写明导出的用途（{REASON[0]} 至 {REASON[1]} 个字），会记入审计。"
    if not 8 <= len(token) <= 64:
        wrong["form"] = "页面已过期，请刷新后再试。"
    if wrong:
        raise EXPORT_INVALID(next(iter(wrong.values())), fields=wrong)
    return LISTS[asked.what], since, until


def _require(staff: Staff, what: List, programme: str, clear: bool) -> None:
    """Raises `forbidden` unless they may have this list of this programme (EVERYWHERE: of all that are theirs); in
    the clear: only with support in each of them."""
    mine = lists.places(staff, what)
    chosen = mine if programme == EVERYWHERE else mine & {programme}
    if not chosen or (clear and not all(staff.may(Right.SUPPORT, place) for place in chosen)):
        raise FORBIDDEN()


def mine(staff: Staff, *, limit: int = 20) -> list[Export]:
    """What they asked for, the latest first."""
    return list(Export.select().where(Export.actor == staff.actor).order_by(Export.asked_at.desc()).limit(limit))


def under_way(staff: Staff) -> bool:
    """Whether one of theirs is being made."""
    return bool(Export.select().where(Export.actor == staff.actor, Export.status.in_(UNDER_WAY)).exists())


def fetch(staff: Staff, export_id: str, *, now: datetime) -> tuple[Export, bytes]:
    """The file, for whoever asked for it and still may have it; written down each time. Raises `not_found`,
    `forbidden`, `export_not_ready`."""
    export = Export.get_or_none(Export.id == export_id, Export.actor == staff.actor)
    if export is None:
        raise NOT_FOUND()
    _require(staff, LISTS[export.what], export.programme, export.clear)
    if export.status != Status.READY or export.expires_at <= now:
        raise EXPORT_NOT_READY()
    for programme in _programmes(export):
        _require(staff, LISTS[export.what], programme, export.clear)
    try:
        data = crypto.photos().open_bytes(_path(export.id).read_bytes(), _aad(export))
    except (FileNotFoundError, crypto.CannotOpen):
        log.warning("export_file_gone", export_id=export.id)
        raise EXPORT_NOT_READY() from None
    with transaction():
        audit.record(staff.actor, "export.fetched", f"export:{export.id}", now=now, rows=export.rows)
    return export, data


def _programmes(export: Export) -> set[str]:
    """Whose rows are in the file; of one that was made before this was kept: any programme's."""
    if export.programme != EVERYWHERE:
        return {export.programme}
    if export.programmes is not None:
        return set(json.loads(export.programmes))
    return {one.key for one in policy.all_programmes()}


def _move(export: Export, action: Action, **values: Any) -> bool:
    """Apply `action` by compare-and-set; True if this caller did it."""
    before = Status(export.status)
    after = next_status(before, action)
    return compare_and_set(Export, export.id, {"status": before, "tries": export.tries}, {"status": after, **values})


def make(export_id: str, *, now: datetime) -> bool:
    """Make one file, if nobody else does. True if it is there now."""
    export = Export.get_or_none(Export.id == export_id)
    if export is None or export.status != Status.ASKED:
        return False
    if not _move(export, Action.CLAIM, claimed_at=now, tries=export.tries + 1):
        return False
    export = Export.get_by_id(export_id)
    try:
        count, whole, data, programmes = _made(export)
    except Exception:  # whatever it was is logged with its trace, and tried again or shown as failed
        last = export.tries >= MOST_TRIES
        log.exception("export_failed", export_id=export.id, tries=export.tries)
        _move(export, Action.FAIL if last else Action.RETURN)
        return False
    _write(export, data)
    with transaction():
        values = {
            "programmes": json.dumps(sorted(programmes)),
            "rows": count,
            "whole": whole,
            "ready_at": now,
            "expires_at": now + LASTS,
        }
        if not _move(export, Action.FINISH, **values):
            return False
        audit.record("system", "export.made", f"export:{export.id}", now=now, rows=count, whole=whole)
    return True


def _made(export: Export) -> tuple[int, bool, bytes, set[str]]:
    """How many rows, whether these are all, the file, and the programmes of which it may hold rows."""
    what = LISTS[export.what]
    since, until = date.fromisoformat(export.since), date.fromisoformat(export.until)
    wanted = Wanted(export.programme, ends_of(since)[0], ends_of(until)[1], export.clear)
    member = Staff(export.actor, staff_service.rights_of(export.actor.removeprefix("staff:")))
    found = lists.rows(member, what, wanted)
    count = 0

    def counted() -> Iterator[Sequence[Cell]]:
        nonlocal count
        for row in islice(found, MOST_ROWS):
            count += 1
            yield row

    data = table_file.make(cast(Format, export.format), what.columns, counted())
    return count, next(found, None) is None, data, lists.places(member, what)


def _write(export: Export, data: bytes) -> None:
    _root[0].mkdir(parents=True, exist_ok=True, mode=0o700)
    path = _path(export.id)
    unfinished = path.with_suffix(f".{export.tries}")
    handle = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(crypto.photos().seal_bytes(data, _aad(export)))
        file.flush()
        os.fsync(file.fileno())
    unfinished.replace(path)


def work(*, now: datetime) -> int:
    """Make what waits (a hint may be lost), take up what a dead worker left, delete the files whose time is over.
    Gives how many were made."""
    lost = Export.select().where(Export.status == Status.MAKING, Export.claimed_at <= now - LOST).limit(20)
    for export in list(lost):
        _move(export, Action.FAIL if export.tries >= MOST_TRIES else Action.RETURN)
    over = Export.select().where(Export.status == Status.READY, Export.expires_at <= now).limit(100)
    for export in list(over):
        if _move(export, Action.EXPIRE):
            _path(export.id).unlink(missing_ok=True)
    waiting = Export.select(Export.id).where(Export.status == Status.ASKED).order_by(Export.asked_at).limit(1)
    return sum(make(export_id, now=now) for (export_id,) in list(waiting.tuples()))


def default_period(now: datetime) -> tuple[date, date]:
    """The last thirty days."""
    today = shanghai_day(now)
    return today - ONE_DAY * 29, today
