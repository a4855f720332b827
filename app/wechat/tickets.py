"""Tickets that a phone scans: single-purpose, short-lived, used once.

The page that asks keeps a secret; the code that the phone scans holds the ticket's id only, and is worth nothing
without the one or without a signed-in phone. What a purpose opens, and whether a face is needed, is not decided here
(docs/decisions/0023-scanned-tickets.md).
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import structlog

from app.account import service as account
from app.core import audit, crypto
from app.core.access import Identity
from app.core.db import compare_and_set, transaction
from app.core.errors import TOO_MANY
from app.wechat.errors import SCAN_OTHER_PERSON, SCAN_OVER, SCAN_SECRET_WRONG, SCAN_TAKEN, SCAN_WITH_PHONE
from app.wechat.models import ScanTicket
from app.wechat.status import NotAllowed, TicketAction, TicketStatus, next_ticket_status

log = structlog.get_logger(__name__)

Purpose = Literal["login", "study_now"]

WAITS = timedelta(minutes=2)  # for a phone to scan it
CONFIRMS = timedelta(minutes=5)  # from the scan: to read, and to do the face check
FETCHES = timedelta(minutes=2)  # from the confirmation: for the page to go on
KEPT = timedelta(days=2)
A_MINUTE = {"login": 600, "study_now": 10}  # of one address (a site behind one router); of one person
PHONES = ("phone_web", "mini_program", "app")

_DEVICES = (("Windows", "Windows 电脑"), ("Macintosh", "苹果电脑"), ("iPhone", "iPhone"), ("iPad", "iPad"))
_MORE_DEVICES = (("Android", "安卓设备"), ("Linux", "Linux 电脑"))
_BROWSERS = (("MicroMessenger", "微信"), ("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"))


@dataclass(frozen=True)
class Made:
    """A new ticket, and the secret, told once, by which the page asks how it stands."""

    ticket: ScanTicket
    secret: str


def device_of(user_agent: str) -> str:
    """What a phone tells of the page's browser, for example 'Windows 电脑，Chrome'."""
    device = next((name for sign, name in (*_DEVICES, *_MORE_DEVICES) if sign in user_agent), "未知设备")
    browser = next((name for sign, name in (*_BROWSERS, ("Safari", "Safari")) if sign in user_agent), "浏览器")
    return f"{device}，{browser}"


def make(
    purpose: Purpose,
    programme: str,
    *,
    subject: str = "",
    owner_id: str | None = None,
    user_agent: str,
    address: str,
    now: datetime,
) -> Made:
    """A ticket for the page at `address`; only `owner_id` may confirm it, where one is named. Raises
    `too_many_requests`."""
    askers = crypto.indexes("scan_ticket.asker", owner_id or address)
    secret = secrets.token_urlsafe(24)
    with transaction():
        lately = ScanTicket.select().where(
            ScanTicket.asker_index.in_(askers), ScanTicket.created_at > now - timedelta(minutes=1)
        )
        if lately.count() >= A_MINUTE[purpose]:
            raise TOO_MANY(headers={"Retry-After": "60"})
        ticket = ScanTicket.create(
            id=secrets.token_hex(8),
            purpose=purpose,
            programme=programme,
            subject=subject,
            owner_id=owner_id,
            secret_hash=_hash(secret),
            asker_index=askers[0],
            device=device_of(user_agent),
            created_at=now,
            expires_at=now + WAITS,
        )
    return Made(ticket, secret)


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def status_now(ticket: ScanTicket, now: datetime) -> TicketStatus:
    """The status to tell: what is over in time is expired, whatever it was."""
    ends = ticket.status in (TicketStatus.USED, TicketStatus.DENIED)
    return TicketStatus.EXPIRED if not ends and ticket.expires_at <= now else TicketStatus(ticket.status)


# --- the page ----------------------------------------------------------------------------------------------------


def see(ticket_id: str, secret: str) -> ScanTicket:
    """The ticket, for the page that made it. Raises `scan_secret_wrong`."""
    ticket: ScanTicket | None = ScanTicket.get_or_none(ScanTicket.id == ticket_id)
    if ticket is None or not hmac.compare_digest(ticket.secret_hash, _hash(secret)):
        raise SCAN_SECRET_WRONG()
    return ticket


