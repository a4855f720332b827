"""Getting in by WeChat, and which WeChat belongs to whom.

A code of `wx.login` is claimed in SQL before WeChat is asked (fault L2). An openid opens an account only after its
owner, signed in by other means, has bound it with the password; binding another one asks again (fault L4). Whoever
knew an earlier password may have bound a WeChat of their own: once the password is another, a binding opens nothing
until the new one confirms it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee
import structlog

from app.account import service as account
from app.core import audit, crypto, tokens
from app.core.access import Identity
from app.core.db import compare_and_set, insert_once, transaction
from app.core.errors import CONFLICT, TOO_MANY
from app.core.ids import new_id
from app.wechat.authorising import begin as begin_authorisation
from app.wechat.authorising import finish as finish_authorisation
from app.wechat.authorising import forget as _forget_authorisations
from app.wechat.authorising import payer_openid
from app.wechat.bindings import binding_of, client_of, holds
from app.wechat.errors import (
    BIND_TICKET_OVER,
    PHONE_CODE_REFUSED,
    WECHAT_BLOCKED,
    WECHAT_BOUND_TO_OTHER,
    WECHAT_CODE_REFUSED,
    WECHAT_UNAVAILABLE,
)
from app.wechat.messages import forget as _forget_leaves
from app.wechat.messages import send as send_message
from app.wechat.messages import send_taken
from app.wechat.models import Binding, LoginCode, openid_keys
from app.wechat.models import ScanTicket as Ticket
from app.wechat.providers.protocol import AccountBlocked, CodeRefused, ProviderUnavailable, Refused
from app.wechat.status import TicketStatus
from app.wechat.tickets import Made as MadeTicket
from app.wechat.tickets import Purpose as TicketPurpose
from app.wechat.tickets import confirm as confirm_ticket
from app.wechat.tickets import deny as deny_ticket
from app.wechat.tickets import forget as _forget_tickets
from app.wechat.tickets import make as make_ticket
from app.wechat.tickets import mine as ticket_of
from app.wechat.tickets import scan as scan_ticket
from app.wechat.tickets import see as see_ticket
from app.wechat.tickets import status_now as ticket_status
from app.wechat.tickets import use as use_ticket

__all__ = [
    "MadeTicket",
    "SignedIn",
    "Ticket",
    "TicketPurpose",
    "TicketStatus",
    "Unbound",
    "begin_authorisation",
    "bind",
    "bound_at",
    "change_phone",
    "code_picture",
    "confirm_ticket",
    "deny_ticket",
    "finish_authorisation",
    "forget",
    "log_in",
    "make_ticket",
    "payer_openid",
    "scan_ticket",
    "see_ticket",
    "send_message",
    "send_taken",
    "ticket_of",
    "ticket_status",
    "unbind",
    "use_ticket",
]

log = structlog.get_logger(__name__)

CHANNEL = "mini_program"
TICKET = "wechat bind"
TICKET_LIVES = timedelta(minutes=10)
KEPT = timedelta(days=2)  # longer than WeChat's five minutes by far
CODES_A_MINUTE = 600  # from one address: a building site, or a town behind its carrier


@dataclass(frozen=True)
class SignedIn:
    """The WeChat is bound: a new session. `next`: the step that `account` names."""

    token: str
    next: str


@dataclass(frozen=True)
class Unbound:
    """Nobody has bound this WeChat yet, or not with the password of today; `bind_ticket` lets whoever signs in now do
    so."""

    bind_ticket: str


def log_in(programme_key: str, code: str, address: str, *, now: datetime) -> SignedIn | Unbound:
    """Sign in by a code of `wx.login`, which works once. Raises `wechat_not_offered`, `wechat_code_refused`,
    `wechat_blocked`, `wechat_unavailable`, `too_many_requests`."""
    client = client_of(programme_key, now)
    row_id = claim_code(programme_key, client.appid, code, address, now=now)
    if row_id is None:
        raise WECHAT_CODE_REFUSED()
    try:
        openid = client.openid_of(code)
    except CodeRefused as error:
        raise WECHAT_CODE_REFUSED() from error
    except AccountBlocked as error:
        raise WECHAT_BLOCKED() from error
    except ProviderUnavailable as error:
        raise WECHAT_UNAVAILABLE(headers={"Retry-After": "5"}) from error
    with transaction():
        binding = Binding.get_or_none(Binding.openid_key.in_(openid_keys(client.appid, openid)))
        if binding is not None:  # it may end at this moment: no session may outlive it
            account.get_person(binding.person_id, locked=True)
            binding = Binding.get_or_none(Binding.id == binding.id, Binding.ended_at.is_null())
        if binding is not None and holds(binding):
            return _open(binding.person_id, programme_key, now)
        row = LoginCode.get_by_id(row_id)
        row.openid = openid
        LoginCode.update(openid_sealed=row.openid_sealed).where(LoginCode.id == row_id).execute()
    return Unbound(tokens.sign(TICKET, row_id, expires=now + TICKET_LIVES))


def claim_code(programme_key: str, appid: str, code: str, address: str, *, now: datetime) -> str | None:
    """Write down that this code was brought; gives the row's id, or None where it came before (fault L2)."""
    addresses = crypto.indexes("login_code.address", address)
    codes = crypto.indexes("login_code.code", f"{appid}\n{code}")
    with transaction():
        lately = LoginCode.select().where(
            LoginCode.address_index.in_(addresses), LoginCode.created_at > now - timedelta(minutes=1)
        )
        if lately.count() >= CODES_A_MINUTE:
            raise TOO_MANY(headers={"Retry-After": "60"})
        if LoginCode.select().where(LoginCode.code_index.in_(codes[1:])).exists():
            return None
        row_id = new_id()
        mine = insert_once(
            LoginCode,
            id=row_id,
            code_index=codes[0],
            programme=programme_key,
            appid=appid,
            address_index=addresses[0],
            created_at=now,
        )
    return row_id if mine else None


