"""Invoices of organisations: their order has no person, and is invoiced in the name that they have given."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from app import wiring
from app.cases import service as cases
from app.core import outbox
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.invoice import payers, queries, service, watch
from app.invoice.audit import audit_invoices
from app.invoice.models import PayerChoice, PayerProfile
from app.invoice.payers import Details
from app.invoice.status import Status
from app.notify.models import Sms
from app.pay import janitor
from app.pay.models import Order, PaymentAttempt
from ops import manage
from tests.invoice.desk import asked, booked, work
from tests.pay.till import Sale, a_sale, scan, show_code
from tests.world import World

ORG = "org0000000000001"
COMPANY = Details("enterprise", "云南某某建设有限公司", "91530100MA6K5YXT38", address="昆明市", phone="0871-63120000")


def paid_by_an_organisation(world: World) -> Sale:
    """An order that became an organisation's, and was paid this moment."""
    sale = a_sale()
    scan(world, show_code(sale))
    Order.update(person_id=None, organisation_id=ORG).where(Order.id == sale.order_id).execute()
    PayerChoice.delete().where(PayerChoice.order_id == sale.order_id).execute()
    later = utcnow() + timedelta(minutes=1)
    PaymentAttempt.update(ask_at=utcnow()).execute()
    janitor.find_lost_payments(now=later)
    assert sale.order.status == "paid"
    outbox.sweep(now=later)
    return sale


def test_its_order_is_invoiced_in_the_name_that_it_has_given(world: World) -> None:
    service.save_organisation(ORG, COMPANY, now=utcnow())
    sale = paid_by_an_organisation(world)
    row = work(sale)
    assert (row.status, row.person_id, queries.buyer(row).title) == (Status.READY, None, COMPANY.title)
    (said,) = booked(world, row)
    assert (said["payerName"], said["payerTaxNo"]) == (COMPANY.title, COMPANY.taxpayer_number)
    outbox.sweep(now=utcnow() + timedelta(days=9))
    assert Sms.select().where(Sms.key == f"invoice:{row.id}").count() == 0
    assert audit_invoices() == []


def test_one_that_has_given_none_is_a_case_until_it_has(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "start", lambda settings: None)
    monkeypatch.setattr(manage, "load", lambda: world.settings)
    sale = paid_by_an_organisation(world)
    assert queries.of_order(sale.order_id) is None
    later = utcnow() + watch.EVENT_TAKES + timedelta(minutes=2)
    for _ in range(2):
        watch.plan_missing(now=later)
    assert [case.subject for case in cases.open_cases("invoice.no_payer")] == [f"order:{sale.order_id}"]
    assert audit_invoices(utcnow() + timedelta(hours=2)) == []
    says = ["--title", COMPANY.title, "--reason", "单位来函", "--by", "li"]
    assert manage.main(["save-organisation", ORG, "--taxpayer-number", "123", *says]) == 1
    assert AuditEntry.select().where(AuditEntry.action == "invoice.organisation_saved").count() == 0
    assert manage.main(["save-organisation", ORG, "--taxpayer-number", str(COMPANY.taxpayer_number), *says]) == 0
    assert AuditEntry.select().where(AuditEntry.action == "invoice.organisation_saved").count() == 1
    assert watch.plan_missing(now=later) == 1
    assert (cases.open_cases(), asked(world, "issue")) == ([], 0)
    assert work(sale).status == Status.READY


def test_what_it_saves_later_does_not_change_what_was_invoiced(world: World) -> None:
    service.save_organisation(ORG, COMPANY, now=utcnow())
    service.save_organisation(ORG, COMPANY, now=utcnow())
    sale = paid_by_an_organisation(world)
    row = work(sale)
    service.save_organisation(ORG, Details("enterprise", "改名有限公司", COMPANY.taxpayer_number), now=utcnow())
    assert queries.buyer(row).title == COMPANY.title
    assert PayerProfile.select().where(PayerProfile.organisation_id == ORG).count() == 2
    current = payers.of_organisation(ORG)
    assert current is not None
    assert current.title == "改名有限公司"


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (Details("enterprise", "云", "91530100MA6K5YXT38"), "title"),
        (Details("enterprise", "云南某某", "91530100MA6K5YXT39"), "taxpayer_number"),
        (Details("enterprise", "云南某某", None), "taxpayer_number"),
        (Details("enterprise", "云南某某", "91530100MA6K5YXT38", bank_name="建设银行"), "bank_account"),
    ],
)
@pytest.mark.usefixtures("world")
def test_its_details_are_checked_as_its_licence_has_them(wrong: Details, field: str) -> None:
    with pytest.raises(Problem, match="payer_invalid") as refused:
        service.save_organisation(ORG, wrong, now=utcnow())
    assert field in (refused.value.fields or {})
    assert PayerProfile.select().count() == 0


def asks_for_details(world: World) -> tuple[Sale, datetime]:
    """A paid order of an organisation that has not said who it is, and a moment after which that is a case."""
    sale, later = paid_by_an_organisation(world), utcnow() + watch.EVENT_TAKES + timedelta(minutes=2)
    watch.plan_missing(now=later)
    assert len(cases.open_cases(watch.NO_PAYER)) == 1
    return sale, later


def test_one_that_wants_no_invoice_is_not_a_case_again(world: World) -> None:
    sale, later = asks_for_details(world)
    (case,) = cases.open_cases(watch.NO_PAYER)
    cases.decide(case.id, "wants none", actor="staff:1", now=later)
    assert watch.plan_missing(now=later + timedelta(minutes=10)) == 0
    assert (cases.open_cases(watch.NO_PAYER), queries.of_order(sale.order_id)) == ([], None)
    assert audit_invoices(later + timedelta(hours=2)) == []


def test_one_that_says_who_it_is_months_later_is_invoiced_then(world: World) -> None:
    sale, later = asks_for_details(world)
    months = later + 3 * watch.LOOK_BACK
    assert watch.plan_missing(now=months) == 0
    service.save_organisation(ORG, COMPANY, now=months)
    assert watch.plan_missing(now=months) == 1
    assert (cases.open_cases(watch.NO_PAYER), queries.of_order(sale.order_id) is not None) == ([], True)
