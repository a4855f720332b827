"""What the bill of every payment channel must be. A new channel joins with its rig (test_payment_providers.py)."""

from __future__ import annotations

import gzip
import io
import re
import tracemalloc
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest

from app.core.clock import SHANGHAI, shanghai, utcnow
from app.core.ids import new_id
from app.pay.providers import alipay_bill, wechatpay_bill
from app.pay.providers.alipay import AlipayProvider
from app.pay.providers.protocol import BillLine, NoBill, PaymentRequest, Unknown
from sandbox import alipay_bill as alipay_sandbox
from sandbox.wechatpay_bill import HEADER, TOTALS
from tests.contracts.test_payment_providers import RIGS, Rig, a_paid_one, a_refund_of, a_request, an_open_one
from tests.world import World


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return RIGS[request.param](world, monkeypatch)


def seconds_until(day: date, hour: int) -> float:
    """From now to this hour of that day, on Shanghai's clock."""
    return (datetime(day.year, day.month, day.day, hour, tzinfo=SHANGHAI) - utcnow()).total_seconds()


def the_next_morning(rig: Rig, request: PaymentRequest) -> date:
    """It is eleven o'clock of the day after this payment; gives the day in whose bill it stands."""
    paid_at = rig.provider.query(request.out_trade_no).paid_at
    assert paid_at is not None
    day = rig.bill_day(paid_at)
    rig.pass_time(seconds_until(day + timedelta(days=1), 11))
    return day


def lines_of(rig: Rig, day: date, *requests: PaymentRequest) -> list[BillLine]:
    """The lines about these payments."""
    numbers = {request.out_trade_no for request in requests}
    return [line for line in rig.provider.bill(day) if line.payment in numbers]


def test_a_bill_holds_each_payment_of_its_day_exactly(rig: Rig) -> None:
    requests = [a_request(rig, amount_fen=amount) for amount in (1, 7, 1001, 100_000_10)]
    for request in requests:
        rig.pay(an_open_one(rig, request))
    day = the_next_morning(rig, requests[0])
    found = {line.number: line for line in lines_of(rig, day, *requests)}
    assert found.keys() == {request.out_trade_no for request in requests}
    for request in requests:
        line, truth = found[request.out_trade_no], rig.provider.query(request.out_trade_no)
        assert (line.kind, line.amount_fen, line.status) == ("payment", request.amount_fen, "succeeded")
        assert line.provider_number == truth.transaction_id
        assert truth.paid_at is not None
        assert abs((line.at - truth.paid_at).total_seconds()) <= 1


def test_a_bill_holds_each_part_that_went_back_under_our_number(rig: Rig) -> None:
    request = a_paid_one(rig)
    parts = [replace(a_refund_of(rig, request), amount_fen=amount) for amount in (1, 250)]
    for part in parts:
        rig.provider.refund(part)
    day = the_next_morning(rig, request)
    lines = lines_of(rig, day, request)
    back = {line.number: line.amount_fen for line in lines if line.kind == "refund"}
    assert back == {part.out_refund_no: part.amount_fen for part in parts}
    assert {line.kind for line in lines} == {"payment", "refund"}


def test_a_title_with_commas_and_quotes_is_a_title(rig: Rig) -> None:
    request = a_request(rig, title='塔机司机,继续教育,"A","`B"')
    rig.pay(an_open_one(rig, request))
    assert len(lines_of(rig, the_next_morning(rig, request), request)) == 1


def test_what_was_not_paid_is_in_no_bill(rig: Rig) -> None:
    paid, open_ = a_paid_one(rig), a_request(rig)
    an_open_one(rig, open_)
    assert lines_of(rig, the_next_morning(rig, paid), open_) == []


def test_the_bill_of_a_day_that_is_not_over_is_not_there(rig: Rig) -> None:
    a_paid_one(rig)
    with pytest.raises((NoBill, Unknown)):  # WeChat Pay says that it is being made: nobody knows yet
        rig.provider.bill(shanghai(utcnow()).date())