def _open(person_id: str, programme_key: str, now: datetime) -> SignedIn:
    person = account.get_person(person_id)
    proved = person.activated_at is not None and person.password_hash is not None
    token = account.open_session(person_id, programme_key, CHANNEL, activated=proved, now=now)
    audit.record(f"person:{person_id}", "login.wechat", f"person:{person_id}", now=now, programme=programme_key)
    return SignedIn(token, account.next_step(person, proved=proved))


# --- binding -----------------------------------------------------------------------------------------------------


def bind(who: Identity, ticket: str, password: str, *, now: datetime) -> bool:
    """Bind the WeChat of `ticket` to the caller, who types the password again; the owner is told. Binding another one
    than before ends the caller's other sessions. Sent twice, it changes nothing; a binding made with an earlier
    password is confirmed by it. True if another one was replaced. Raises `bind_ticket_over`,
    `wechat_bound_to_other`, `password_wrong`, `login_paused`, `conflict`."""
    try:
        (row_id,) = tokens.verify(TICKET, ticket, now)
    except (tokens.BadToken, ValueError):
        raise BIND_TICKET_OVER() from None
    row = LoginCode.get_or_none(LoginCode.id == row_id)
    if row is None or row.openid_sealed is None:
        raise BIND_TICKET_OVER()
    person = account.require_password(who.person_id, password, now=now)
    try:
        with transaction():
            if account.get_person(person.id, locked=True).password_hash != person.password_hash:
                raise CONFLICT()  # it was reset while this was on its way
            return _bind(who, row, now)
    except peewee.IntegrityError as error:  # somebody bound the same WeChat, or this person another, a moment ago
        raise CONFLICT() from error


def _bind(who: Identity, row: LoginCode, now: datetime) -> bool:
    keys, person_key = openid_keys(row.appid, row.openid), f"{row.appid}:{who.person_id}"
    owner = Binding.get_or_none(Binding.openid_key.in_(keys))
    if owner is not None:
        if owner.person_id != who.person_id:
            raise WECHAT_BOUND_TO_OTHER()
        if not holds(owner):
            Binding.update(bound_at=now).where(Binding.id == owner.id, Binding.ended_at.is_null()).execute()
            audit.record(f"person:{who.person_id}", "wechat_confirmed", f"person:{who.person_id}", now=now)
        return False
    if not compare_and_set(LoginCode, row.id, {"bound_at": None}, {"bound_at": now}):
        raise BIND_TICKET_OVER()
    before = Binding.get_or_none(Binding.person_key == person_key)
    if before is not None:
        _end(before, now)
    Binding.create(
        person_id=who.person_id,
        appid=row.appid,
        openid=row.openid,
        openid_key=keys[0],
        person_key=person_key,
        bound_at=now,
    )
    if before is not None:
        account.end_sessions(who.person_id, now=now, keep=who.session_id)
    kind: account.NoticeKind = "wechat_bound" if before is None else "wechat_rebound"
    account.tell_owner(account.get_person(who.person_id), row.programme, kind, now=now)
    audit.record(f"person:{who.person_id}", kind, f"person:{who.person_id}", now=now, appid=row.appid)
    return before is not None


