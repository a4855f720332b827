"""New keys for old ones, while the product runs (docs/decisions/0029-new-keys.md).

Every value that an older key sealed, and every index that one made, is written anew under today's, row by row by
compare-and-set: whoever changes the row meanwhile wins, and a later pass looks again. It may be killed at any moment
and begun again, and run twice at once. Reads take all keys of the ring; one that `uses` still names must stay in it.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

import peewee
import structlog

from app.core import crypto, db, tokens
from app.core.canaries import FIELDS, INDEX, PHOTOS, SIGNING
from app.core.crypto import CannotOpen, Sealed
from app.core.db import BaseModel, compare_and_set, transaction

log = structlog.get_logger(__name__)

PASSES = 10  # a row that is changed during each of them is one that the product itself writes under today's key


class Use(NamedTuple):
    """A key that something needs: the keyring's secret, the key's id, and where ('person.phone')."""

    secret: str
    key_id: str
    place: str


@dataclass(frozen=True)
class Holder:
    """What a domain keeps under keys elsewhere than in `Sealed` columns. `rewrite(now)` writes it anew, and yields
    for each thing it looked at whether it had to, or what is wrong with it; `uses(now)` names the key of each."""

    name: str
    rewrite: Callable[[datetime], Iterator[bool | str]]
    uses: Callable[[datetime], Iterator[Use]]


@dataclass
class Outcome:
    """What was written anew, by table or holder. `lost`: rows that somebody else changed first, in the last pass.
    `wrong`: rows that cannot be opened, or that a unique key forbids."""

    written: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    wrong: list[str] = field(default_factory=list)


_holders: dict[str, Holder] = {}


def holder(
    name: str, rewrite: Callable[[datetime], Iterator[bool | str]], uses: Callable[[datetime], Iterator[Use]]
) -> None:
    """Declare a holder; called when a process starts."""
    _holders[name] = Holder(name, rewrite, uses)


# --- writing anew ------------------------------------------------------------------------------------------------


def rotate(
    models: Sequence[type[BaseModel]],
    *,
    now: datetime,
    batch: int = 100,
    pause: float = 0.0,
    progress: Callable[[str, int], None] = lambda place, looked_at: None,
) -> Outcome:
    """Write everything anew that is not under today's keys: `batch` rows a transaction, `pause` seconds after each.
    `progress(table, rows looked at)` is told after each batch."""
    outcome = Outcome()
    for number in range(PASSES):
        before, outcome.lost, outcome.wrong = outcome.written.total(), 0, []
        for model in models:
            if sealed_names(model):
                _rotate_table(model, outcome, batch, pause, progress)
        for each in _holders.values():
            for looked_at, changed in enumerate(each.rewrite(now), start=1):
                if isinstance(changed, str):
                    outcome.wrong.append(changed)
                else:
                    outcome.written[each.name] += changed
                if looked_at % batch == 0:
                    progress(each.name, looked_at)
                    time.sleep(pause)
        log.info("keys_rotated", number=number, rows=outcome.written.total() - before)
        if outcome.written.total() == before and not outcome.lost:
            break
    return outcome


def sealed_names(model: type[BaseModel]) -> list[str]:
    """The attributes of a model that are kept encrypted."""
    return [name for name, value in vars(model).items() if isinstance(value, Sealed)]


Change = tuple[str, dict[str, Any], dict[str, Any]]  # a row's id, what was seen, what it becomes


def _rotate_table(
    model: type[BaseModel], outcome: Outcome, batch: int, pause: float, progress: Callable[[str, int], None]
) -> None:
    place, looked_at, last = model._meta.table_name, 0, ""
    while rows := list(model.select().where(model.id > last).order_by(model.id).limit(batch)):
        last, looked_at = rows[-1].id, looked_at + len(rows)
        changes = []
        for row in rows:
            try:
                change = _change(row)
            except CannotOpen:
                outcome.wrong.append(f"{place} {row.id}: cannot be opened with any key of the ring")
                continue
            if change is not None:
                changes.append(change)
        wrong = len(outcome.wrong)
        won = _apply(model, changes, outcome)
        outcome.written[place] += won
        outcome.lost += len(changes) - won - (len(outcome.wrong) - wrong)
        progress(place, looked_at)
        time.sleep(pause if changes else 0)


def _change(row: BaseModel) -> Change | None:
    """How the row is written anew; None: it is under today's keys. Raises `CannotOpen`."""
    vault = crypto.fields()
    seen: dict[str, Any] = {}
    for name in sealed_names(type(row)):
        sealed, indexed = getattr(row, f"{name}_sealed"), vars(type(row))[name].indexed
        if sealed is None:
            continue
        index = getattr(row, f"{name}_index") if indexed else None
        old_index = index is not None and crypto.key_of_index(index) != vault.current_index
        if crypto.key_of(sealed) == vault.current and not old_index:
            continue
        plain = getattr(row, name)
        seen |= {f"{name}_sealed": sealed} | ({f"{name}_index": index} if indexed else {})
        setattr(row, name, plain)
    if not seen:
        return None
    values = {column: getattr(row, column) for column in seen}
    for column, value in row.rekeyed().items():
        seen[column], values[column] = getattr(row, column), value
    return row.id, seen, values


def _apply(model: type[BaseModel], changes: Sequence[Change], outcome: Outcome) -> int:
    """Write the changes in one transaction, one by one where a unique key forbids one of them; gives how many won."""
    if not changes:
        return 0

    def write() -> int:
        with transaction():
            return sum(compare_and_set(model, row_id, seen, values) for row_id, seen, values in changes)

    try:
        return db.unit(write)
    except peewee.IntegrityError:
        if len(changes) > 1:
            return sum(_apply(model, [change], outcome) for change in changes)
        outcome.wrong.append(f"{model._meta.table_name} {changes[0][0]}: another row has the same value already")
        return 0


# --- looking -----------------------------------------------------------------------------------------------------


def uses(models: Sequence[type[BaseModel]], *, now: datetime) -> Counter[Use]:
    """How often each key is needed, and where."""
    found: Counter[Use] = Counter()
    for model in models:
        found.update(_table_uses(model))
    for each in _holders.values():
        found.update(each.uses(now))
    return found


def stale(found: Counter[Use]) -> dict[Use, int]:
    """What of `uses` is not under today's keys."""
    vault = crypto.fields()
    today = {FIELDS: vault.current, PHOTOS: crypto.photos().current, INDEX: vault.current_index}
    today[SIGNING] = tokens.current()
    return {use: count for use, count in sorted(found.items()) if use.key_id != today[use.secret]}


def _table_uses(model: type[BaseModel]) -> Iterator[Use]:
    place = model._meta.table_name
    sealed = [f"{name}_sealed" for name in sealed_names(model)]
    keyed = [name for name in model._meta.sorted_field_names if name.endswith("_index")] + list(model.keyed)
    columns = [getattr(model, name) for name in (*sealed, *keyed)]
    if not columns:
        return
    for row in model.select(*columns).tuples().iterator():
        for name, value in zip(sealed, row, strict=False):
            if value is not None:
                yield Use(FIELDS, crypto.key_of(value), f"{place}.{name}")
        for name, value in zip(keyed, row[len(sealed) :], strict=True):
            if value:
                yield Use(INDEX, crypto.key_of_index(value.rpartition(":")[2]), f"{place}.{name}")
