"""A bill of a hundred thousand lines: in bounded memory, no job longer than it may be."""

from __future__ import annotations

import datetime as dt
import resource
import time
from collections.abc import Iterator
from datetime import date, datetime, timedelta

import pytest

from app.core.clock import utcnow
from app.core.db import transaction
from app.core.ids import new_id
from app.core.queue import JOB_SECONDS
from app.pay.models import PaymentAttempt
from app.pay.providers.protocol import BillLine
from app.pay.providers.wechatpay import WeChatPayProvider
from app.pay.reconciliation import service
from app.pay.reconciliation.bills import chunks
from app.pay.reconciliation.models import Bill, BillRow, Difference
from app.policy.days import on_clock, shanghai_day
from tests.world import World

COUNT = 100_000


def payments(count: int, at: datetime) -> Iterator[dict[str, object]]:
    """Rows of payments that were kept."""
    for number in range(count):
        yield {
            "id": new_id(),
            "order_id": new_id(),
            "channel": "wechat_native",
            "authority": "yunnan.wechatpay",
            "out_trade_no": f"T{number}",
            "status": "paid",
            "amount_fen": 20000,
            "captured_fen": 20000,
            "transaction_id": f"42{number}",
            "created_at": at,
            "paid_at": at,
        }


@pytest.mark.slow
def test_a_hundred_thousand_lines_balance_and_no_job_takes_too_long(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = shanghai_day(utcnow()) - timedelta(days=1)
    at = on_clock(day, dt.time(12))
    for chunk in chunks(payments(COUNT, at)):
        with transaction():
            PaymentAttempt.insert_many(chunk).execute()

    def bill(_: WeChatPayProvider, asked: date) -> Iterator[BillLine]:
        assert asked == day
        return (BillLine("payment", f"T{n}", f"T{n}", f"42{n}", 20000, at) for n in range(COUNT))

    monkeypatch.setattr(WeChatPayProvider, "bill", bill)
    before, longest = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, 0.0
    for minutes in range(0, 60, 5):
        began = time.monotonic()
        service.reconcile(now=on_clock(day + timedelta(days=1), dt.time(11)) + timedelta(minutes=minutes))
        longest = max(longest, time.monotonic() - began)
    kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    row = Bill.get()
    assert (row.status, row.lines, row.paid_fen) == ("balanced", COUNT, COUNT * 20000)
    assert BillRow.select().count() == COUNT
    assert not Difference.select().exists()
    assert longest < JOB_SECONDS
    assert kilobytes < 64 * 1024
