"""The audit itself: each violation, planted into good books, is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from app.cases.models import Case
from app.core import outbox
from app.core.clock import utcnow
from app.core.ids import new_id
from app.core.outbox import OutboxMessage
from app.pay import janitor, settlement
from app.pay.audit import audit_payments
from app.pay.models import Order, OrderLine, PaymentAttempt, PaymentEvent, Refund
from tests.pay.till import Sale, a_sale, in_background, letter, post, scan, show_code, start
from tests.world import World


@pytest.fixture
def books(world: World, second_channel: str) -> dict[str, Sale]:
    """One sale of each end: open, paid, paid twice (one payment back), closed, and one in dispute."""
    sales = {name: a_sale() for name in ("open", "paid", "double", "closed", "disputed")}
    show_code(sales["open"])
    for name in ("paid", "disputed"):
        scan(world, show_code(sales[name]))
    post(world, letter(world, sales["disputed"].attempt.out_trade_no, change={"amount": {"total": 1}}))
    for channel in ("wechat_native", second_channel):
        sale = sales["double"]
        attempt = start(sale.order, channel).attempt
        scan(world, attempt.out_trade_no)
    in_background()
    Order.update(expires_at=utcnow()).where(Order.id == sales["closed"].order_id).execute()
    janitor.expire_orders(now=utcnow())
    for minutes in (1, 2):
        in_background(now=utcnow() + timedelta(minutes=minutes))
    assert {name: sale.order.status for name, sale in sales.items()} == {
        "open": "pending",
        "paid": "paid",
        "double": "paid",
        "closed": "closed",
        "disputed": "pending",
    }
    assert Refund.get().status == "succeeded"
    return sales


def test_good_books_are_good(books: dict[str, Sale]) -> None:
    assert audit_payments() == []


def set_(model: type, row_id: str, **values: object) -> None:
    assert model.update(values).where(model.id == row_id).execute() == 1  # type: ignore[attr-defined]


def delete(query: object) -> None:
    assert query.execute() >= 1  # type: ignore[attr-defined]


AGES_AGO = utcnow() - timedelta(hours=2)
Plant = Callable[[dict[str, Sale]], object]
back = Refund.get


def again(model: type, row: object, **values: object) -> None:
    """The same row once more, with other values."""
    model.create(**(row.__data__ | {"id": new_id()} | values))  # type: ignore[attr-defined]


PLANTS: dict[str, Plant] = {
    "paid without a payment": lambda b: set_(Order, b["paid"].order_id, paid_attempt_id=None),
    "a payment that the order does not know": lambda b: set_(Order, b["paid"].order_id, status="pending"),
    "paid, and nobody paid": lambda b: set_(Order, b["open"].order_id, status="paid"),
    "captured another amount": lambda b: set_(PaymentAttempt, b["paid"].attempt.id, amount_fen=1),
    "captured money that went nowhere": lambda b: delete(Refund.delete()),
    "kept and given back": lambda b: again(
        Refund, back(), attempt_id=b["paid"].attempt.id, order_id=b["paid"].order_id, out_refund_no="R1"
    ),
    "a refund of a part": lambda b: set_(Refund, back().id, amount_fen=19999),
    "more goes back than was captured": lambda b: [
        model.update(values).where(model.id == row_id).execute()
        for model, row_id, values in (
            (Refund, back().id, {"amount_fen": 20001}),
            (PaymentAttempt, back().attempt_id, {"refunded_fen": 20001}),
        )
    ],
    "a sum that its parts do not have": lambda b: set_(PaymentAttempt, b["paid"].attempt.id, refunded_fen=1),
    "a refund of nothing": lambda b: set_(Refund, back().id, attempt_id="x"),
    "an order of nobody's": lambda b: set_(Order, b["open"].order_id, person_id=None),
    "an order of two": lambda b: set_(Order, b["open"].order_id, organisation_id="x"),
    "an order whose end nobody sees": lambda b: set_(Order, b["open"].order_id, expires_at=AGES_AGO),
    "a payment that nobody asks about": lambda b: set_(PaymentAttempt, b["open"].attempt.id, ask_at=None),
    "a payment that was to be asked about long ago": lambda b: set_(
        PaymentAttempt, b["open"].attempt.id, ask_at=AGES_AGO
    ),
    "a refund that nobody sends": lambda b: again(
        Refund, back(), out_refund_no="R1", status="requested", amount_fen=0, try_at=None
    ),
    "a refund of an open payment": lambda b: again(
        Refund, back(), attempt_id=b["open"].attempt.id, order_id=b["open"].order_id, out_refund_no="R1"
    ),
    "one transaction twice": lambda b: set_(
        PaymentAttempt,
        b["paid"].attempt.id,
        transaction_id=PaymentAttempt.get(
            PaymentAttempt.order_id == b["double"].order_id, PaymentAttempt.authority == b["paid"].attempt.authority
        ).transaction_id,
    ),
    "paid without a transaction": lambda b: set_(PaymentAttempt, b["paid"].attempt.id, transaction_id=""),
    "closed with an open payment": lambda b: again(
        PaymentAttempt, b["open"].attempt, order_id=b["closed"].order_id, out_trade_no="T1"
    ),
    "two payments by one channel": lambda b: again(PaymentAttempt, b["open"].attempt, out_trade_no="T1"),
    "lines that do not add up": lambda b: set_(Order, b["open"].order_id, amount_fen=20001),
    "a closed order that holds its things": lambda b: (
        OrderLine.update(open_sku=OrderLine.sku).where(OrderLine.order_id == b["closed"].order_id).execute()
    ),
    "an open order without its things": lambda b: (
        OrderLine.update(open_sku=None).where(OrderLine.order_id == b["open"].order_id).execute()
    ),
    "a paid order without its things": lambda b: (
        OrderLine.update(open_sku=None).where(OrderLine.order_id == b["paid"].order_id).execute()
    ),
    "a grant that was not written": lambda b: delete(
        OutboxMessage.delete().where(OutboxMessage.event == "order.paid", OutboxMessage.key == b["paid"].order_id)
    ),
    "a grant of an unpaid order": lambda b: again(
        OutboxMessage, OutboxMessage.get(OutboxMessage.event == "order.paid"), key=b["open"].order_id
    ),
    "a closing that was not announced": lambda b: delete(
        OutboxMessage.delete().where(OutboxMessage.event == "order.closed")
    ),
    "a dispute that nobody was told of": lambda b: delete(Case.delete()),
    "a status that went back": lambda b: again(
        PaymentEvent,
        PaymentEvent.get(PaymentEvent.subject_id == b["paid"].order_id),
        before="paid",
        action="pay",
        after="pending",
    ),
    "a step that is not in the table": lambda b: (
        PaymentEvent.update(action="close").where(PaymentEvent.subject_id == b["paid"].order_id).execute()
    ),
    "a status without its history": lambda b: delete(
        PaymentEvent.delete().where(PaymentEvent.subject_id == b["paid"].order_id)
    ),
    "paid twice in the history": lambda b: again(
        PaymentEvent, PaymentEvent.get(PaymentEvent.subject_id == b["paid"].order_id)
    ),
    "a status that the history does not know": lambda b: set_(Refund, back().id, status="failed"),
}


@pytest.mark.parametrize("name", sorted(PLANTS))
def test_what_is_planted_is_found(books: dict[str, Sale], name: str) -> None:
    PLANTS[name](books)
    assert audit_payments() != []


def test_good_books_stay_good_with_time(books: dict[str, Sale]) -> None:
    for days in (1, 30):
        in_background(now=utcnow() + timedelta(days=days))
    settlement.ask(books["paid"].attempt, now=utcnow() + timedelta(days=31))
    assert audit_payments() == []


def test_a_paid_order_that_is_not_granted_after_ten_minutes_is_found(
    world: World, sale: Sale, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(payload: dict[str, str], now: datetime) -> None:
        raise RuntimeError("not now")

    monkeypatch.setitem(outbox._subscribers["order.paid"], "enrol.paid", fail)
    scan(world, show_code(sale))
    in_background(now=utcnow() + timedelta(minutes=1))
    assert (sale.order.status, sale.granted) == ("paid", False)
    soon, late = utcnow() + timedelta(minutes=10), utcnow() + timedelta(minutes=12)
    assert audit_payments(soon) == []
    assert audit_payments(late) == [f"order {sale.order_id} is paid and not granted"]
    monkeypatch.undo()
    in_background(now=late)
    assert sale.granted
    assert audit_payments(late) == []