def use(ticket: ScanTicket, *, session_id: str | None = None, now: datetime) -> bool:
    """The page goes on with what was confirmed, in the caller's transaction. True for one caller ever. Raises
    `scan_over` unless it was confirmed, in time, by a phone that is still signed in."""
    if status_now(ticket, now) is not TicketStatus.CONFIRMED:
        raise SCAN_OVER()
    phone = account.get_session(ticket.phone_session_id)
    if phone.ended_at is not None or phone.expires_at <= now:  # its owner has ended all sessions since
        raise SCAN_OVER()
    return _move(ticket, TicketAction.USE, session_id=session_id, used_at=now)


# --- the phone ---------------------------------------------------------------------------------------------------


def scan(ticket_id: str, who: Identity, *, now: datetime) -> ScanTicket:
    """A signed-in phone has scanned the code; again changes nothing. Raises `scan_with_phone`, `scan_over`,
    `scan_taken`, `scan_other_person`."""
    if account.get_session(who.session_id).channel not in PHONES:
        raise SCAN_WITH_PHONE()
    ticket = _find(ticket_id, now)
    if ticket.owner_id not in (None, who.person_id):
        audit.record(f"person:{who.person_id}", "scan.refused", f"scan_ticket:{ticket.id}", now=now)
        raise SCAN_OTHER_PERSON()
    values = {"person_id": who.person_id, "phone_session_id": who.session_id, "scanned_at": now}
    if ticket.status == TicketStatus.WAITING and not _move(
        ticket, TicketAction.SCAN, **values, expires_at=now + CONFIRMS
    ):
        log.info("scanned_at_once", ticket_id=ticket.id)
    return mine(ticket_id, who, now=now)


def mine(ticket_id: str, who: Identity, *, now: datetime) -> ScanTicket:
    """The ticket that this phone's person scanned. Raises `scan_over`, `scan_taken`."""
    ticket = _find(ticket_id, now)
    if ticket.person_id != who.person_id:
        raise SCAN_TAKEN() if ticket.person_id else SCAN_OVER()
    return ticket


def confirm(ticket: ScanTicket, who: Identity, *, now: datetime) -> None:
    """Yes, that is me: of many at one moment one counts, and again changes nothing. Raises `scan_over`."""
    with transaction():
        values = {"phone_session_id": who.session_id, "confirmed_at": now, "expires_at": now + FETCHES}
        if _move(ticket, TicketAction.CONFIRM, **values):
            _tell(ticket, who, "scan.confirmed", now)
        elif ScanTicket.get_by_id(ticket.id).status not in (TicketStatus.CONFIRMED, TicketStatus.USED):
            raise SCAN_OVER()


def deny(ticket: ScanTicket, who: Identity, *, now: datetime) -> None:
    """That is not me: the page is told, nothing is opened. Again changes nothing. Raises `scan_over` once the page
    went on."""
    with transaction():
        if _move(ticket, TicketAction.DENY):
            _tell(ticket, who, "scan.denied", now)
        elif ScanTicket.get_by_id(ticket.id).status != TicketStatus.DENIED:
            raise SCAN_OVER()


def _tell(ticket: ScanTicket, who: Identity, what: str, now: datetime) -> None:
    audit.record(
        f"person:{who.person_id}",
        what,
        f"scan_ticket:{ticket.id}",
        now=now,
        purpose=ticket.purpose,
        device=ticket.device,
    )


def _find(ticket_id: str, now: datetime) -> ScanTicket:
    found = ScanTicket.get_or_none(ScanTicket.id == ticket_id) if re.fullmatch(r"[0-9a-f]{16}", ticket_id) else None
    if found is None or status_now(found, now) is TicketStatus.EXPIRED:
        raise SCAN_OVER()
    ticket: ScanTicket = found
    return ticket


def _move(ticket: ScanTicket, action: TicketAction, **values: Any) -> bool:
    """Apply `action` to the ticket as it was read; True if this caller did it."""
    try:
        after = next_ticket_status(ticket.status, action)
    except NotAllowed:
        return False
    return compare_and_set(ScanTicket, ticket.id, {"status": ticket.status}, {"status": after, **values})


def forget(*, now: datetime) -> int:
    """Delete tickets that are over for long; gives how many."""
    old = ScanTicket.select(ScanTicket.id).where(ScanTicket.expires_at < now - KEPT).limit(1000).tuples()
    ids = [row_id for (row_id,) in old]
    return int(ScanTicket.delete().where(ScanTicket.id.in_(ids)).execute()) if ids else 0
