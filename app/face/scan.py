"""A web page asks, a phone answers: what a scanned code opens, and when the face is checked first.

"login": the page is signed in as the phone's person, in a session of its own, if the person's login face check is
good where the programme has one. "study_now": the page of a person goes on once the same person's phone has passed
the face check of this enrolment (yunnan manual, step 3 (二) 1 (2) ②); the pass itself is used up by the player.
It stands here and not in `wechat` because it asks for passes; the tickets themselves are `wechat`'s.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime

import segno

from app.account import service as account
from app.core import audit, rates
from app.core.access import Identity
from app.core.crypto import mask_name
from app.core.db import transaction
from app.core.ids import new_id
from app.face import queries
from app.face.service import programme_of_subject
from app.policy import load, rules
from app.policy.schema import FacePurpose, Programme
from app.wechat import service as wechat
from app.wechat.errors import SCAN_NOT_OFFERED, SCAN_OVER

PAGE = "pkg-study/scan/scan"  # of the mini-program
# WeChat's pictures a minute for pages that nobody is signed in to, of all of them and of one address: WeChat gives us
# 5,000, and strangers must not spend those. Whoever comes later scans an ordinary code.
PICTURES, PICTURES_OF_AN_ADDRESS = 600, 60
FACE_PURPOSE = {"login": "login", "study_now": "study"}  # of a check


@dataclass(frozen=True)
class Shown:
    """What the page shows: `picture` as a data URL; `by` says how it is scanned: 'wechat' (any scan in WeChat opens
    the mini-program) or 'link' (WeChat gave no picture: an ordinary code, scanned inside the mini-program)."""

    ticket: wechat.Ticket
    secret: str
    picture: str
    by: str


@dataclass(frozen=True)
class Question:
    """What the phone shows: is it you? `face`: the check that has to be passed first, as a purpose and a subject."""

    ticket: wechat.Ticket
    status: str
    programme: str
    name: str
    face: tuple[str, str | None] | None


@dataclass(frozen=True)
class Opened:
    """What the page goes on with: a session's token and the next step, or the enrolment to study."""

    token: str | None
    next: str | None
    subject: str | None


# --- the page ----------------------------------------------------------------------------------------------------


def ask_for_login(programme_key: str, *, site: str, user_agent: str, address: str, now: datetime) -> Shown:
    """A code by which a phone signs this page, of `site` (a URL), in. Raises `scan_not_offered`,
    `too_many_requests`."""
    try:
        programme = load.in_force(programme_key, now)
    except load.UnknownProgramme:
        raise SCAN_NOT_OFFERED() from None
    if programme.authority.secrets.wechat is None:
        raise SCAN_NOT_OFFERED()
    made = wechat.make_ticket("login", programme.key, user_agent=user_agent, address=address, now=now)
    fair = rates.within(f"code_picture:{rates.network(address)}", PICTURES_OF_AN_ADDRESS, now=now)
    return _show(made, site, now, by_wechat=fair and rates.within("code_picture", PICTURES, now=now))


def ask_for_study(
    who: Identity, enrolment_id: str, *, site: str, user_agent: str, address: str, now: datetime
) -> Shown:
    """A code by which the phone of the same person passes the face check for the caller's page. Raises `not_found`,
    `scan_not_offered`, `wechat_not_offered`, `too_many_requests`."""
    programme = programme_of_subject(enrolment_id, who.person_id)
    by_phone = programme.face is not None and programme.face.web_by_phone_qr
    if not by_phone or not rules.face_check_due(programme, "study_now", None, now):
        raise SCAN_NOT_OFFERED()
    made = wechat.make_ticket(
        "study_now",
        programme.key,
        subject=enrolment_id,
        owner_id=who.person_id,
        user_agent=user_agent,
        address=address,
        now=now,
    )
    return _show(made, site, now, by_wechat=True)


def _show(made: wechat.MadeTicket, site: str, now: datetime, *, by_wechat: bool) -> Shown:
    ticket, secret = made.ticket, made.secret
    picture = wechat.code_picture(ticket.programme, ticket.id, PAGE, now=now) if by_wechat else None
    if picture is None:
        link = segno.make_qr(f"{site}/?scan={ticket.id}", error="m").png_data_uri(scale=8, border=4)
        return Shown(ticket, secret, link, "link")
    kind = "png" if picture.startswith(b"\x89PNG") else "jpeg"
    return Shown(ticket, secret, f"data:image/{kind};base64,{base64.b64encode(picture).decode()}", "wechat")


