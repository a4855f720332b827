"""The import of a roster: every row is checked before the first one is written, and all are written or none."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

import peewee

from app.account import service as account
from app.account.service import NewPerson
from app.core import audit, crypto
from app.core.db import lock, transaction
from app.core.errors import CONFLICT
from app.core.sheet import RowError, Table, read_table
from app.enrol.models import Enrolment, RosterEntry, RosterImport
from app.enrol.roster import rows as cells
from app.enrol.roster.rows import RosterRow
from app.enrol.sign_up import programme_in_force
from app.policy.days import shanghai_day
from app.policy.schema import Programme

Item = TypeVar("Item")

BATCH = 200  # rows of one INSERT
LOOK_UP = 500  # values of one IN (...)


@dataclass(frozen=True)
class ImportResult:
    """What an import did, in rows; with `errors` it did nothing. `table` is the file, for the report."""

    table: Table
    errors: list[RowError]
    added: int = 0
    changed: int = 0

    @property
    def rows(self) -> int:
        return len(self.table.rows)

    @property
    def unchanged(self) -> int:
        return 0 if self.errors else self.rows - self.added - self.changed


def no_progress(_done: int, _total: int) -> None:
    """Tells nobody."""


def import_roster(
    path: Path,
    programme_key: str,
    *,
    actor: str,
    now: datetime,
    progress: Callable[[int, int], None] = no_progress,
) -> ImportResult:
    """Add the certificates in the xlsx file `path` to the roster of a programme, and bring known ones up to date; the
    same file again changes nothing. `actor` as in the audit log; `progress(done, total)` counts rows written. Raises
    `SheetRefused` for a file that cannot be used at all, `NOT_FOUND` for an unknown programme, `CONFLICT` if another
    import wrote the same certificates meanwhile."""
    programme = programme_in_force(programme_key, now)
    table = read_table(path, cells.COLUMNS)
    good, errors = _read(table, programme, now)
    try:
        with transaction():
            known = _known_entries(programme.key, good)
            errors = _in_order([*errors, *_conflicts(good, known)])
            if errors:
                return ImportResult(table, errors)
            return _write(path, programme, table, good, known, actor=actor, now=now, progress=progress)
    except peewee.IntegrityError as error:
        raise CONFLICT("另一次导入正在写入同样的证书，本次没有导入，请稍后重试。") from error


def _read(table: Table, programme: Programme, now: datetime) -> tuple[list[RosterRow], list[RowError]]:
    """What the file alone tells: valid rows, and errors."""
    good: list[RosterRow] = []
    errors: list[RowError] = []
    for outcome in cells.read(table, programme, today=shanghai_day(now)):
        if isinstance(outcome, RosterRow):
            good.append(outcome)
        else:
            errors += outcome
    return good, errors + list(cells.clashes(good))


def _in_order(errors: list[RowError]) -> list[RowError]:
    """By row, then in the order of the template's columns."""
    return sorted(errors, key=lambda error: (error.row, cells.COLUMNS.index(error.column)))


def _known_entries(programme: str, rows: Sequence[RosterRow]) -> dict[str, RosterEntry]:
    """Certificate number → the entry that has it already."""
    written = [row.certificate_no for row in rows]
    numbers = {key: number for number in written for key in crypto.indexes("roster_entry.certificate_no", number)}
    found: dict[str, RosterEntry] = {}
    for part in _parts(list(numbers), LOOK_UP):
        mine = (RosterEntry.programme == programme) & RosterEntry.certificate_no_index.in_(part)
        found |= {numbers[entry.certificate_no_index]: entry for entry in RosterEntry.select().where(mine)}
    return found


def _parts(items: list[Item], size: int) -> Iterator[list[Item]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _person(row: RosterRow) -> NewPerson:
    return NewPerson(row.id_number, row.name, row.phone)


def _conflicts(rows: Sequence[RosterRow], entries: dict[str, RosterEntry]) -> Iterator[RowError]:
    """What the rows say against what is known."""
    changed = [
        entries[row.certificate_no].id
        for row in rows
        if row.certificate_no in entries and entries[row.certificate_no].kind_code != row.kind_code
    ]
    busy: set[str] = set()
    for part in _parts(sorted(changed), LOOK_UP):
        list(lock(RosterEntry.select(RosterEntry.id).where(RosterEntry.id.in_(part)).order_by(RosterEntry.id)))
        taken = Enrolment.select(Enrolment.open_entry_id).where(Enrolment.open_entry_id.in_(part))
        busy |= {key for (key,) in taken.tuples()}
    for row, person in zip(rows, account.look_up_people([_person(row) for row in rows]), strict=True):
        if person is not None and not person.same_name:
            yield RowError(row.number, cells.NAME, "系统里这个身份证号登记的是另一个姓名，请对照证件核对。")
        entry = entries.get(row.certificate_no)
        if entry is None:
            continue
        if person is None or entry.person_id != person.person_id:
            yield RowError(row.number, cells.CERTIFICATE_NO, "这个证书编号已登记在另一个人名下，请核对。")
        elif entry.id in busy:
            yield RowError(row.number, cells.KIND, "这本证书已按原类别报名，类别不能再改，请先由客服处理报名。")


def _write(
    path: Path,
    programme: Programme,
    table: Table,
    rows: list[RosterRow],
    known: dict[str, RosterEntry],
    *,
    actor: str,
    now: datetime,
    progress: Callable[[int, int], None],
) -> ImportResult:
    progress(0, len(rows))
    person_ids = account.find_or_create_people([_person(row) for row in rows], now=now)
    record = RosterImport(
        programme=programme.key,
        file_sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
        actor=actor,
        imported_at=now,
        rows=len(rows),
        added=0,
        changed=0,
    )
    done = 0
    for part in _parts(list(zip(rows, person_ids, strict=True)), BATCH):
        fresh = []
        for row, person_id in part:
            values = {"kind_code": row.kind_code, "issued_on": row.issued_on, "expires_on": row.expires_on}
            entry = known.get(row.certificate_no)
            if entry is None:
                entry = RosterEntry(programme=programme.key, person_id=person_id, import_id=record.id, **values)
                entry.certificate_no = row.certificate_no
                fresh.append(entry)
            elif any(getattr(entry, name) != value for name, value in values.items()):
                RosterEntry.update(import_id=record.id, **values).where(RosterEntry.id == entry.id).execute()
                record.changed += 1
        if fresh:
            RosterEntry.bulk_create(fresh)
            record.added += len(fresh)
        done += len(part)
        progress(done, len(rows))
    if record.added or record.changed:
        record.save(force_insert=True)
    counts = {"rows": record.rows, "added": record.added, "changed": record.changed}
    audit.record(actor, "roster.imported", f"programme:{programme.key}", now=now, **counts)
    return ImportResult(table, [], record.added, record.changed)
