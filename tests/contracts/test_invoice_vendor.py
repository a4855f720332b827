"""What every e-invoice vendor must do with a red letter, over real HTTP with real signatures: the same number is the
same request, a refusal says so, what is not known is absent, what cannot be read is unknown."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.core.ids import new_id
from app.invoice import providers, tax
from app.invoice.providers.protocol import (
    Buyer,
    InvoiceProvider,
    Line,
    RedRequest,
    Refused,
    Request,
    Unavailable,
    Unknown,
)
from tests.world import World

BUYER = Buyer("王芳", True, None, None, None, None, None)
LINE = Line("*培训服务*继续教育", "3070201020000000000", 30, tax.split(20000, 30))


@pytest.fixture
def vendor(world: World, monkeypatch: pytest.MonkeyPatch) -> InvoiceProvider:
    """The vendor of one authority, which issues as soon as it is asked."""
    monkeypatch.setattr(world.sandbox.box, "invoice_seconds", 0.0)
    return providers.for_authority("yunnan.invoice")


def issued(vendor: InvoiceProvider) -> str:
    """An invoice, and its number."""
    serial = f"F{new_id()}".upper()
    vendor.issue(Request(serial, datetime(2026, 11, 1, tzinfo=UTC), BUYER, [LINE], "订单"))
    number = vendor.query(serial).number
    assert number is not None
    return number


def red(number: str, buyer: Buyer = BUYER) -> RedRequest:
    return RedRequest(f"H{new_id()}".upper(), number, buyer, "mistake")


def trouble(world: World, operation: str, kind: str, value: Any = None) -> None:
    world.sandbox.box.knobs.add("invoice", operation, kind, value)


def test_it_is_asked_for_and_comes_with_a_number_and_the_whole_amount(vendor: InvoiceProvider) -> None:
    request = red(issued(vendor))
    assert vendor.reverse(request).state == "processing"
    answer = vendor.query_red(request.serial)
    assert (answer.state, answer.amount_fen, answer.number is not None) == ("issued", 20000, True)


def test_the_same_number_again_is_the_same_request(vendor: InvoiceProvider) -> None:
    request = red(issued(vendor))
    vendor.reverse(request)
    again = vendor.reverse(request)
    assert (again.state, again.number) == ("issued", vendor.query_red(request.serial).number)


def test_an_invoice_is_taken_back_once(vendor: InvoiceProvider) -> None:
    number = issued(vendor)
    vendor.reverse(red(number))
    with pytest.raises(Refused):
        vendor.reverse(red(number))


def test_what_is_not_known_is_absent_and_an_invoice_that_is_not_there_is_refused(vendor: InvoiceProvider) -> None:
    assert vendor.query_red(f"H{new_id()}".upper()).state == "absent"
    with pytest.raises(Refused):
        vendor.reverse(red("26000000000000000000"))
    with pytest.raises(Refused):
        vendor.reverse(red(issued(vendor), Buyer("李四", True, None, None, None, None, None)))


@pytest.mark.parametrize(("knob", "state"), [("fails", "failed"), ("asks_buyer", "waiting")])
def test_the_bureau_and_the_buyer_may_say_no_or_later(
    world: World, vendor: InvoiceProvider, knob: str, state: str
) -> None:
    trouble(world, "red", knob)
    request = red(issued(vendor))
    vendor.reverse(request)
    assert vendor.query_red(request.serial).state == state


@pytest.mark.parametrize("kind", ["reset", "garbage", "error"])
def test_what_is_no_answer_is_neither_yes_nor_no(world: World, vendor: InvoiceProvider, kind: str) -> None:
    request = red(issued(vendor))
    trouble(world, "red", kind, 502 if kind == "error" else None)
    with pytest.raises(Unknown):
        vendor.reverse(request)


def test_a_vendor_that_lets_nobody_in_took_nothing(world: World, vendor: InvoiceProvider) -> None:
    request = red(issued(vendor))
    trouble(world, "red", "error", "070601")
    with pytest.raises(Unavailable):
        vendor.reverse(request)
    assert vendor.query_red(request.serial).state == "absent"


@pytest.mark.parametrize(
    "change", [{"billStatus": "77"}, {"billId": "H-another"}, {"taxAmount": "a lot"}, {"billStatus": None}]
)
def test_an_answer_that_does_not_fit_is_unknown(
    world: World, vendor: InvoiceProvider, change: dict[str, Any]
) -> None:
    request = red(issued(vendor))
    vendor.reverse(request)
    trouble(world, "query_red", "alter", change)
    with pytest.raises(Unknown):
        vendor.query_red(request.serial)
