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

from app.core.clock import shanghai
from app.policy.schema import Channel, Programme

MANIFEST = "released.toml"
_loaded: MappingProxyType[tuple[str, date], Programme] = MappingProxyType({})

# The keys of `authority.secrets` that a way to pay cannot do without.
_CHANNEL_SECRETS: dict[Channel, str | None] = {
    "wechat_native": "wechatpay",
    "wechat_jsapi": "wechatpay",
    "alipay_qr": "alipay",
    "alipay_wap": "alipay",
    "unionpay_b2c": "unionpay",
    "bank_transfer": None,
}


class ProgrammeError(SystemExit):
    """A programme file, or the list of released ones, is wrong; the message names the file and the key."""


class UnknownProgramme(LookupError):
    """No such programme, no such version of it, or none in force on that day."""


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
        if programme_.key != path.parent.name:
            raise ProgrammeError(f"{name}: key: {programme_.key!r} is not the folder's name {path.parent.name!r}")
        if programme_.version.isoformat() != path.stem:
            raise ProgrammeError(f"{name}: version: {programme_.version} is not the file's name {path.stem}")
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


def parse(data: dict[str, Any], name: str) -> Programme:
    """The programme that `data`, a TOML document, describes. Raises `ProgrammeError`."""
    try:
        programme_ = msgspec.convert(_absent(data), Programme)
    except msgspec.ValidationError as error:
        raise ProgrammeError(f"{name}: {_sentence(str(error))}") from error
    if faults := _faults(programme_):
        raise ProgrammeError("\n".join(f"{name}: {fault}" for fault in faults))
    return programme_


def _absent(value: Any) -> Any:
    """TOML has no null: the text "none" says that a rule does not exist."""
    if isinstance(value, dict):
        return {key: _absent(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_absent(item) for item in value]
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


def _faults(programme_: Programme) -> list[str]:
    """What the types alone cannot say: `key: fault` lines, empty when the file is in order."""
    faults = []
    stages = programme_.stages
    if len(set(stages)) != len(stages):
        faults.append("stages: a stage stands there twice")
    if stages[0] != "sign_up":
        faults.append('stages: the first one is "sign_up"')
    audit = programme_.study.audit if programme_.study else None
    first_login_photo = "photo" in programme_.login.person.first_login
    there = {
        ("materials", "sign_up.materials"): programme_.sign_up.materials is not None,
        ("payment", "fee"): programme_.fee is not None,
        ("photo", "photo"): programme_.photo is not None and not first_login_photo,
        ("study", "study"): programme_.study is not None,
        ("exam", "exam or centre_exam"): (programme_.exam is None) != (programme_.centre_exam is None),
        ("hours_audit", "study.audit"): audit is not None,
        ("proof", "proof"): programme_.proof is not None,
    }
    for (stage, table), stands in there.items():
        if (stage in stages) != stands:
            faults.append(f"{table}: stands there if and only if stages names {stage!r}")
    if first_login_photo and programme_.photo is None:
        faults.append("photo: missing, login.person.first_login names 'photo'")
    if programme_.make_up and (programme_.exam is None or programme_.exam.attempts is None):
        faults.append("make_up: there is no limit of attempts, exam.attempts")
    if programme_.extension and programme_.study is None:
        faults.append("extension: there is no study period")
    codes = [kind.code for kind in programme_.certificate_kinds]
    if twice := sorted({code for code in codes if codes.count(code) > 1}):
        faults.append(f"certificate_kinds: code {twice[0]!r} stands there twice")
    return faults + _money_faults(programme_) + _face_faults(programme_) + _kind_faults(programme_, set(codes))


def _money_faults(programme_: Programme) -> list[str]:
    if programme_.fee is None:
        return ["invoice: there is no fee"] if programme_.invoice else []
    faults = []
    channels = programme_.fee.channels
    offered = {*channels.web, *channels.phone_web, *channels.mini_program, *channels.app}
    if not offered:
        faults.append("fee.channels: no way to pay")
    for channel in sorted(offered):
        secret = _CHANNEL_SECRETS[channel]
        if secret and getattr(programme_.authority.secrets, secret) is None:
            faults.append(f"authority.secrets.{secret}: missing, fee.channels offers {channel!r}")
    if ("bank_transfer" in offered) != (programme_.fee.bank_transfer_days is not None):
        faults.append("fee.bank_transfer_days: stands there if and only if fee.channels offers 'bank_transfer'")
    if programme_.invoice and programme_.authority.secrets.invoice is None:
        faults.append("authority.secrets.invoice: missing, there is a table invoice")
    return faults


def _face_faults(programme_: Programme) -> list[str]:
    faults = []
    purposes = [rule.purpose for rule in programme_.face.purposes] if programme_.face else []
    if len(set(purposes)) != len(purposes):
        faults.append("face.purposes: a purpose stands there twice")
    if "real_name_face" in programme_.activation.methods and "activation" not in purposes:
        faults.append("face.purposes: 'activation' is missing, activation.methods offers 'real_name_face'")
    if programme_.face and programme_.authority.secrets.baidu is None:
        faults.append("authority.secrets.baidu: missing, there is a table face")
    if "activation" in purposes and programme_.authority.face_plan is None:
        faults.append("authority.face_plan: missing, face.purposes names 'activation'")
    if "sms_to_supplied_phone" in programme_.activation.methods and (
        programme_.authority.secrets.tencent_sms is None or programme_.authority.sms.templates.activation_code is None
    ):
        faults.append(
            "authority.sms.templates.activation_code: its template, or authority.secrets.tencent_sms, is missing"
        )
    return faults


def _kind_faults(programme_: Programme, codes: set[str]) -> list[str]:
    """Rules for some kinds of certificate name kinds that exist."""
    named: list[tuple[str, tuple[str, ...] | None]] = []
    for who, rule in (("person", programme_.login.person), ("enterprise", programme_.login.enterprise)):
        for first in rule.first_passwords if rule else ():
            named.append((f"login.{who}.first_passwords", first.certificate_kinds))
    if programme_.practice:
        named.append(("practice.certificate_kinds", programme_.practice.certificate_kinds))
    if programme_.renewal:
        named.append(("renewal.certificate_kinds", programme_.renewal.certificate_kinds))
    return [
        f"{key}: no kind of certificate has the code {code!r}"
        for key, kinds in named
        for code in kinds or ()
        if code not in codes
    ]


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


def in_force(key: str, on: date | datetime) -> Programme:
    """The version of `key` in force on the day `on`; of a moment (aware) Shanghai's day counts.
    Raises `UnknownProgramme`, `ValueError` for a moment without a time zone."""
    day = shanghai_day(on) if isinstance(on, datetime) else on
    days = [version for name, version in _loaded if name == key and version <= day]
    if not days:
        raise UnknownProgramme(f"{key} on {day}")
    return _loaded[key, max(days)]


def shanghai_day(moment: datetime) -> date:
    """The day in Shanghai of an aware moment. Raises `ValueError` for one without a time zone."""
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return shanghai(moment).date()
