"""Help tickets: a trainee writes, the staff answer as they decide any case, the trainee sees it in the app.

Each writing has the phone's own id: sent again after a lost answer it changes nothing, and gives the same answer."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import structlog

from app.account import service as account
from app.cases import service as cases
from app.core import audit, crypto
from app.core.access import Identity
from app.core.db import compare_and_set, insert_once, locked, transaction
from app.core.errors import CONFLICT, NOT_FOUND
from app.core.ids import new_id
from app.face.image import clean
from app.support import queries
from app.support.errors import TICKET_CLOSED, TICKET_PICTURE_GONE, TICKET_PICTURES_MANY, TICKET_TOO_MANY
from app.support.models import Ticket, TicketMessage, TicketPicture, picture_aad
from app.support.status import Action, NotAllowed, Status, next_status

log = structlog.get_logger(__name__)

KIND = "support.ticket"  # of case
SIDE = 1600  # pixels: the small print of a screenshot can be read
MOST_PICTURES = 3
A_DAY = timedelta(days=1)
MOST_A_DAY = 20  # writings of one person
MOST_WAITING = 12  # pictures of one person that belong to no message yet


def subject_of(ticket_id: str) -> str:
    """What a case says of a ticket."""
    return f"ticket:{ticket_id}"


def add_picture(who: Identity, client_id: str, data: bytes, *, now: datetime) -> str:
    """Keep a picture until its message comes; gives its id. The same `client_id` again is the same picture. Raises
    `photo_not_picture`, `photo_too_many_pixels`, `photo_animated`, `photo_broken`, `pictures_busy`,
    `ticket_too_many`."""
    mine = (TicketPicture.person_id == who.person_id) & (TicketPicture.client_id == client_id)
    known = TicketPicture.select(TicketPicture.id).where(mine).first()
    if known is not None:
        return str(known.id)
    waiting = TicketPicture.select().where(
        TicketPicture.person_id == who.person_id, TicketPicture.message_id.is_null()
    )
    if waiting.count() >= MOST_WAITING:
        raise TICKET_TOO_MANY(headers={"Retry-After": "3600"})
    picture, row_id = clean(data, side=SIDE), new_id()
    sealed = crypto.photos().seal_bytes(picture, picture_aad(row_id))
    insert_once(TicketPicture, id=row_id, person_id=who.person_id, client_id=client_id, sealed=sealed, created_at=now)
    return str(TicketPicture.select(TicketPicture.id).where(mine).get().id)


def write(who: Identity, client_id: str, topic: str, text: str, pictures: Sequence[str], *, now: datetime) -> Ticket:
    """A new matter, which is a case for support. The same `client_id` again is the same ticket. Raises
    `ticket_too_many`, `ticket_picture_gone`, `ticket_pictures_many`."""
    known = Ticket.get_or_none(Ticket.person_id == who.person_id, Ticket.client_id == client_id)
    if known is not None:
        return known
    programme = account.get_session(who.session_id).programme
    row_id = new_id()
    with transaction():
        _hold(who, now)
        fresh = insert_once(
            Ticket, id=row_id, person_id=who.person_id, programme=programme, client_id=client_id, topic=topic,
            status=Status.WAITING, created_at=now, changed_at=now,
        )  # fmt: skip
        if fresh:
            actor = f"person:{who.person_id}"
            _say(row_id, client_id, actor, text, who.person_id, pictures, now)
            audit.record(actor, "ticket.written", subject_of(row_id), now=now, topic=topic)
            _file(Ticket.get_by_id(row_id), now)
    return Ticket.get(Ticket.person_id == who.person_id, Ticket.client_id == client_id)


def reply(
    who: Identity, ticket_id: str, client_id: str, text: str, pictures: Sequence[str], *, now: datetime
) -> Ticket:
    """The trainee goes on; it is a case again. The same `client_id` again changes nothing. Raises `not_found`,
    `ticket_closed`, `ticket_too_many`, `ticket_picture_gone`, `ticket_pictures_many`."""
    ticket = queries.owned(ticket_id, who.person_id)
    if _said(ticket_id, client_id):
        return ticket
    with transaction():
        _hold(who, now)
        locked(Ticket, ticket_id)  # an answer of this moment comes before or after, not between
        ticket = queries.owned(ticket_id, who.person_id)
        if _said(ticket_id, client_id):
            return ticket
        _move(ticket, Action.REPLY, now)
        actor = f"person:{who.person_id}"
        _say(ticket.id, client_id, actor, text, who.person_id, pictures, now)
        audit.record(actor, "ticket.replied", subject_of(ticket.id), now=now)
        _file(ticket, now)
    return Ticket.get_by_id(ticket_id)


def seen(who: Identity, ticket_id: str, *, now: datetime) -> Ticket:
    """The trainee has opened it. Raises `not_found`."""
    ticket = queries.owned(ticket_id, who.person_id)
    if queries.unread(ticket):
        Ticket.update(read_at=now).where(Ticket.id == ticket.id).execute()
    return ticket


def answer(ticket_id: str, action: Action, text: str, *, case_id: str, actor: str, now: datetime) -> None:
    """The staff answer, ask back, or end it; in the transaction of the case's decision. Raises `not_found`,
    `conflict` (it changed meanwhile)."""
    ticket = locked(Ticket, ticket_id)
    if ticket is None:
        raise NOT_FOUND()
    _move(ticket, action, now)
    if text:
        number = TicketMessage.select().where(TicketMessage.ticket_id == ticket_id).count()
        _say(ticket_id, f"{case_id}:{number}", actor, text, "", (), now)
    audit.record(actor, f"ticket.{action}", subject_of(ticket_id), now=now)


def forget(*, now: datetime) -> int:
    """Delete pictures that belong to no message after a day; gives how many."""
    old = (TicketPicture.created_at < now - A_DAY) & TicketPicture.message_id.is_null()
    ids = [row_id for (row_id,) in TicketPicture.select(TicketPicture.id).where(old).limit(500).tuples()]
    unsent = TicketPicture.id.in_(ids) & TicketPicture.message_id.is_null()
    return int(TicketPicture.delete().where(unsent).execute()) if ids else 0


def _said(ticket_id: str, client_id: str) -> bool:
    mine = (TicketMessage.ticket_id == ticket_id) & (TicketMessage.client_id == client_id)
    return bool(TicketMessage.select().where(mine).exists())


def _hold(who: Identity, now: datetime) -> None:
    """One writing of a person at a time, and so many a day."""
    account.hold("ticket", who.person_id, now=now)
    mine = TicketMessage.select().where(
        TicketMessage.actor == f"person:{who.person_id}", TicketMessage.at > now - A_DAY
    )
    written = mine.join(Ticket, on=(Ticket.id == TicketMessage.ticket_id)).where(Ticket.person_id == who.person_id)
    if written.count() >= MOST_A_DAY:
        raise TICKET_TOO_MANY(headers={"Retry-After": "3600"})


def _move(ticket: Ticket, action: Action, now: datetime) -> None:
    try:
        after = next_status(Status(ticket.status), action)
    except NotAllowed:
        raise (TICKET_CLOSED if action == Action.REPLY else CONFLICT)() from None
    seen_at = {"status": ticket.status, "revision": ticket.revision}
    values = {"status": after, "revision": ticket.revision + 1, "changed_at": now}
    if not compare_and_set(Ticket, ticket.id, seen_at, values):
        raise CONFLICT()


def _say(
    ticket_id: str, client_id: str, actor: str, text: str, person_id: str, pictures: Sequence[str], now: datetime
) -> None:
    if len(pictures) > MOST_PICTURES:
        raise TICKET_PICTURES_MANY()
    message_id = new_id()
    TicketMessage.create(id=message_id, ticket_id=ticket_id, client_id=client_id, actor=actor, text=text, at=now)
    for picture_id in dict.fromkeys(pictures):
        free = TicketPicture.update(message_id=message_id).where(
            TicketPicture.id == picture_id, TicketPicture.person_id == person_id, TicketPicture.message_id.is_null()
        )
        if not free.execute():
            raise TICKET_PICTURE_GONE(fields={"pictures": TICKET_PICTURE_GONE.sentence})


def _file(ticket: Ticket, now: datetime) -> None:
    """A case for support; while one is open it shows what is written in the meantime."""
    cases.file(
        KIND, subject_of(ticket.id), {"topic": ticket.topic}, programme=ticket.programme, person_id=ticket.person_id,
        now=now,
    )  # fmt: skip