def test_a_day_on_which_nothing_happened_has_no_bill_or_an_empty_one(rig: Rig) -> None:
    long_ago = shanghai(utcnow()).date() - timedelta(days=5)
    with suppress(NoBill):
        assert list(rig.provider.bill(long_ago)) == []


@pytest.mark.parametrize("kind", ["error", "garbage", "reset", "reset_after"])
@pytest.mark.parametrize("call", ["bill", "bill_file"])
def test_a_bill_that_cannot_be_trusted_is_none(world: World, rig: Rig, call: str, kind: str) -> None:
    day = the_next_morning(rig, a_paid_one(rig))
    rig.trouble(call, kind, 500 if kind == "error" else None)
    with pytest.raises(Unknown):
        list(rig.provider.bill(day))
    world.sandbox.box.knobs.clear()
    assert list(rig.provider.bill(day))  # and afterwards all is well


# --- WeChat Pay's form ---------------------------------------------------------------------------------------------


def a_wechat_bill(*rows: list[str], totals: list[str]) -> str:
    """The text of a bill."""
    cells = [",".join(f"`{cell}" for cell in row) for row in [*rows]]
    return "\n".join([HEADER, *cells, TOTALS, ",".join(f"`{cell}" for cell in totals), ""])


def a_wechat_row(number: int, **values: str) -> list[str]:
    """A payment of 200.00 yuan."""
    row = dict.fromkeys(HEADER.split(","), "")
    row |= {
        "交易时间": "2026-03-01 23:59:59",
        "商户号": "16",
        "微信订单号": f"42{number}",
        "商户订单号": f"T{number}",
        "交易状态": "SUCCESS",
        "货币种类": "CNY",
        "订单金额": "200.00",
        "申请退款金额": "0.00",
    }
    return list((row | values).values())


def read_wechat(text: str) -> list[BillLine]:
    return [wechatpay_bill.line_of(row) for row in wechatpay_bill.rows(io.StringIO(text), "16")]


TOTAL_OF_ONE = ["1", "200.00", "0.00", "0.00", "1.20", "200.00", "0.00"]


def test_the_last_second_of_a_day_is_shanghais() -> None:
    (line,) = read_wechat(a_wechat_bill(a_wechat_row(1), totals=TOTAL_OF_ONE))
    assert line.at == datetime(2026, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    "text",
    [
        a_wechat_bill(a_wechat_row(1), totals=["2", *TOTAL_OF_ONE[1:]]),
        a_wechat_bill(a_wechat_row(1), totals=[*TOTAL_OF_ONE[:5], "200.01", "0.00"]),
        a_wechat_bill(a_wechat_row(1), totals=TOTAL_OF_ONE).partition(TOTALS)[0],
        a_wechat_bill(a_wechat_row(1, 商户号="17"), totals=TOTAL_OF_ONE),
        a_wechat_bill(a_wechat_row(1, 货币种类="USD"), totals=TOTAL_OF_ONE),
        a_wechat_bill(a_wechat_row(1)[:-1], totals=TOTAL_OF_ONE),
        a_wechat_bill(a_wechat_row(1, 申请退款金额="-1.00"), totals=TOTAL_OF_ONE),
        "",
        "<html>",
    ],
)
def test_a_bill_that_is_not_complete_is_refused(text: str) -> None:
    with pytest.raises((Unknown, ValueError)):
        read_wechat(text)


def test_a_bill_with_another_hash_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = RIGS["wechat_native"](world, monkeypatch)
    day = the_next_morning(rig, a_paid_one(rig))
    rig.trouble("bill", "alter", {"hash_value": "0" * 40})
    with pytest.raises(Unknown):
        rig.provider.bill(day)


@pytest.mark.parametrize(("channel", "name"), [("wechat_native", "download_url"), ("alipay_qr", "bill_download_url")])
def test_a_bill_from_another_host_is_refused(
    world: World, monkeypatch: pytest.MonkeyPatch, channel: str, name: str
) -> None:
    rig = RIGS[channel](world, monkeypatch)
    day = the_next_morning(rig, a_paid_one(rig))
    for url in ("http://127.0.0.1:9/v3/billdownload/file", "https://alipay.com.example.net/x", ""):
        rig.trouble("bill", "alter", {name: url})
        with pytest.raises(Unknown):
            rig.provider.bill(day)