def unbind(who: Identity, password: str, *, now: datetime) -> None:
    """Take the caller's WeChat away, who types the password again: their other sessions end, the owner is told. A
    second time changes nothing. Raises `wechat_not_offered`, `password_wrong`, `login_paused`."""
    programme_key = account.get_session(who.session_id).programme
    person_key = f"{client_of(programme_key, now).appid}:{who.person_id}"
    account.require_password(who.person_id, password, now=now)
    with transaction():
        account.get_person(who.person_id, locked=True)
        binding = Binding.get_or_none(Binding.person_key == person_key)
        if binding is None or not _end(binding, now):
            return
        account.end_sessions(who.person_id, now=now, keep=who.session_id)
        account.tell_owner(account.get_person(who.person_id), programme_key, "wechat_unbound", now=now)
        audit.record(f"person:{who.person_id}", "wechat_unbound", f"person:{who.person_id}", now=now)


def _end(binding: Binding, now: datetime) -> bool:
    values = {"ended_at": now, "openid_key": None, "person_key": None}
    return compare_and_set(Binding, binding.id, {"ended_at": None}, values)


def bound_at(who: Identity, *, now: datetime) -> datetime | None:
    """Since when the caller's WeChat is bound in the session's programme; None where it is not, or does not hold.
    Raises `wechat_not_offered`."""
    programme_key = account.get_session(who.session_id).programme
    binding = binding_of(who.person_id, client_of(programme_key, now).appid)
    return binding.bound_at if binding is not None else None


def openid_of(person_id: str, appid: str) -> str | None:
    """The openid of the WeChat that this person has bound in this mini-program, and confirmed with the password of
    today; None if there is none."""
    binding = Binding.get_or_none(Binding.person_key == f"{appid}:{person_id}")
    return str(binding.openid) if binding is not None and holds(binding) else None


# --- the phone number, and the code that a phone scans -----------------------------------------------------------


def change_phone(who: Identity, code: str, password: str, *, now: datetime) -> str:
    """The number that WeChat has of the caller, who types the password again, is their phone from now on; gives it,
    masked. `code`: of the phone-number button. Raises `phone_code_refused`, `wechat_unavailable`,
    `wechat_not_offered`, `password_wrong`, `login_paused`."""
    programme = account.get_session(who.session_id).programme
    client = client_of(programme, now)
    person = account.require_password(who.person_id, password, now=now)
    try:
        phone = client.phone_of(code, now=now)
    except CodeRefused as error:
        raise PHONE_CODE_REFUSED() from error
    except (AccountBlocked, ProviderUnavailable) as error:
        raise WECHAT_UNAVAILABLE("微信暂时没有响应，请稍后再试，或改用短信验证码更换。") from error
    with transaction():
        if account.get_person(person.id, locked=True).password_hash != person.password_hash:
            raise CONFLICT()  # it was reset while this was on its way
        return account.change_phone(person.id, programme, phone, by="wechat", now=now)


def code_picture(programme_key: str, scene: str, page: str, *, now: datetime) -> bytes | None:
    """The mini-program code that opens `page` with `scene`, as PNG or JPEG; None while WeChat does not give it.
    Raises `wechat_not_offered`."""
    client = client_of(programme_key, now)
    try:
        return client.code_picture(scene, page)
    except (Refused, ProviderUnavailable) as error:
        log.warning("wechat_code_picture_missing", error=str(error))
        return None


# --- what is over ------------------------------------------------------------------------------------------------


def forget(*, now: datetime) -> int:
    """Delete login codes, tickets, leaves and authorisations that count for nothing any more; gives how many rows."""
    forgotten = _forget_codes(now=now) + _forget_tickets(now=now)
    return forgotten + _forget_leaves(now=now) + _forget_authorisations(now=now)


def _forget_codes(*, now: datetime) -> int:
    old = LoginCode.select(LoginCode.id).where(LoginCode.created_at < now - KEPT).limit(1000).tuples()
    ids = [row_id for (row_id,) in old]
    return int(LoginCode.delete().where(LoginCode.id.in_(ids)).execute()) if ids else 0
