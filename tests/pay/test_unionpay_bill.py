"""UnionPay's file of a day of settlement."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from datetime import date, datetime, timedelta

import pytest

from app.core.clock import SHANGHAI, shanghai, utcnow
from app.pay.providers import unionpay_bill
from app.pay.providers.protocol import Unknown
from app.pay.providers.unionpay import UnionPayProvider
from sandbox import unionpay_bill as sandbox_bill
from sandbox.keys import Acquired
from tests.pay.till import (
    trouble,
)
from tests.pay.unionpay_side import a_paid_one, a_provider, a_refund_of
from tests.world import World


@pytest.fixture
def provider(world: World) -> UnionPayProvider:
    return a_provider(world)


@pytest.fixture
def merchant(world: World) -> Acquired:
    (one,) = world.sandbox.box.acquired.values()
    return one


def the_next_day(world: World, moment: datetime) -> date:
    """The day of settlement of a moment (it ends at 23:00), of which the file is there now."""
    day = shanghai(moment + timedelta(hours=1)).date()
    ready = datetime(day.year, day.month, day.day, 11, tzinfo=SHANGHAI) + timedelta(days=1)
    world.sandbox.box.clock.offset = (ready - utcnow()).total_seconds()
    return day


def test_a_refund_names_its_payment_by_our_number(world: World, provider: UnionPayProvider) -> None:
    paid = a_paid_one(world, provider, amount_fen=12_345)
    refund = a_refund_of(provider, paid, amount_fen=345)
    provider.refund(refund)
    found = {line.number: line for line in provider.bill(the_next_day(world, utcnow()))}
    payment, back = found[paid.out_trade_no], found[refund.out_refund_no]
    assert (payment.kind, payment.amount_fen, payment.provider_number) == ("payment", 12_345, refund.transaction_id)
    assert (back.kind, back.amount_fen, back.payment) == ("refund", 345, paid.out_trade_no)


def test_a_refund_of_another_days_payment_names_none(merchant: Acquired) -> None:
    row = {
        "orderId": "R6AVCJ4RJRPYZPQJF",
        "txnAmt": "345",
        "query_id": "202611250000000000002",
        "origQryId": "202611240000000000001",
        "made": datetime(2026, 11, 25, 12, tzinfo=SHANGHAI).timestamp(),
        "mer_id": merchant.mer_id,
    }
    content = a_file(("INN26112588ZM_1", sandbox_bill._line("refund", row)))
    (line,) = unionpay_bill.lines(content, merchant.mer_id, date(2026, 11, 25))
    assert (line.number, line.payment, line.amount_fen) == (row["orderId"], "", 345)


@pytest.mark.parametrize(
    ("at", "day", "moment"),
    [
        ("1231231500", date(2027, 1, 1), datetime(2026, 12, 31, 23, 15, tzinfo=SHANGHAI)),
        ("0101000000", date(2027, 1, 1), datetime(2027, 1, 1, tzinfo=SHANGHAI)),
        ("0228235959", date(2028, 2, 29), datetime(2028, 2, 28, 23, 59, 59, tzinfo=SHANGHAI)),
    ],
)
def test_the_year_is_that_of_the_day_of_settlement(at: str, day: date, moment: datetime) -> None:
    assert unionpay_bill._moment(at, day) == moment


@pytest.mark.parametrize(("at", "day"), [("0601000000", date(2026, 11, 25)), ("1332000000", date(2026, 11, 25))])
def test_a_line_of_another_time_is_of_another_file(at: str, day: date) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 of any kind
        unionpay_bill._moment(at, day)


def test_a_file_that_is_refused_is_no_answer(world: World, provider: UnionPayProvider) -> None:
    trouble(world, "file", "error", "32", provider="unionpay")
    with pytest.raises(Unknown, match="32"):
        provider.bill(date(2026, 2, 28))


def test_the_file_of_another_day_is_no_answer(world: World, provider: UnionPayProvider) -> None:
    a_paid_one(world, provider)
    day = the_next_day(world, utcnow())
    trouble(world, "file", "alter", {"settleDate": "0101"}, provider="unionpay")
    with pytest.raises(Unknown):
        provider.bill(day)


def a_file(*entries: tuple[str, bytes]) -> str:
    """`fileContent` of a ZIP of these."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in entries:
            archive.writestr(name, text)
    return base64.b64encode(zlib.compress(packed.getvalue())).decode()


@pytest.mark.parametrize(
    "content",
    [
        "",
        "!",
        base64.b64encode(b"not deflated").decode(),
        base64.b64encode(zlib.compress(b"not a ZIP")).decode(),
        a_file(("INN2611258" + "8ZM_802600000000001", b"S22 short")),
        a_file(("INN26112588ZM_802600000000001", b"x" * 700)),
    ],
    ids=["empty", "not base64", "not deflated", "not a ZIP", "short", "another shape"],
)
def test_a_file_of_another_shape_is_not_half_read(world: World, provider: UnionPayProvider, content: str) -> None:
    a_paid_one(world, provider)
    day = the_next_day(world, utcnow())
    trouble(world, "file", "alter", {"fileContent": content}, provider="unionpay")
    with pytest.raises(Unknown):
        provider.bill(day)


def test_a_file_that_would_unpack_without_end_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unionpay_bill, "LARGEST", 50_000)
    inside = a_file(("INN26112588ZM_802600000000001", b" " * 100_000))
    outside = base64.b64encode(zlib.compress(b"\0" * 100_000)).decode()
    for content in (inside, outside):
        with pytest.raises(Unknown, match="too long"):
            unionpay_bill.lines(content, "802600000000001", date(2026, 11, 25))
