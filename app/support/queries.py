"""Named reads of help tickets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from app.core import crypto
from app.core.errors import NOT_FOUND
from app.support.models import Ticket, TicketMessage, TicketPicture, picture_aad

NEWEST = 50

TOPICS = {
    "login": "登录与激活",
    "sign_up": "报名",
    "payment": "缴费与退款",
    "invoice": "发票",
    "photo": "照片与人脸核验",
    "study": "学习",
    "exam": "考试与证明",
    "other": "其他",
}


@dataclass(frozen=True)
class Written:
    """A message, and the ids of its pictures."""

    message: TicketMessage
    pictures: tuple[str, ...]

    @property
    def ours(self) -> bool:
        """Whether the staff wrote it."""
        return not self.message.actor.startswith("person:")


def of_person(person_id: str) -> list[Ticket]:
    """A person's tickets, the one that changed last first."""
    mine = Ticket.select().where(Ticket.person_id == person_id)
    return list(mine.order_by(Ticket.changed_at.desc(), Ticket.id.desc()).limit(NEWEST))


def owned(ticket_id: str, person_id: str) -> Ticket:
    """A ticket of this person. Raises `not_found` for another's, too."""
    ticket = Ticket.get_or_none(Ticket.id == ticket_id, Ticket.person_id == person_id)
    if ticket is None:
        raise NOT_FOUND()
    return ticket


def last_said(ticket_ids: Sequence[str]) -> dict[str, str]:
    """By ticket, what the person wrote last."""
    theirs = TicketMessage.ticket_id.in_(list(ticket_ids)) & TicketMessage.actor.startswith("person:")
    messages = TicketMessage.select().where(theirs).order_by(TicketMessage.id) if ticket_ids else ()
    return {message.ticket_id: message.text for message in messages}


def written(ticket_id: str) -> list[Written]:
    """What was written in a ticket, in order."""
    messages = list(TicketMessage.select().where(TicketMessage.ticket_id == ticket_id).order_by(TicketMessage.id))
    pictures: dict[str, list[str]] = defaultdict(list)
    if messages:
        rows = TicketPicture.select(TicketPicture.message_id, TicketPicture.id).where(
            TicketPicture.message_id.in_([one.id for one in messages])
        )
        for message_id, picture_id in rows.order_by(TicketPicture.id).tuples():
            pictures[message_id].append(picture_id)
    return [Written(one, tuple(pictures[one.id])) for one in messages]


def unread(ticket: Ticket) -> bool:
    """Whether there is an answer that the person has not seen."""
    return ticket.status in ("asked", "answered") and (ticket.read_at is None or ticket.read_at < ticket.changed_at)


def picture(ticket_id: str, picture_id: str) -> bytes:
    """A picture of a ticket, as JPEG. Raises `not_found`."""
    row = TicketPicture.get_or_none(TicketPicture.id == picture_id)
    message = TicketMessage.get_or_none(TicketMessage.id == row.message_id) if row is not None else None
    if row is None or message is None or message.ticket_id != ticket_id:
        raise NOT_FOUND()
    return crypto.photos().open_bytes(bytes(row.sealed), picture_aad(row.id))
