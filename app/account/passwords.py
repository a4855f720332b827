"""Passwords: the programme's first passwords, and what a person's own has to be like."""

from __future__ import annotations

import hmac
import re
from collections.abc import Sequence
from datetime import datetime

from app.account import limits
from app.account.errors import PASSWORD_WEAK, PASSWORD_WRONG
from app.account.models import Person
from app.core.errors import NOT_FOUND
from app.core.passwords import hash_ as hash_
from app.core.passwords import verify
from app.policy import rules
from app.policy.schema import Programme

SHORTEST, LONGEST = 8, 64
PIECE = 6  # so many characters of the ID number in a row are too many


def first_passwords(programme: Programme, person: Person) -> set[str]:
    """The first passwords this programme may have given the person. The kinds of certificate are not asked for: a
    first password opens nothing, so that any of them will do."""
    rule = programme.login.person
    kinds: list[tuple[str, ...]] = [()]
    kinds += [first.certificate_kinds for first in rule.first_passwords if first.certificate_kinds]
    found = (
        rules.first_password(rule, account=person.id_number, mobile=person.phone, certificate_kinds=some)
        for some in kinds
    )
    return {password for password in found if password is not None}


def matches(programmes: Sequence[Programme], person: Person | None, password: str) -> bool:
    """Whether it is the person's password, their own or a first one of these programmes. One argon2 verification in
    every case (fault L5): for a person, for one who has only a first password, and for nobody (None)."""
    own = person.password_hash if person else None
    right = verify(own, password)
    if person is None or own is not None:
        return right
    given = password.encode()
    first_ones = set().union(*(first_passwords(programme, person) for programme in programmes))
    return any(hmac.compare_digest(given, first.encode()) for first in first_ones)


def is_own(person: Person, password: str) -> bool:
    """Whether it is the password that the person chose."""
    return person.password_hash is not None and verify(person.password_hash, password)


def require(person_id: str, password: str, *, now: datetime) -> Person:
    """Ask a signed-in person for their own password once more. Raises `password_wrong`, `login_paused`."""
    person = Person.get_or_none(Person.id == person_id)
    if person is None:
        raise NOT_FOUND()
    limits.count(limits.SIGNED_IN, person_id, now=now)
    if not is_own(person, password):
        raise PASSWORD_WRONG(fields={"password": "密码不正确。"})
    limits.succeed(limits.SIGNED_IN, person_id)
    found: Person = person
    return found


def require_strong(programme: Programme, id_number: str, password: str, *, person: Person | None = None) -> None:
    """Raises `password_weak`, saying why: too short or long, not both letters and digits, hardly any different
    characters, a piece of the ID number in it, the programme's first password or the phone's number (the last two
    where the person is given)."""
    upper = password.upper()
    reason = None
    if not SHORTEST <= len(password) <= LONGEST:
        reason = f"密码长度应为 {SHORTEST} 至 {LONGEST} 位。"
    elif not (re.search(r"[A-Za-z]", password) and re.search(r"[0-9]", password)):
        reason = "密码应同时包含字母和数字。"
    elif len(set(password)) <= 2:
        reason = "密码太简单，请不要重复同样的字符。"
    elif any(id_number[start : start + PIECE] in upper for start in range(len(id_number) - PIECE + 1)):
        reason = f"密码不能包含身份证号中连续的 {PIECE} 位（包括出生日期）。"
    elif person is not None and (password in first_passwords(programme, person) or password == person.phone):
        reason = "密码不能是初始密码或手机号。"
    if reason:
        raise PASSWORD_WEAK(reason, fields={"new_password": reason})
