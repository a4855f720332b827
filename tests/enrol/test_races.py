"""A certificate that is signed up for while a roster changes its kind; a thing ordered while it is given up."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from app.account.models import Person
from app.core.clock import utcnow
from app.core.db import transaction
from app.enrol import sign_up
from app.enrol.models import Enrolment, RosterEntry
from app.enrol.service import import_roster
from app.pay import ledger, service
from app.pay.models import Order, OrderLine
from app.pay.status import OrderAction
from tests.enrol.conftest import RosterFile
from tests.factories import a_person, a_roster_entry
from tests.pay.till import an_order
from tests.races import overtaken, unlocked
from tests.world import World


def kinds(person: Person, roster_file: RosterFile) -> tuple[str, str]:
    """A roster says B of a certificate while it is signed up for as TJ: its kind in the roster, and in the
    enrolment."""
    entry = a_roster_entry(person)
    days = (entry.issued_on.isoformat(), entry.expires_on.isoformat())
    row = [person.name, person.id_number, "", "B", entry.certificate_no, *days]
    path = roster_file([row])
    with overtaken(
        sign_up, "refusal", lambda: import_roster(path, "yunnan", actor="system", now=utcnow())
    ) as imported:
        sign_up.sign_up(person.id, [entry.id], now=utcnow())
    assert not isinstance(imported[0], Exception), imported
    return RosterEntry.get_by_id(entry.id).kind_code, Enrolment.get(Enrolment.roster_entry_id == entry.id).kind_code


def test_a_certificate_keeps_its_kind_while_it_is_signed_up_for(
    world: World, person: Person, roster_file: RosterFile
) -> None:
    assert kinds(person, roster_file) == ("TJ", "TJ")


def test_twin_without_the_locks_it_does_not(
    world: World, person: Person, roster_file: RosterFile, servers_only: None
) -> None:
    with unlocked():
        assert kinds(person, roster_file) == ("B", "TJ")


@pytest.fixture
def closing() -> Order:
    """An order that waits to be closed for good, of the thing that `an_order` orders."""
    order = an_order(a_person(), minutes=-1)
    assert ledger.move(order, OrderAction.START_CLOSING, "expired", now=utcnow(), close_at=utcnow())
    return order


def test_a_thing_that_is_given_up_while_it_is_ordered_can_be_ordered(world: World, closing: Order) -> None:
    """The order is refused by the unique key of one that is gone when it looks again."""
    buyer = a_person()
    real, looks = service._taken, []

    def taken(skus: list[str]) -> set[str]:
        looks.append(skus)
        if len(looks) == 1:
            return set()  # it was not there a moment before
        if len(looks) == 2:
            ledger.move(closing, OrderAction.CLOSE, "expired", now=utcnow(), closed_at=utcnow(), close_at=None)
        return real(skus)

    with patch.object(service, "_taken", taken), transaction():
        order = an_order(buyer)
    assert (order.person_id, len(looks)) == (buyer.id, 2)
    assert OrderLine.get(OrderLine.open_sku == "thing:1").order_id == order.id
