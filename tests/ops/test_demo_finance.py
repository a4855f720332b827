"""The demonstration has something for finance on every page, the money in it is right, and it is made once."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from app.account import service as account
from app.cases.models import Case
from app.core.clock import utcnow
from app.enrol import queries as enrolments
from app.invoice.audit import audit_invoices
from app.invoice.models import Invoice
from app.pay.audit import audit_payments
from app.pay.models import Order
from app.pay.reconciliation.models import Bill, Difference
from app.pay.transfers import codes, matching, outgoing, queries
from app.pay.transfers import service as transfers
from app.policy import load as policy
from ops import invented
from ops.demo import finance, transfer
from ops.demo import load as demo
from tests.factories import a_person
from tests.pay.reconciliation.mornings import a_new_platform
from tests.pay.till import in_background
from tests.world import World

SECONDS = 5.0


@pytest.fixture
def programmes(world: World) -> Iterator[None]:
    world.clear()
    a_new_platform(world)
    policy.init(finance.place(world.data_dir))
    try:
        yield
    finally:
        world.clear()
        world.sandbox.box.knobs.clear()
        policy.init(world.settings.programmes_dir)


def test_finance_finds_an_invoice_a_correction_a_difference_and_a_statement_to_import(
    world: World, programmes: None
) -> None:
    first = policy.in_force(demo.PROGRAMME, utcnow())
    people = demo.people(first)[:3]
    for one in people:
        a_person(id_number=one.id_number, name=one.name)
    began = time.monotonic()
    finance.make(world.settings, first, people)
    assert time.monotonic() - began < SECONDS
    in_background()  # as cron does once it is up
    assert Counter(row.status for row in Invoice.select()) == {"ready": 2, "waiting": 2}
    assert [row.finding for row in Difference.select()] == ["missing_here"]
    assert Counter(row.status for row in Bill.select())["open"] == 1
    kinds = {case.kind for case in Case.select().where(Case.open_key.is_null(False))}
    assert kinds == {"invoice.correction", "pay.difference", "pay.payout"}
    assert (audit_payments(), audit_invoices(), world.sandbox.box.clock.offset) == ([], [], 0)
    (owner,) = queries.accounts({invented.KEY})
    row = transfers.show(finance.statement_file(world.data_dir), owner, actor="staff:1", now=utcnow())
    said = Counter(str(found) for found in matching.foresee(queries.lines(row.id)).values())
    assert said == {"exact": 1, "payer": 1, "short": 1, "no_code": 1}
    assert Counter(map(str, outgoing.foresee(queries.outgoing(row.id)).values())) == {"early": 1, "nothing": 1}
    before = [order.id for order in Order.select()]
    finance.make(world.settings, first, people)
    assert [order.id for order in Order.select()] == before


def test_a_transfer_that_somebody_was_told_to_make_becomes_a_statement_that_fits(
    world: World, programmes: None
) -> None:
    code = finance._order(0, now=utcnow())
    path = transfer.statement(f"附言码 {codes.shown(code)}", world.data_dir)
    (owner,) = queries.accounts({invented.KEY})
    row = transfers.show(path, owner, actor="staff:1", now=utcnow())
    assert [str(found) for found in matching.foresee(queries.lines(row.id)).values()] == ["exact"]
    for wrong in ("", "ZK 1234 56789", "200 元"):
        with pytest.raises(SystemExit, match="no order of this copy has it"):
            transfer.statement(wrong, world.data_dir)


def test_whom_make_run_names_has_a_programme_each_among_them_the_one_of_the_transfers(
    world: World, programmes: None
) -> None:
    for programme in demo.programmes():
        folder = world.data_dir / f"roster of {programme.key}"
        folder.mkdir()
        demo._roster(folder, programme, lambda _text: None)
    text = demo.welcome("http://127.0.0.1:1", "http://127.0.0.1:2", world.data_dir / "logs")
    parts = [text.index(programme.title) for programme in demo.programmes()]
    assert invented.KEY in [programme.key for programme in demo.programmes()]
    for programme, begins in zip(demo.programmes(), parts, strict=True):
        for one in demo.shown(programme):
            person = account.find_by_id_number(one.id_number)
            assert person is not None
            assert enrolments.programmes_of(person.id) == {programme.key}
            below = [place for place in parts if place < text.index(one.id_number)]
            assert max(below) == begins, "under its own programme"
            assert demo.password_of(programme, one) in text


def test_without_the_programme_of_the_transfers_nothing_is_made(world: World) -> None:
    world.clear()
    finance.make(world.settings, policy.in_force(demo.PROGRAMME, utcnow()), [])
    assert Order.select().count() == 0


def test_the_invented_programme_names_no_real_authority_and_no_real_telephone(programmes: None) -> None:
    shown = policy.in_force(invented.KEY, utcnow())
    real = policy.in_force("yunnan", utcnow())
    assert "虚构" in shown.title
    of = [
        {each.authority.name, each.authority.seller, each.authority.site, each.authority.regulator}
        for each in (shown, real)
    ]
    assert not of[0] & of[1]
    telephones = [set(re.findall(r"[\d-]{9,}", repr(each.authority.contacts))) for each in (shown, real)]
    assert telephones[0]
    assert not telephones[0] & telephones[1]
