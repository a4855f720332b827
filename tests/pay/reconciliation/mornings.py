"""The morning after: the sandbox's clock and ours, and a bill that says something else."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from itertools import product

import pytest

from app.core.clock import utcnow
from app.pay.models import PaymentAttempt
from app.pay.reconciliation import service
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.policy.days import on_clock, shanghai_day
from sandbox import wechatpay
from sandbox.wechatpay_bill import HEADER, TOTALS, trade_bill
from tests.pay.till import Sale, a_sale, code_of, in_background, scan, start
from tests.world import World

Row = dict[str, str]


def a_new_platform(world: World) -> None:
    """The providers forget all payments and refunds, of earlier tests too: else they would stand in the bill."""
    for provider, kind in product(("wechatpay", "alipay", "unionpay"), ("order", "trade", "payment", "refund")):
        world.sandbox.box.store.clear(provider, kind)


def day_of(sale: Sale) -> date:
    """The day of its payment in Shanghai."""
    paid_at = sale.attempt.paid_at
    return shanghai_day(paid_at or sale.attempt.created_at)


def morning_after(world: World, day: date, clock: time = time(11)) -> datetime:
    """It is eleven o'clock (or `clock`) of the next day, at the provider too."""
    now = on_clock(day + timedelta(days=1), clock)
    world.sandbox.box.clock.offset = (now - utcnow()).total_seconds()
    return now


def paid(world: World, channel: str = "wechat_native") -> Sale:
    """A sale of 200.00 yuan that was paid and found."""
    sale = a_sale()
    scan(world, code_of(start(sale.order, channel).pay_by))
    in_background(now=utcnow() + timedelta(seconds=15))
    assert sale.order.status == "paid"
    return sale


def reconciled(world: World, day: date) -> dict[str, Bill]:
    """The bills of `day`, by kind, after the job has run on the next morning."""
    service.reconcile(now=morning_after(world, day))
    return {bill.kind: bill for bill in Bill.select().where(Bill.day == day.isoformat())}


def books() -> list[object]:
    """Everything that reconciliation has written, for "nothing has changed"."""
    return [row.__data__ for model in (Bill, BillRow, Difference) for row in model.select().order_by(model.id)]


def wechat_bill_says(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[list[Row]], list[Row]], day: date | None = None
) -> None:
    """From now on WeChat's bills (or that of `day`) have other rows, with totals that fit."""
    real = trade_bill

    def changed(store: object, merchant: object, asked: date) -> str:
        text = real(store, merchant, asked)  # type: ignore[arg-type]
        if day not in (None, asked):
            return text
        header, *rest = text.splitlines() or [HEADER]
        rows = [dict(zip(header.split(","), line[1:].split(",`"), strict=True)) for line in rest[:-2]]
        return write(header, change(rows))

    monkeypatch.setattr(wechatpay, "trade_bill", changed)


def write(header: str, rows: list[Row]) -> str:
    """The text of a bill with these rows."""

    def total(name: str) -> str:
        fen = sum(round(float(row[name]) * 100) for row in rows)
        return f"{fen // 100}.{fen % 100:02d}"

    lines = [",".join(f"`{row[name]}" for name in header.split(",")) for row in rows]
    sums = [str(len(rows)), "0.00", "0.00", "0.00", "0.00", total("订单金额"), total("申请退款金额")]
    return "\n".join([header, *lines, TOTALS, ",".join(f"`{value}" for value in sums), ""])


def attempt_of(sale: Sale, channel: str) -> PaymentAttempt:
    """The attempt by this channel."""
    row: PaymentAttempt = PaymentAttempt.get(
        PaymentAttempt.order_id == sale.order_id, PaymentAttempt.channel == channel
    )
    return row
