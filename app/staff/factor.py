"""The second factor: codes of an authenticator (RFC 6238: SHA-1, six digits, thirty seconds), or a recovery code.

A code is good in its own step and one before and after (RFC 6238, 5.2), and once: the step that was used last is
written down by compare-and-set, and nothing up to it is taken again."""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime

import pyotp
import segno

from app.core import tokens
from app.core.db import compare_and_set
from app.core.ids import new_id
from app.staff.models import Member, RecoveryCode

ISSUER = "住考网络继续学习"
STEP = 30  # seconds
DRIFT = 1  # steps that the clock of a phone may be off
RECOVERY_CODES = 10
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is taken for another


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator needs: the secret as text, and as a picture (a data: URI of a PNG) to be scanned."""

    secret: str
    picture: str


def new_secret() -> str:
    """A secret of 160 bits, in base 32."""
    return pyotp.random_base32()


def enrolment_of(member: Member) -> Enrolment:
    """What a member scans at the first sign-in."""
    secret: str = member.totp
    link = pyotp.TOTP(secret).provisioning_uri(name=member.login, issuer_name=ISSUER)
    return Enrolment(secret, segno.make(link, error="m").png_data_uri(scale=5, border=2))


def code_at(secret: str, now: datetime) -> str:
    """The code that an authenticator shows at this moment."""
    return pyotp.TOTP(secret).generate_otp(int(now.timestamp()) // STEP)


def use(member: Member, code: str, *, now: datetime) -> str | None:
    """Use up a code: 'totp' or 'recovery', or None for one that is wrong, or was used before. Of two who bring the
    same one at the same time, one gets in."""
    text = re.sub(r"[\s-]", "", code).lower()
    if re.fullmatch(r"[0-9]{6}", text):
        return "totp" if _use_totp(member, text, now) else None
    return "recovery" if _use_recovery(member, text, now) else None


def _use_totp(member: Member, code: str, now: datetime) -> bool:
    totp, current = pyotp.TOTP(member.totp), int(now.timestamp()) // STEP
    for step in range(current - DRIFT, current + DRIFT + 1):
        if hmac.compare_digest(totp.generate_otp(step), code) and step > member.totp_step:
            return compare_and_set(Member, member.id, {"totp_step": member.totp_step}, {"totp_step": step})
    return False


def _hashes(code_id: str, code: str) -> list[str]:
    text = f"{code_id}:{code}".encode()
    return [hmac.digest(key, text, "sha256").hex() for key in tokens.keys_for("staff recovery code")]


def _use_recovery(member: Member, code: str, now: datetime) -> bool:
    unused = RecoveryCode.select().where(RecoveryCode.member_id == member.id, RecoveryCode.used_at.is_null())
    for row in list(unused):
        if any(hmac.compare_digest(row.code_hash, known) for known in _hashes(row.id, code)):
            return compare_and_set(RecoveryCode, row.id, {"used_at": None}, {"used_at": now})
    return False


def new_recovery_codes(member_id: str) -> list[str]:
    """Ten codes of 49 bits in place of all before; shown this once, as 'abcde-fghjk'."""
    RecoveryCode.delete().where(RecoveryCode.member_id == member_id).execute()
    shown = []
    for _ in range(RECOVERY_CODES):
        row_id, code = new_id(), "".join(secrets.choice(_ALPHABET) for _ in range(10))
        RecoveryCode.create(id=row_id, member_id=member_id, code_hash=_hashes(row_id, code)[0])
        shown.append(f"{code[:5]}-{code[5:]}")
    return shown


def forget(member_id: str) -> None:
    """Drop the recovery codes of a factor that is no longer."""
    RecoveryCode.delete().where(RecoveryCode.member_id == member_id).execute()
