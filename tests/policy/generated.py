"""Whole programme files made from the schema itself: a new key of the schema is generated without a line here.

Every struct's fields are drawn by their types; what only some combinations may say is mended afterwards, struct by
struct and then for the file as a whole (the rules of `app.policy.consistency`, written down once more).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import date, time, timedelta
from functools import cache
from random import Random
from typing import Any

from hypothesis import strategies as st
from msgspec import inspect

from app.policy.rooms import WALKED
from app.policy.schema import Programme

Document = dict[str, Any]
_WORDS = ("a", "b-2", "liu", "di6", "yunnan", "z")
_PATTERNS: dict[str, Callable[[Random], str]] = {  # as the schema writes them
    r"^[A-Za-z0-9][A-Za-z0-9_-]*$": lambda dice: f"K{dice.randrange(10_000)}-{dice.randrange(7)}",
    r"^[a-z0-9]+(-[a-z0-9]+)*$": lambda dice: dice.choice(_WORDS),
    r"^[a-z0-9_-]+(\.[a-z0-9_-]+)+$": lambda dice: f"{dice.choice(_WORDS)}.{dice.choice(_WORDS)}",
    r"^[0-9]{8,30}$": lambda dice: f"{dice.randrange(10**18):018d}",
    r"^[0-9]{19}$": lambda dice: f"{dice.randrange(10**19):019d}",
    r"^[a-z_]+[0-9]+$": lambda dice: f"thing{dice.randrange(100)}",
}
_LONGEST = 3
_FIRST_DAY = date(2015, 1, 1)


# --- by type -----------------------------------------------------------------------------------------------------


def value(info: inspect.Type, dice: Random) -> Any:
    """A value of a type of the schema, as it stands in a TOML document."""
    match info:
        case inspect.Metadata():
            return value(info.type, dice)
        case inspect.UnionType():
            return value(dice.choice(info.types), dice)
        case inspect.NoneType():
            return "none"
        case inspect.BoolType():
            return dice.random() < 0.5
        case inspect.IntType():
            low = info.ge if info.ge is not None else 0
            return dice.randint(low, info.le if info.le is not None else low + 200)
        case inspect.FloatType():
            return (info.le if info.le is not None else 100.0) * dice.randint(1, 20) / 20
        case inspect.StrType():
            return _PATTERNS[info.pattern](dice) if info.pattern else f"第 {dice.randrange(10**5)} 段“文字”（·）"
        case inspect.LiteralType():
            return dice.choice(info.values)
        case inspect.DateType():
            return _FIRST_DAY + timedelta(days=dice.randrange(7000))
        case inspect.TimeType():
            return time(dice.randrange(24), dice.randrange(60), dice.choice((0, dice.randrange(60))))
        case inspect.VarTupleType():
            least = info.min_length or 0
            if isinstance(info.item_type, inspect.LiteralType):  # words of a list differ from each other
                words = info.item_type.values
                return dice.sample(words, dice.randint(least, len(words)))
            return [value(info.item_type, dice) for _ in range(dice.randint(least, _LONGEST))]
        case inspect.StructType():
            return _table(info, dice)
    raise TypeError(f"the schema has a type that is not generated: {info}")


def _table(info: inspect.StructType, dice: Random) -> Document:
    table: Document = {info.tag_field: info.tag} if info.tag_field else {}
    for field in info.fields:
        table[field.name] = value(field.type, dice)
    if mend := _MEND.get(info.cls.__name__):
        mend(table)
    return table


def _class_hours(table: Document) -> None:
    table["professional"] += 1
    table["total"] = table["general"] + table["professional"]


def _captures(table: Document) -> None:
    table["minutes_apart"] = table["minutes_apart"] % 20 + 1
    table["per_hour_at_least"] = table["per_hour_at_least"] % 3 + 1
    table["per_hour_at_most"] = table["per_hour_at_least"] + table["per_hour_at_most"] % 5


def _working_days(table: Document) -> None:
    table["at_least"], table["at_most"] = sorted((table["at_least"], table["at_most"]))


def _calendar(table: Document) -> None:
    table["working_days"] = [day for day in table["working_days"] if day not in table["holidays"]]


def _monthly(table: Document) -> None:
    first, last = sorted((table["opens_day"], table["closes_day"]))
    table["opens_day"], table["closes_day"] = (first, last) if first < last else (min(first, 27), min(first, 27) + 1)


def _quiet(table: Document) -> None:
    if table["begins"] == table["ends"]:
        table["ends"] = time((table["begins"].hour + 1) % 24)


def _exam(table: Document) -> None:
    table["total_score"] = sum(part["count"] * part["score"] for part in table["paper"])
    table["pass_score"] = table["pass_score"] % table["total_score"] + 1


_MEND: dict[str, Callable[[Document], None]] = {
    "ClassHours": _class_hours,
    "Captures": _captures,
    "WorkingDays": _working_days,
    "Calendar": _calendar,
    "MonthlyWindow": _monthly,
    "Quiet": _quiet,
    "Exam": _exam,
}


# --- whole files -------------------------------------------------------------------------------------------------


@cache
def _fields() -> dict[str, inspect.Type]:
    info = inspect.type_info(Programme)
    assert isinstance(info, inspect.StructType)
    return {field.name: field.type for field in info.fields}


def _drawn(dice: Random, table: str) -> Document:
    """A table of the file, present."""
    info = _fields()[table]
    types = info.types if isinstance(info, inspect.UnionType) else (info,)
    return _table(next(each for each in types if isinstance(each, inspect.StructType)), dice)


def a_file(seed: int) -> Document:
    """The programme file of this seed, as a TOML document: it loads."""
    dice = Random(seed)
    return _mended({name: value(info, dice) for name, info in _fields().items()}, dice)


def a_file_to_walk(seed: int) -> Document:
    """The same, of a programme whose whole path is built (`app.policy.rooms`), with numbers that a test can reach;
    its keys are those that the sandbox knows under `yunnan`."""
    dice = Random(seed)
    file: Document = {name: value(info, dice) for name, info in _fields().items()}
    file |= {"stages": list(WALKED), "new_certification": "none", "centre_exam": "none"}
    file["version"] = date(2016, 1, 1) + timedelta(days=dice.randrange(1000))
    for kind in file["certificate_kinds"]:
        kind["business"] = ["continuing"]
    file["sign_up"] |= {
        "source": "regulator_roster",
        "window": {"kind": "always"},
        "steps": "none",
        "materials": "none",
        "expired_refuse_after_days": dice.randint(1, 50),
    }
    person = file["login"]["person"]
    person |= {"registration": "roster", "first_login": ["personal_details", "confirm"]}
    person["first_passwords"] = [
        {"certificate_kinds": "none", "rule": {"kind": "last_of_account", "characters": dice.randint(8, 12)}}
    ]
    file["activation"]["methods"] = ["sms_to_supplied_phone"]
    file = _mended(file, dice)
    period = {"kind": "from_payment", "days": dice.randint(1, 20), "months": dice.randint(2, 5)}
    file["study"] |= {"period": period, "class_hours": "none", "audit": "none"}
    exam = file["exam"]
    exam |= {"sittings": "none", "attempts": dice.randint(2, 4)}
    for part in exam["paper"]:
        part["count"] = part["count"] % 20 + 1
    _exam(exam)
    secrets = file["authority"]["secrets"]
    file["authority"]["secrets"] = {name: f"yunnan.{name}" for name in secrets}
    return file


def _mended(file: Document, dice: Random) -> Document:
    """The file, with what contradicts itself put right."""
    codes = dice.sample(range(10_000), len(file["certificate_kinds"]))
    for kind, code in zip(file["certificate_kinds"], codes, strict=True):
        kind["code"] = f"K{code}"
    _mend_kinds(dice, file)
    named = _mend_stages(file)
    _mend_tables(dice, file, named)
    _mend_accounts(dice, file)
    _mend_money(dice, file)
    known = [kind["code"] for kind in file["certificate_kinds"]]
    for table in _tables_naming_kinds(file):
        if table["certificate_kinds"] != "none":
            table["certificate_kinds"] = dice.sample(known, dice.randint(1, len(known)))
    return file


files = st.integers(0, 2**32).map(a_file)


def _mend_kinds(dice: Random, file: Document) -> None:
    new = any("new" in kind["business"] for kind in file["certificate_kinds"])
    file["new_certification"] = _drawn(dice, "new_certification") if new else "none"
    if file["practice"] == "none" and any("practice" in kind["business"] for kind in file["certificate_kinds"]):
        file["practice"] = _drawn(dice, "practice")


def _mend_stages(file: Document) -> set[str]:
    """Paths that can be walked; returns the stages of all of them."""
    paths = [file, file["new_certification"]] if file["new_certification"] != "none" else [file]
    for path in paths:
        stages = [stage for stage in path["stages"] if stage != "sign_up"]
        path["stages"] = ["sign_up", *stages]
    if "photo" in file["login"]["person"]["first_login"]:
        for path in paths:
            path["stages"] = [stage for stage in path["stages"] if stage != "photo"]
    named = {stage for path in paths for stage in path["stages"]}
    if "hours_audit" in named and "study" not in named:
        file["stages"].append("study")
    ahead = [("materials", "payment"), ("study", "hours_audit"), ("study", "exam"), ("study", "proof"),
             ("exam", "proof"), ("hours_audit", "proof")]  # fmt: skip
    for path in paths:
        for _ in ahead:
            for first, then in ahead:
                order = path["stages"]
                if first in order and then in order and order.index(then) < order.index(first):
                    order.remove(first)
                    order.insert(order.index(then), first)
    return {stage for path in paths for stage in path["stages"]}


def _mend_tables(dice: Random, file: Document, named: set[str]) -> None:
    """A table where its stage is named, none where it is not."""

    def there(table: str, stands: bool) -> None:
        if not stands:
            file[table] = "none"
        elif file[table] == "none":
            file[table] = _drawn(dice, table)

    there("fee", "payment" in named)
    there("photo", "photo" in named or "photo" in file["login"]["person"]["first_login"])
    there("study", "study" in named)
    there("proof", "proof" in named)
    centre = file["centre_exam"] != "none"
    there("centre_exam", "exam" in named and centre)
    there("exam", "exam" in named and not centre)
    if file["study"] != "none":
        audited = "hours_audit" in named
        while (file["study"]["audit"] != "none") != audited:
            file["study"]["audit"] = _drawn(dice, "study")["audit"]
    while (file["sign_up"]["materials"] != "none") != ("materials" in named):
        file["sign_up"]["materials"] = _drawn(dice, "sign_up")["materials"]
    if file["exam"] == "none":
        file["make_up"] = "none"
    elif file["make_up"] != "none" and file["exam"]["attempts"] == "none":
        file["exam"]["attempts"] = 3
    if file["study"] == "none":
        file["extension"] = "none"
    needs = {"paid": "payment", "confirmed": "confirmation", "none": "sign_up"}
    if needs[file["sign_up"]["withdrawable_until"]] not in named:
        file["sign_up"]["withdrawable_until"] = "none"


def _mend_accounts(dice: Random, file: Document) -> None:
    methods, authority = file["activation"]["methods"], file["authority"]
    if file["login"]["person"]["registration"] == "self" and "real_name_face" not in methods:
        methods.append("real_name_face")
    if file["face"] == "none" and "real_name_face" in methods:
        file["face"] = _drawn(dice, "face")
    if file["face"] != "none":
        purposes = {rule["purpose"]: rule for rule in file["face"]["purposes"]}
        if "real_name_face" in methods:
            purposes.setdefault("activation", {"purpose": "activation", "pass_valid_minutes": 9})
        file["face"]["purposes"] = list(purposes.values())
        _present(authority["secrets"], "baidu", "a.baidu")
        if "activation" in purposes:
            _present(authority, "face_plan", "plan")
    if "sms_to_supplied_phone" in methods:
        _present(authority["secrets"], "tencent_sms", "a.sms")
        _present(authority["sms"]["templates"], "activation_code", "1")


def _present(table: Document, key: str, value: str) -> None:
    if table[key] == "none":
        table[key] = value


def _mend_money(dice: Random, file: Document) -> None:
    if file["fee"] == "none":
        file["invoice"] = "none"
        return
    channels, secrets = file["fee"]["channels"], file["authority"]["secrets"]
    offered = {way for ways in channels.values() if isinstance(ways, list) for way in ways}
    if not offered:
        channels["web"] = ["wechat_native"]
        offered = {"wechat_native"}
    if "bank_transfer" not in offered:
        file["fee"]["bank_transfer"] = "none"
    while ("bank_transfer" in offered) != (file["fee"]["bank_transfer"] != "none"):
        file["fee"]["bank_transfer"] = _drawn(dice, "fee")["bank_transfer"]
    for way in sorted(offered - {"bank_transfer"}):
        name = "wechatpay" if way.startswith("wechat") else way.partition("_")[0]
        _present(secrets, name, f"a.{name}")
    if "wechat_jsapi" in channels["phone_web"]:
        _present(secrets, "wechat_official", "a.wechat_official")
    if file["invoice"] != "none":
        _present(secrets, "invoice", "a.invoice")


def _tables_naming_kinds(node: Any) -> Iterator[Document]:
    for item in node if isinstance(node, list) else node.values() if isinstance(node, dict) else ():
        yield from _tables_naming_kinds(item)
    if isinstance(node, dict) and "certificate_kinds" in node and "stages" not in node:
        yield node


# --- as files ----------------------------------------------------------------------------------------------------


def toml(document: Document) -> str:
    """The document as the text of a TOML file."""
    return "".join(f"{key} = {_inline(value)}\n" for key, value in document.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_inline(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, bool | str):
        return json.dumps(value, ensure_ascii=False)
    return value.isoformat() if isinstance(value, date | time) else repr(value)


def leaves(node: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Every value of a document with the place where it stands; members of a list share one."""
    if isinstance(node, dict):
        for key, item in node.items():
            yield from leaves(item, f"{place}.{key}" if place else key)
    elif isinstance(node, list) and any(isinstance(item, dict) for item in node):
        for item in node:
            yield from leaves(item, f"{place}[]")
    else:
        yield place, json.dumps(node, default=str, ensure_ascii=False)


def places(info: inspect.Type, place: str = "") -> Iterator[str]:
    """Every place of the schema at which a value stands, those of all variants included."""
    match info:
        case inspect.Metadata():
            yield from places(info.type, place)
        case inspect.UnionType():
            for each in info.types:
                yield from places(each, place)
        case inspect.VarTupleType() if _is_struct(info.item_type):
            yield from places(info.item_type, f"{place}[]")
        case inspect.StructType():
            for field in info.fields:
                yield from places(field.type, f"{place}.{field.name}" if place else field.name)
        case inspect.NoneType():
            pass
        case _:
            yield place


def _is_struct(info: inspect.Type) -> bool:
    return isinstance(info, inspect.StructType) or (
        isinstance(info, inspect.UnionType) and any(map(_is_struct, info.types))
    )


def schema_places() -> set[str]:
    """Of the whole schema."""
    return set(places(inspect.type_info(Programme)))
