"""Codes by SMS: six digits, five minutes, five tries, used once; sealed for sending, compared as an HMAC.

How many, and for whom: docs/decisions/0010-login-limits.md. Whatever strangers ask for, somebody who is known by
their session or address gets a code, and it is good only where it was asked for: nobody else can use up its tries.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

import peewee
import structlog

from app.account import limits
from app.account.errors import CODE_WRONG, SMS_NOT_OFFERED, SMS_TOO_OFTEN
from app.account.models import Person, VerificationCode
from app.account.people import id_number_index
from app.core import crypto, outbox, tokens
from app.core.db import compare_and_set, transaction
from app.core.ids import new_id
from app.policy.schema import Programme

log = structlog.get_logger(__name__)

Purpose = Literal["activation", "login", "reset", "phone"]
TEMPLATES: dict[str, str] = {
    "activation": "activation_code",
    "login": "activation_code",
    "reset": "password_reset_code",
    "phone": "activation_code",
}
SHARED = {"login": "outside", "reset": "outside"}  # asked for outside of a session: one window for both
TICKET = "sms code"
LIVES = timedelta(minutes=5)
TRIES = 5
REPEATS = 10  # of a code that was right, where the answer was lost
WAIT_SECONDS = 60
A_DAY = 10  # the most that one phone gets
WINDOWS = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (timedelta(days=1), A_DAY))
STRANGERS = ((timedelta(minutes=1), 1), (timedelta(hours=1), 3), (timedelta(days=1), 6))  # 4 a day stay in reserve


def _hashes(code_id: str, code: str) -> list[str]:
    text = f"{code_id}:{code}".encode()
    return [hmac.digest(key, text, "sha256").hex() for key in tokens.keys_for("verification code")]


def _fits(row: VerificationCode, code: str) -> bool:
    return any(hmac.compare_digest(row.code_hash, known) for known in _hashes(row.id, code))


def _wait(made: Iterable[datetime], windows: Iterable[tuple[timedelta, int]], now: datetime) -> int:
    """Seconds until the windows take another one, after those made at these moments."""
    moments = sorted(made, reverse=True)
    wait = 0.0
    for span, most in windows:
        if len(moments) >= most:
            wait = max(wait, (moments[most - 1] + span - now).total_seconds())
    return int(wait) + 1 if wait > 0 else 0


def _asker_waits(windows: tuple[str, ...], now: datetime) -> int:
    """Seconds until the next one for whoever asks here."""
    made = VerificationCode.select(VerificationCode.created_at).where(
        VerificationCode.window_index.in_(windows), VerificationCode.created_at > now - timedelta(days=1)
    )
    return _wait((moment for (moment,) in made.tuples()), WINDOWS, now)


def _phone_waits(phones: tuple[str, ...], reserved: bool, now: datetime) -> int:
    """Seconds until the next SMS may go to the phone: strangers leave a reserve, and nobody gets past the ceiling."""
    sent = VerificationCode.select(VerificationCode.created_at, VerificationCode.reserved).where(
        VerificationCode.phone_index.in_(phones),
        VerificationCode.person_id.is_null(False),
        VerificationCode.created_at > now - timedelta(days=1),
    )
    rows = list(sent.tuples())
    alike = [moment for moment, was_reserved in rows if bool(was_reserved) == reserved]
    ceiling = _wait((moment for moment, _ in rows), ((timedelta(days=1), A_DAY),), now)
    return max(ceiling, _wait(alike, WINDOWS if reserved else STRANGERS, now))


def _too_often(seconds: int) -> Exception:
    return SMS_TOO_OFTEN(headers={"Retry-After": str(seconds)}, retry_after=seconds)


def _nobodys_phone(id_number: str) -> str:
    return f"000{int(crypto.index('nobody.phone', id_number)[-8:], 16) % 10**8:08d}"


def issue(
    programme: Programme,
    id_number: str,
    person: Person | None,
    purpose: Purpose,
    phone: str | None,
    *,
    asker: str,
    address: str,
    reserved: bool,
    now: datetime,
) -> VerificationCode:
    """Make a code for an ID number (normalised, known or not) and, if there is a `phone`, have it sent there.

    `asker`: the session or, outside of one, the address that asks; `check` takes the code from there only, or from
    whoever brings its ticket.
    `reserved`: somebody who is known asks, and may take what strangers leave. `person` and `phone` are None where
    nobody is to learn that there is no such person or phone; then, and where strangers have used a phone up, the same
    is written and told, and nothing is sent. A code replaces those before it of the same asker. Raises
    `sms_too_often` with the seconds to wait, `sms_not_offered`."""
    if getattr(programme.authority.sms.templates, TEMPLATES[purpose]) is None:
        raise SMS_NOT_OFFERED()
    code_id, code = new_id(), f"{secrets.randbelow(10**6):06d}"
    # A first password is no secret: before the activation a person has a window at each address, as outside.
    where = (id_number, "phone") if purpose == "phone" else (id_number, SHARED.get(purpose, purpose), address)
    windows = crypto.indexes("verification_code.window", "\n".join(where))
    addressee = person.id if person and phone else None
    number = phone or _nobodys_phone(id_number)
    phones = crypto.indexes("verification_code.phone", number)
    with transaction():
        limits.hold("sms_window", "\n".join(where), now=now)
        if seconds := _asker_waits(windows, now):
            raise _too_often(seconds)
        limits.hold("sms_phone", number, now=now)
        if seconds := _phone_waits(phones, reserved, now):
            if purpose not in SHARED:
                raise _too_often(seconds)
            log.warning("sms_phone_limit_reached", purpose=purpose, reserved=reserved)
            addressee = None
        row: VerificationCode = VerificationCode.create(
            id=code_id,
            subject_index=id_number_index(id_number),
            asker_index=crypto.index("verification_code.asker", asker),
            window_index=windows[0],
            person_id=addressee,
            programme=programme.key,
            purpose=purpose,
            phone=number,
            reserved=reserved,
            code=code,
            code_hash=_hashes(code_id, code)[0],
            created_at=now,
            expires_at=now + LIVES,
        )
        outbox.emit("account.code_issued", code_id, {"code_id": code_id}, now=now)
    return row


def ticket_of(row: VerificationCode) -> str:
    """What whoever asked for the code may bring with it, from whatever address: the network changes on the way."""
    return tokens.sign(TICKET, row.id, expires=row.expires_at)


def _named(ticket: str | None, now: datetime) -> str | None:
    """The id of the code that a ticket is for; None for one that is none."""
    try:
        (row_id,) = tokens.verify(TICKET, ticket or "", now)
    except (tokens.BadToken, ValueError):
        return None
    return row_id


def check(
    id_number: str, purpose: Purpose, code: str, *, asker: str, ticket: str | None = None, now: datetime
) -> VerificationCode:
    """The code of this ID number for `purpose` that `ticket` names or, without one, the newest that `asker` was sent,
    if it is this one. Counts a try, right or wrong, whatever happens afterwards; `use` it in the transaction of what
    it opens. Raises `code_wrong`."""
    row = _newest(id_number, purpose, asker, _named(ticket, now))
    unused = VerificationCode.used_at.is_null() & (VerificationCode.expires_at > now)
    if row is None or not _counted(row, TRIES, unused) or not _fits(row, code) or row.person_id is None:
        raise CODE_WRONG()
    return row


def check_used(id_number: str, purpose: Purpose, code: str, *, asker: str) -> None:
    """The code that `asker` has used comes again, because the answer to it was lost. Counts a try. Raises
    `code_wrong` for another one."""
    row = _newest(id_number, purpose, asker, None)
    used = VerificationCode.used_at.is_null(False)
    if row is None or not _counted(row, TRIES + REPEATS, used) or not _fits(row, code):
        raise CODE_WRONG()


def _newest(id_number: str, purpose: Purpose, asker: str, named: str | None) -> VerificationCode | None:
    asked_here = VerificationCode.asker_index.in_(crypto.indexes("verification_code.asker", asker))
    row: VerificationCode | None = (
        VerificationCode.select()
        .where(
            VerificationCode.subject_index.in_(crypto.indexes("person.id_number", id_number)),
            VerificationCode.purpose == purpose,
            asked_here if named is None else VerificationCode.id == named,
        )
        .order_by(VerificationCode.created_at.desc(), VerificationCode.id.desc())
        .first()
    )
    return row


def _counted(row: VerificationCode, most: int, where: peewee.Expression) -> bool:
    tried = VerificationCode.update(tries=VerificationCode.tries + 1)
    return bool(tried.where(VerificationCode.id == row.id, VerificationCode.tries < most, where).execute())


def use(row: VerificationCode, *, now: datetime) -> None:
    """Use the code up; of callers at the same time one gets it. Raises `code_wrong`."""
    if not compare_and_set(VerificationCode, row.id, {"used_at": None}, {"used_at": now, "code_sealed": None}):
        raise CODE_WRONG()


def forget(*, now: datetime) -> int:
    """Delete codes that count for no limit any more; gives how many."""
    old = VerificationCode.select(VerificationCode.id).where(VerificationCode.created_at < now - timedelta(days=2))
    ids = [row_id for (row_id,) in old.limit(1000).tuples()]
    return int(VerificationCode.delete().where(VerificationCode.id.in_(ids)).execute()) if ids else 0
