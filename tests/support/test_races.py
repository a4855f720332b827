"""One ticket and two people at one moment: two of support who answer it, the trainee who writes while it is ended."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from typing import Any
from unittest.mock import patch

import pytest

from app.account.models import Person
from app.cases import service as cases
from app.cases import work
from app.cases.models import Case
from app.core import db
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import Right
from app.support import queries, service
from app.support.models import Ticket
from app.support.queries import written
from app.support.status import Status
from tests.factories import a_person
from tests.races import overtaken, unguarded
from tests.staffroom import a_member, staff_of
from tests.support.tickets import a_ticket, who
from tests.world import World


@pytest.fixture
def ticket(world: World) -> Ticket:
    return a_ticket(a_person(name="欧阳海燕"))


def case_of(ticket: Ticket) -> Case:
    found: Case = Case.get(Case.subject == service.subject_of(ticket.id))
    return found


def code_of(call: Any) -> str:
    """What a call says: what it gives, or the code of its refusal."""
    try:
        return str(db.unit(call))
    except Problem as problem:
        return problem.code


def decides(ticket: Ticket, key: str, note: str) -> Any:
    """Somebody of support, with the case before them."""
    staff = staff_of(a_member((Right.SUPPORT, "yunnan")))
    return partial(cases.decide_by_staff, staff, case_of(ticket).id, key, note=note, now=utcnow())


def two_answers(ticket: Ticket) -> tuple[str, list[str]]:
    """What the first one is told, who had looked before the second one answered; and what the trainee reads."""
    first, second = decides(ticket, "answer", "款已到账。"), decides(ticket, "answer", "请重新登录。")
    with overtaken(work, "_hold", second) as given:
        told = code_of(first)
    assert given == ["decided"]
    return told, [one.message.text for one in written(ticket.id) if one.ours]


def test_of_two_who_answer_at_one_moment_the_trainee_reads_one(ticket: Ticket) -> None:
    assert two_answers(ticket) == ("case_taken", ["请重新登录。"])


def test_twin_without_the_case_the_ticket_itself_refuses_the_second(ticket: Ticket) -> None:
    with patch.object(work, "compare_and_set", unguarded):
        assert two_answers(ticket) == ("conflict", ["请重新登录。"])


def test_twin_without_either_the_trainee_reads_two(ticket: Ticket) -> None:
    with ExitStack() as off:
        off.enter_context(patch.object(work, "compare_and_set", unguarded))
        off.enter_context(patch.object(service, "next_status", lambda _before, _action: Status.ANSWERED))
        told, read = two_answers(ticket)
    assert (told, len(read)) == ("decided", 2)


def writes_while_it_is_ended(ticket: Ticket) -> tuple[str, str, bool]:
    """What the trainee is told, who had the ticket before them when support ended it; how it stands; whether what
    they wrote is in it."""
    me = who(Person.get_by_id(ticket.person_id))
    reply = partial(service.reply, me, ticket.id, "reply-0001", "还是不行", [], now=utcnow())
    with overtaken(queries, "owned", decides(ticket, "close", "已电话说明")) as given:
        told = code_of(reply)
    assert given == ["decided"]
    texts = [one.message.text for one in written(ticket.id)]
    return told, str(Ticket.get_by_id(ticket.id).status), "还是不行" in texts


def test_what_is_written_while_a_ticket_is_ended_is_refused_and_it_stays_ended(ticket: Ticket) -> None:
    assert writes_while_it_is_ended(ticket) == ("ticket_closed", "closed", False)
    assert not Case.select().where(Case.status == "open").exists()


def test_twin_from_the_first_look_it_is_refused_without_saying_why(ticket: Ticket) -> None:
    with patch.object(queries, "owned", lambda _id, _person: Ticket(**ticket.__data__)):
        assert writes_while_it_is_ended(ticket) == ("conflict", "closed", False)


def test_twin_from_the_first_look_without_compare_and_set_it_is_open_again(ticket: Ticket) -> None:
    with ExitStack() as off:
        off.enter_context(patch.object(queries, "owned", lambda _id, _person: Ticket(**ticket.__data__)))
        off.enter_context(patch.object(service, "compare_and_set", unguarded))
        _, status, there = writes_while_it_is_ended(ticket)
    assert (status, there) == ("waiting", True)
