"""Codes by SMS: six digits, five minutes, five tries, used once; sealed for sending, compared as an HMAC.

At most one a minute, five an hour, ten a day, for a phone and for a person.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from typing import Literal

import structlog

from app.account import limits
from app.account.errors import CODE_WRONG, SMS_NOT_OFFERED, SMS_TOO_OFTEN
from app.account.models import Person, VerificationCode
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
LIVES = timedelta(minutes=5)
TRIES = 5
WAIT_SECONDS = 60
WINDOWS = ((timedelta(minutes=1), 1), (timedelta(hours=1), 5), (timedelta(days=1), 10))


def _hash(code_id: str, code: str) -> str:
    return hmac.digest(tokens.key_for("verification code"), f"{code_id}:{code}".encode(), "sha256").hex()


def _wait(column: str, value: str, now: datetime) -> int:
    """Seconds until the next code may go out to this phone, or for this person."""
    made = VerificationCode.select(VerificationCode.created_at).where(
        getattr(VerificationCode, column) == value, VerificationCode.created_at > now - timedelta(days=1)
    )
    moments = sorted((moment for (moment,) in made.tuples()), reverse=True)
    wait = 0.0
    for span, most in WINDOWS:
        if len(moments) >= most:
            wait = max(wait, (moments[most - 1] + span - now).total_seconds())
    return int(wait) + 1 if wait > 0 else 0


def _too_often(seconds: int) -> Exception:
    return SMS_TOO_OFTEN(headers={"Retry-After": str(seconds)}, retry_after=seconds)


def issue(
    programme: Programme, subject: str, person: Person | None, purpose: Purpose, phone: str | None, *, now: datetime
) -> VerificationCode:
    """Make a code for `subject` (the index of an ID number) and, if there is a `phone`, have it sent there.

    `person` and `phone` are None where nobody is to learn that there is no such person or phone; then, and where the
    limit of a shared phone is used up, the row is made and nothing is sent. A code replaces those before it. Raises
    `sms_too_often` with the seconds to wait, `sms_not_offered`."""
    if getattr(programme.authority.sms.templates, TEMPLATES[purpose]) is None:
        raise SMS_NOT_OFFERED()
    code_id, code = new_id(), f"{secrets.randbelow(10**6):06d}"
    with transaction():
        limits.hold("sms_subject", subject, now=now)
        if seconds := _wait("subject_index", subject, now):
            raise _too_often(seconds)
        if phone is not None:
            phone_index = crypto.index("verification_code.phone", phone)
            limits.hold("sms_phone", phone_index, now=now)
            if seconds := _wait("phone_index", phone_index, now):
                if purpose not in ("login", "reset"):
                    raise _too_often(seconds)
                log.warning("sms_phone_limit_reached", purpose=purpose)
                phone = None
        row: VerificationCode = VerificationCode.create(
            id=code_id,
            subject_index=subject,
            person_id=person.id if person and phone else None,
            programme=programme.key,
            purpose=purpose,
            phone=phone,
            code=code,
            code_hash=_hash(code_id, code),
            created_at=now,
            expires_at=now + LIVES,
        )
        if phone is not None:
            outbox.emit("account.code_issued", code_id, {"code_id": code_id}, now=now)
    return row


def check(subject: str, purpose: Purpose, code: str, *, now: datetime) -> VerificationCode:
    """The newest code of `subject` for `purpose`, if it is this one. Counts a try, right or wrong, whatever happens
    afterwards; `use` it in the transaction of what it opens. Raises `code_wrong`."""
    row = (
        VerificationCode.select()
        .where(VerificationCode.subject_index == subject, VerificationCode.purpose == purpose)
        .order_by(VerificationCode.created_at.desc(), VerificationCode.id.desc())
        .first()
    )
    if row is None:
        raise CODE_WRONG()
    counted = VerificationCode.update(tries=VerificationCode.tries + 1).where(
        VerificationCode.id == row.id,
        VerificationCode.tries < TRIES,
        VerificationCode.used_at.is_null(),
        VerificationCode.expires_at > now,
    )
    if not counted.execute() or not hmac.compare_digest(row.code_hash, _hash(row.id, code)) or row.person_id is None:
        raise CODE_WRONG()
    found: VerificationCode = row
    return found


def use(row: VerificationCode, *, now: datetime) -> None:
    """Use the code up; of callers at the same time one gets it. Raises `code_wrong`."""
    if not compare_and_set(VerificationCode, row.id, {"used_at": None}, {"used_at": now, "code_sealed": None}):
        raise CODE_WRONG()


def forget(*, now: datetime) -> int:
    """Delete codes that count for no limit any more; gives how many."""
    old = VerificationCode.select(VerificationCode.id).where(VerificationCode.created_at < now - timedelta(days=2))
    ids = [row_id for (row_id,) in old.limit(1000).tuples()]
    return int(VerificationCode.delete().where(VerificationCode.id.in_(ids)).execute()) if ids else 0
