"""Signing in: the password, then the second factor. How often somebody may guess: docs/decisions/0052."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog

from app.account import service as account
from app.core import audit, passwords
from app.core.access import StaffIdentity
from app.core.db import compare_and_set, transaction
from app.core.errors import NOT_FOUND, Problem
from app.core.guessable import is_guessable
from app.staff import factor, links, sessions
from app.staff.errors import STAFF_CODE_WRONG, STAFF_LINK_OVER, STAFF_LOGIN_FAILED, STAFF_PASSWORD_WEAK, STAFF_PAUSED
from app.staff.models import Member

log = structlog.get_logger(__name__)

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAIR = account.Limit("staff_pair", 5, MINUTE, HOUR, DAY)  # one account, at one address
ADDRESS = account.Limit("staff_address", 30, MINUTE, HOUR, 2 * HOUR)
CODE = account.Limit("staff_code", 5, MINUTE, HOUR, DAY)  # the second factor, at one address
CODES = account.Limit("staff_codes", 30, MINUTE, 15 * MINUTE, DAY)  # over all: only who has the password gets here
SHORTEST, LONGEST = 12, 128


def _count(limit: account.Limit, what: str, now: datetime) -> None:
    try:
        account.count_try(limit, what, now=now)
    except Problem as paused:
        if "retry_after" not in paused.extra:
            raise
        raise STAFF_PAUSED(headers=paused.headers, **paused.extra) from None


def enter_password(login: str, password: str, *, address: str, now: datetime) -> str:
    """The first step; gives the token of a session that opens nothing but the second. A known login, an unknown and a
    disabled one get the same answer for the same work. Raises `staff_login_failed`, `staff_paused`."""
    login = login.strip().lower()[:64]
    pair = f"{login}\n{address}"
    _count(PAIR, pair, now)
    _count(ADDRESS, address, now)
    member = Member.get_or_none(Member.login == login)
    right = passwords.verify(member.password_hash if member else None, password)
    if member is None or not right or member.disabled_at is not None:
        subject = f"staff:{member.id}" if member else "staff:unknown"
        audit.record("system", "staff.login_failed", subject, now=now)
        raise STAFF_LOGIN_FAILED()
    with transaction():
        account.forget_tries(PAIR, pair)
        account.give_back_tries(ADDRESS, address, 1)  # an office is one address
        return _half_way(member, now)


def _half_way(member: Member, now: datetime) -> str:
    """The password is known: the second factor comes next, or is set up."""
    if member.totp_at is None and member.totp_sealed is None:
        member.totp = factor.new_secret()
        member.save(only=(Member.totp_sealed,))
    return sessions.open_session(member, "enrol" if member.totp_at is None else "factor", now=now)


def enrolment(who: StaffIdentity) -> factor.Enrolment:
    """What the caller scans to set up the second factor. Raises `not_found` once it is set up."""
    member = Member.get_by_id(who.member_id)
    if who.stage != "enrol" or member.totp_at is not None:
        raise NOT_FOUND()
    return factor.enrolment_of(member)


def enter_code(who: StaffIdentity, code: str, *, address: str, now: datetime) -> tuple[str, list[str]]:
    """The second step: gives the token of a full session, a fresh one (fault L3), and, where the factor was just set
    up, the recovery codes, to be shown this once. Raises `staff_code_wrong`, `staff_paused`."""
    pair = f"{who.member_id}\n{address}"
    _count(CODE, pair, now)
    _count(CODES, who.member_id, now)
    with transaction():
        opened = _open(who, code, now)
        if opened is not None:
            account.forget_tries(CODE, pair)
            account.forget_tries(CODES, who.member_id)
    if opened is None:
        audit.record(who.staff.actor, "staff.code_wrong", who.staff.actor, now=now)
        log.warning("staff_code_wrong", staff_id=who.member_id)
        raise STAFF_CODE_WRONG()
    return opened


def _open(who: StaffIdentity, code: str, now: datetime) -> tuple[str, list[str]] | None:
    member = Member.get_by_id(who.member_id)
    used = factor.use(member, code, now=now)
    if used is None:
        return None
    shown: list[str] = []
    if who.stage == "enrol":
        first = {"totp_at": None, "totp_sealed": member.totp_sealed}  # of the link that stands now
        if used != "totp" or not compare_and_set(Member, member.id, first, {"totp_at": now}):
            return None
        shown = factor.new_recovery_codes(member.id)
        audit.record(who.staff.actor, "staff.factor_enrolled", who.staff.actor, now=now)
        sessions.end_all(member.id, now=now)  # another one half-way would go on showing the secret
    sessions.end(who.session_id, now=now)
    token = sessions.open_session(member, "full", now=now)
    audit.record(who.staff.actor, "staff.signed_in", who.staff.actor, now=now, by=used)
    return token, shown


def invited(token: str, *, now: datetime) -> Member:
    """Whom a link invites to set a password. Raises `staff_link_over`."""
    member = Member.get_or_none(Member.id == links.member_of(token, now=now), Member.disabled_at.is_null())
    if member is None or member.invitation is None or member.invitation != links.number_of(token, now=now):
        raise STAFF_LINK_OVER()
    found: Member = member
    return found


def accept(token: str, password: str, *, now: datetime) -> str:
    """Set the password by a link, once; ends all sessions, and gives the token of one in which the second factor
    comes next. Raises `staff_link_over`, `staff_password_weak`."""
    member = invited(token, now=now)
    require_strong(member.login, password)
    values = {"invitation": None, "password_hash": passwords.hash_(password)}
    with transaction():
        if not compare_and_set(Member, member.id, {"invitation": member.invitation}, values):
            raise STAFF_LINK_OVER()
        sessions.end_all(member.id, now=now)
        audit.record(f"staff:{member.id}", "staff.password_set", f"staff:{member.id}", now=now)
        return _half_way(Member.get_by_id(member.id), now)


def require_strong(login: str, password: str) -> None:
    """Raises `staff_password_weak`."""
    if not SHORTEST <= len(password) <= LONGEST or login in password.lower():
        raise STAFF_PASSWORD_WEAK()
    if len(set(password)) < 5 or is_guessable(password):
        raise STAFF_PASSWORD_WEAK("这个密码太常见，很容易被猜到。请用几个不相关的词组成，不要用连续或重复的字符。")


def sign_out(who: StaffIdentity, *, now: datetime) -> None:
    """End this session."""
    with transaction():
        sessions.end(who.session_id, now=now)
        audit.record(who.staff.actor, "staff.signed_out", who.staff.actor, now=now)