def see(ticket_id: str, secret: str, *, now: datetime) -> tuple[wechat.Ticket, str, str | None]:
    """How the page's ticket stands: the ticket, its status, the masked name of who scanned it. Raises
    `scan_secret_wrong`."""
    ticket = wechat.see_ticket(ticket_id, secret)
    name = mask_name(account.get_person(ticket.person_id).name) if ticket.person_id else None
    return ticket, wechat.ticket_status(ticket, now), name


def go_on(ticket_id: str, secret: str, *, now: datetime) -> Opened:
    """What was confirmed, for the page: once. Asked again, because the answer was lost, it gives the same session
    while the ticket's time lasts. Raises `scan_secret_wrong`, `scan_over`."""
    ticket = wechat.see_ticket(ticket_id, secret)
    if ticket.status != wechat.TicketStatus.USED:
        session_id = new_id() if ticket.purpose == "login" else None
        with transaction():
            if ticket.person_id is not None:  # who ends all sessions at this moment ends this one too
                account.get_person(ticket.person_id, locked=True)
            if wechat.use_ticket(ticket, session_id=session_id, now=now):
                return _open(ticket, session_id, now)
        ticket = wechat.see_ticket(ticket_id, secret)
    if ticket.status != wechat.TicketStatus.USED or ticket.expires_at <= now:
        raise SCAN_OVER()
    return _again(ticket, now)


def _open(ticket: wechat.Ticket, session_id: str | None, now: datetime) -> Opened:
    if session_id is None:
        return Opened(None, None, ticket.subject)
    person = account.get_person(ticket.person_id)
    token = account.open_session(person.id, ticket.programme, "web", activated=True, session_id=session_id, now=now)
    who = f"person:{person.id}"
    audit.record(who, "login.scanned", who, now=now, programme=ticket.programme, ticket=ticket.id)
    return Opened(token, account.next_step(person, proved=True), None)


def _again(ticket: wechat.Ticket, now: datetime) -> Opened:
    if ticket.session_id is None:
        return Opened(None, None, ticket.subject)
    token = account.token_of(ticket.session_id, now=now)
    if token is None:
        raise SCAN_OVER()
    return Opened(token, account.next_step(account.get_person(ticket.person_id), proved=True), None)


# --- the phone ---------------------------------------------------------------------------------------------------


def question(ticket_id: str, who: Identity, *, now: datetime) -> Question:
    """The caller's phone has scanned the code: what it is asked. Raises `scan_with_phone`, `scan_over`, `scan_taken`,
    `scan_other_person`."""
    ticket = wechat.scan_ticket(ticket_id, who, now=now)
    face = (FACE_PURPOSE[ticket.purpose], ticket.subject or None)
    return Question(
        ticket=ticket,
        status=wechat.ticket_status(ticket, now),
        programme=_programme(ticket, now).title,
        name=mask_name(account.get_person(who.person_id).name) or "",
        face=face if _face_missing(ticket, who.person_id, now) else None,
    )


def confirm(ticket_id: str, who: Identity, *, now: datetime) -> None:
    """Yes, that is me. Raises `face_check_needed` (with the purpose), `scan_over`, `scan_taken`."""
    ticket = wechat.ticket_of(ticket_id, who, now=now)
    if ticket.status == wechat.TicketStatus.SCANNED and _face_due(ticket, now):
        queries.require_pass(who.person_id, FACE_PURPOSE[ticket.purpose], ticket.subject or None, now=now)
    wechat.confirm_ticket(ticket, who, now=now)


def deny(ticket_id: str, who: Identity, *, now: datetime) -> None:
    """That is not me. Raises `scan_over`, `scan_taken`."""
    wechat.deny_ticket(wechat.ticket_of(ticket_id, who, now=now), who, now=now)


def _programme(ticket: wechat.Ticket, now: datetime) -> Programme:
    """Of the enrolment, in the version under which it was signed up, where there is one."""
    if ticket.subject:
        return programme_of_subject(ticket.subject, ticket.owner_id)
    return load.in_force(ticket.programme, now)


def _face_due(ticket: wechat.Ticket, now: datetime) -> bool:
    rule: FacePurpose = "login" if ticket.purpose == "login" else "study_now"
    return rules.face_check_due(_programme(ticket, now), rule, None, now)


def _face_missing(ticket: wechat.Ticket, person_id: str, now: datetime) -> bool:
    passed = queries.good_pass(person_id, FACE_PURPOSE[ticket.purpose], ticket.subject or None, now=now)
    return passed is None and _face_due(ticket, now)
