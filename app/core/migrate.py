"""The database's history: numbered scripts in `migrations/`, applied once each, in order.

While an update rolls over the hosts, processes of two versions share one schema. So a migration only adds; what the
version before still reads is taken away by another one, whose name begins with `contract` after its number, and which
is applied once that version runs nowhere any more (docs/decisions/0033-expand-and-contract.md)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from playhouse.migrations import Migration, Runner, template
from playhouse.schema_diff import diff_models

from app.core.db import BaseModel, database
from config.settings import ROOT, SettingsError

DIRECTORY = ROOT / "migrations"
CONTRACT = "_contract_"  # in the name of one that takes something away


class _Expanding(Runner):  # type: ignore[misc]
    """Knows only the migrations that add."""

    def migrations(self) -> list[Migration]:
        return [one for one in super().migrations() if CONTRACT not in one.name]


def up(directory: Path = DIRECTORY, *, contract: bool = True) -> list[str]:
    """Apply what was not applied yet, without `contract` only what adds; gives the names. Raises `SettingsError` for
    a database in which texts would be cut, or compared otherwise than our unique keys (codes, hashes) rely on."""
    if sentence := database.unfit():
        raise SettingsError(f"DATABASE_URL: {sentence}")
    runner = Runner if contract else _Expanding
    return list(runner(database.obj, str(directory)).up())


def pending(directory: Path = DIRECTORY) -> list[str]:
    """What was not applied yet."""
    return [migration.name for migration in Runner(database.obj, str(directory)).status() if not migration.applied]


def difference(models: Sequence[type[BaseModel]]) -> str:
    """How the database differs from the models, as text; empty if it does not."""
    diff = diff_models(database.obj, list(models))
    return str(diff) if diff else ""


def write(name: str, models: Sequence[type[BaseModel]], directory: Path = DIRECTORY) -> str | None:
    """Write a migration that takes the (migrated) database to the models; gives its path, or None if there is
    nothing to do. Read it before it is committed."""
    diff = diff_models(database.obj, list(models))
    if not diff:
        return None
    body = template(diff).replace("UtcField(", "DateTimeField(")  # a migration stands alone
    lines = [line for line in body.splitlines() if not line.startswith("from app.")]
    if "add_column" not in body:
        # The generator asks for defaults that are functions. New tables need none: the application gives each row its
        # values. For a column that is added to rows which exist, its question stays in the file, to be answered.
        lines = [line for line in lines if not line.startswith("# TODO:")]
    return str(Runner(database.obj, str(directory)).create(name, body="\n".join(lines) + "\n"))
