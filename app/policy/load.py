"""Reads every programme file at the start. A file that is wrong stops the start and names itself and the key.

Files lie in `<programmes_dir>/<key>/<YYYY-MM-DD>.toml`; `<programmes_dir>/released.toml` holds the SHA-256 of those
in force, which never change again.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import msgspec

from app.policy.consistency import faults
from app.policy.days import shanghai_day
from app.policy.rooms import missing
from app.policy.schema import Programme

MANIFEST = "released.toml"
_loaded: MappingProxyType[tuple[str, date], Programme] = MappingProxyType({})


class ProgrammeError(SystemExit):
    """A programme file, or the list of released ones, is wrong; the message names the file and the key."""


class UnknownProgramme(LookupError):
    """No such programme, no such version of it, or none in force on that day."""


class NotOpen(UnknownProgramme):
    """The programme's file is in order, but the product has not all the rooms that its path goes through."""


def init(programmes_dir: Path) -> None:
    """Load and check everything under `programmes_dir`; called once at the start of each process.
    Raises `ProgrammeError` and keeps what was loaded before."""
    global _loaded
    _loaded = MappingProxyType(read_all(programmes_dir))


def read_all(programmes_dir: Path) -> dict[tuple[str, date], Programme]:
    """All programme versions under `programmes_dir`, by key and day. Raises `ProgrammeError`."""
    if not programmes_dir.is_dir():
        raise ProgrammeError(f"{programmes_dir}: no such directory of programmes")
    check_released(programmes_dir)
    found: dict[tuple[str, date], Programme] = {}
    for path in sorted(programmes_dir.rglob("*")):
        if path.is_dir() or path == programmes_dir / MANIFEST:
            continue
        name = path.relative_to(programmes_dir).as_posix()
        if not re.fullmatch(r"[^/]+/\d{4}-\d{2}-\d{2}\.toml", name):
            raise ProgrammeError(f"{name}: a programme file is named <key>/<YYYY-MM-DD>.toml")
        programme_ = read(path, name)
        if (programme_.key, programme_.version) in found:
            raise ProgrammeError(f"{name}: {programme_.key} {programme_.version} stands in another file too")
        if fault := misplaced(programme_, path):
            raise ProgrammeError(f"{name}: {fault}")
        found[programme_.key, programme_.version] = programme_
    if not found:
        raise ProgrammeError(f"{programmes_dir}: holds no programme file")
    return found


def read(path: Path, name: str) -> Programme:
    """The programme in the file `path`, called `name` in messages. Raises `ProgrammeError`."""
    try:
        return parse(tomllib.loads(path.read_text(encoding="utf-8")), name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ProgrammeError(f"{name}: not TOML: {error}") from error


def misplaced(programme_: Programme, path: Path) -> str | None:
    """What is wrong with the names of the file and its folder, or None."""
    if programme_.key != path.parent.name:
        return f"key: {programme_.key!r} is not the folder's name {path.parent.name!r}"
    if programme_.version.isoformat() != path.stem:
        return f"version: {programme_.version} is not the file's name {path.stem}"
    return None


def parse(data: dict[str, Any], name: str) -> Programme:
    """The programme that `data`, a TOML document, describes. Raises `ProgrammeError`."""
    try:
        programme_ = msgspec.convert(without_none(data), Programme)
    except msgspec.ValidationError as error:
        raise ProgrammeError(f"{name}: {_sentence(str(error))}") from error
    if found := faults(programme_):
        raise ProgrammeError("\n".join(f"{name}: {fault}" for fault in found))
    return programme_


def without_none(value: Any) -> Any:
    """TOML has no null: the text "none" says that a rule does not exist."""
    if isinstance(value, dict):
        return {key: without_none(item) for key, item in value.items()}
    if isinstance(value, list):
        return [without_none(item) for item in value]
    return None if value == "none" else value


def _sentence(message: str) -> str:
    """msgspec's "Object contains unknown field `x` - at `$.fee`" as "fee.x: unknown key"."""
    text, _, place = message.partition(" - at ")
    where = place.strip("`").removeprefix("$").lstrip(".")
    named = re.fullmatch(r"Object (contains unknown|missing required) field `(.*)`", text)
    if named:
        fault = (
            "unknown key" if named[1] == "contains unknown" else 'missing key (write "none" if there is no such rule)'
        )
        return f"{'.'.join(filter(None, (where, named[2])))}: {fault}"
    return f"{where}: {text[0].lower()}{text[1:]}" if where else text


# --- released files ----------------------------------------------------------------------------------------------


def checksum(path: Path) -> str:
    """SHA-256 of the file, in hex."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def released(programmes_dir: Path) -> dict[str, str]:
    """The manifest: `<key>/<date>.toml` → SHA-256. Raises `ProgrammeError` if it is missing or malformed."""
    path = programmes_dir / MANIFEST
    try:
        return msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), dict[str, str])
    except FileNotFoundError as error:
        raise ProgrammeError(f"{MANIFEST}: missing in {programmes_dir}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, msgspec.ValidationError) as error:
        raise ProgrammeError(f"{MANIFEST}: {error}") from error


def check_released(programmes_dir: Path) -> None:
    """Every released file is there, byte for byte. Raises `ProgrammeError` naming the one that is not."""
    for name, digest in released(programmes_dir).items():
        path = programmes_dir / name
        if not path.is_file():
            raise ProgrammeError(f"{name}: was released and is missing; enrolments were made under it")
        if checksum(path) != digest:
            raise ProgrammeError(f"{name}: was released and has been edited; put the change into a new version")


# --- what the others ask -----------------------------------------------------------------------------------------


def all_programmes() -> tuple[Programme, ...]:
    """Every loaded version, by key, then by day."""
    return tuple(_loaded[place] for place in sorted(_loaded))


def programme(key: str, version: date | str) -> Programme:
    """The version `version` (a date, or its ISO text) of the programme `key`: what an enrolment began under.
    Raises `UnknownProgramme`."""
    try:
        day = date.fromisoformat(version) if isinstance(version, str) else version
        return _loaded[key, day]
    except (KeyError, ValueError) as error:
        raise UnknownProgramme(f"{key} {version}") from error


def open_programmes() -> tuple[Programme, ...]:
    """Of these, every version whose whole path can be walked here: only for them are the providers' keys needed."""
    return tuple(each for each in all_programmes() if not missing(each))


def in_force(key: str, on: date | datetime) -> Programme:
    """The version of `key` in force on the day `on`, the newest that is open by then; of a moment (aware) Shanghai's
    day counts. Raises `UnknownProgramme`, `NotOpen`, `ValueError` for a moment without a time zone."""
    day = shanghai_day(on) if isinstance(on, datetime) else on
    versions = [_loaded[place] for place in sorted(_loaded) if place[0] == key and place[1] <= day]
    if not versions:
        raise UnknownProgramme(f"{key} on {day}")
    opened = [each for each in versions if not missing(each)]
    if not opened:
        raise NotOpen(f"{key} on {day}: not open yet, the product lacks {', '.join(missing(versions[-1]))}")
    return opened[-1]


def all_in_force(on: date | datetime) -> tuple[Programme, ...]:
    """What can be begun on that day: the version in force of each key that has one, by key."""
    found = []
    for key in sorted({key for key, _ in _loaded}):
        try:
            found.append(in_force(key, on))
        except UnknownProgramme:
            continue
    return tuple(found)
