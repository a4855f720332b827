"""What the help tickets add to a person's page: what they asked and what they were answered, each at its moment."""

from __future__ import annotations

from collections.abc import Collection

from app.account.person_pages import Entry, PersonPage, Sight, Source, Window
from app.cases.models import Case
from app.support.models import Ticket, TicketMessage
from app.support.queries import TOPICS
from app.support.service import KIND, subject_of

LONGEST = 200  # characters of a message in the history; the case has all of it


def entries(sight: Sight, window: Window) -> list[Entry]:
    """Every message of the person's tickets."""
    query = (
        TicketMessage.select(TicketMessage, Ticket.topic.alias("topic"), Ticket.programme.alias("programme"))
        .join(Ticket, on=(Ticket.id == TicketMessage.ticket_id))
        .where(sight.mine(Ticket.person_id), sight.within(Ticket.programme))
        .objects()
    )
    rows = window.of(query, TicketMessage.at, TicketMessage.id)
    cases = _cases({row.ticket_id for row in rows})
    found = []
    for row in rows:
        theirs = row.actor.startswith("person:")
        filed = [case for case in cases if case.subject == subject_of(row.ticket_id) and case.filed_at <= row.at]
        found.append(
            Entry(
                row.at,
                row.id,
                f"{'学员来信' if theirs else '客服答复'}（{TOPICS.get(row.topic, '其他')}）：{_short(row.text)}",
                tone="plain" if theirs else "good",
                programme=row.programme,
                who=row.actor,
                case_id=filed[-1].id if filed else None,
            )
        )
    return found


def _cases(tickets: Collection[str]) -> list[Case]:
    """The cases of these tickets, the oldest first: each message belongs to the last one before it."""
    subjects = [subject_of(ticket_id) for ticket_id in tickets]
    found = Case.select(Case.id, Case.subject, Case.filed_at).where(Case.kind == KIND, Case.subject.in_(subjects))
    return list(found.order_by(Case.filed_at, Case.id)) if subjects else []


def _short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LONGEST else f"{plain[:LONGEST]}…"


def subjects(sight: Sight) -> dict[str, str]:
    """The tickets, of which one may be ended without a word to the person."""
    query = Ticket.select(Ticket.id, Ticket.topic).where(sight.mine(Ticket.person_id), sight.within(Ticket.programme))
    latest = query.order_by(Ticket.changed_at.desc()).limit(100).tuples()
    return {subject_of(row_id): TOPICS.get(topic, "其他") for row_id, topic in latest}


PAGE = PersonPage(
    domain="support",
    sources=(Source("tickets", entries),),
    subjects=subjects,
    words={"ticket.close": "结束学员来信，没有答复"},
    silent=("ticket.written", "ticket.replied", "ticket.answer", "ticket.ask"),
)