def test_a_link_of_alipays_is_never_followed_in_the_clear(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = RIGS["alipay_qr"](world, monkeypatch).provider
    assert isinstance(provider, AlipayProvider)
    link = "http://dwbillcenter.alipay.com/downloadBillFile.resource?fileId=1"
    assert provider._bill_url(link) == "https" + link.removeprefix("http")


@pytest.mark.slow
def test_a_hundred_thousand_lines_take_little_memory() -> None:
    count = 100_000

    def lines() -> Iterator[str]:
        yield HEADER + "\n"
        for number in range(count):
            yield ",".join(f"`{cell}" for cell in a_wechat_row(number)) + "\n"
        yield TOTALS + "\n"
        yield f"`{count},`0,`0.00,`0.00,`0,`{count * 200}.00,`0.00\n"

    packed = io.BytesIO()
    with gzip.open(packed, "wt", encoding="utf-8") as file:
        file.writelines(lines())
    packed.seek(0)
    tracemalloc.start()
    read = wechatpay_bill.rows(io.TextIOWrapper(gzip.GzipFile(fileobj=packed), "utf-8"), "16")
    assert sum(wechatpay_bill.line_of(row).amount_fen for row in read) == count * 20000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2 * 1024 * 1024


# --- Alipay's form -------------------------------------------------------------------------------------------------

ALIPAY_ROW = (
    "2026030122001\t,T1\t,{kind}\t,塔机司机 䶮,2026-03-01 23:59:50,2026-03-01 23:59:59,\t,\t,\t,\t,*三\t,"
    "{yuan},{yuan},0.00,0.00,0.00,0.00,0.00,,0.00\t,0.00,R1\t,0.00,0.00,"
)


def read_alipay(rows: list[str], payments: int, refunds: int = 0, name: str = "2088_业务明细.csv") -> list[BillLine]:
    """The lines of a bill whose end counts so many payments and refunds."""
    end = [f"#交易合计：{payments}笔，商家实收共0.00元", f"#退款合计：{refunds}笔，商家实收退款共0.00元"]
    text = "\n".join(["#支付宝业务明细查询", alipay_sandbox.HEADER, *rows, *end, ""])
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(name, text.encode("gb18030"))
        archive.writestr("2088_业务明细(汇总).csv", b"#")
    return [alipay_bill.line_of(row) for row in alipay_bill.rows(alipay_bill.open_details(packed))]


def test_alipays_tabs_signs_and_rare_characters_are_read() -> None:
    rows = [ALIPAY_ROW.format(kind="交易", yuan="0.30"), ALIPAY_ROW.format(kind="退款", yuan="-0.07")]
    payment, refund = read_alipay(rows, 1, 1)
    at = datetime(2026, 3, 1, 23, 59, 59, tzinfo=SHANGHAI)
    assert payment == BillLine("payment", "T1", "T1", "2026030122001", 30, at)
    assert refund == BillLine("refund", "R1", "T1", "2026030122001", 7, at)


def test_an_alipay_bill_that_is_not_complete_is_refused() -> None:
    good = ALIPAY_ROW.format(kind="交易", yuan="0.30")
    assert len(read_alipay([good], 1)) == 1
    for rows, payments in (([good], 2), ([good], 0), ([good + ",x"], 1)):
        with pytest.raises(Unknown):
            read_alipay(rows, payments)
    for yuan in ("-0.30", "0.301", "nan", "x"):
        with pytest.raises(ValueError, match=re.escape(yuan)):
            read_alipay([ALIPAY_ROW.format(kind="交易", yuan=yuan)], 1)
    with pytest.raises(Unknown):
        read_alipay([good], 1, name="readme.txt")


def test_every_bill_numbers_its_own_payments(rig: Rig) -> None:
    request = a_paid_one(rig)
    other = f"{new_id()}xx".upper()
    day = the_next_morning(rig, request)
    assert other not in {line.number for line in rig.provider.bill(day)}
