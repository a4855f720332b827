"""What every payment channel must do. A new channel joins by one line in `RIGS`."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256

from app.core import outgoing
from app.core.clock import shanghai, utcnow
from app.core.ids import new_id
from app.pay import providers
from app.pay.channels import ONLINE
from app.pay.providers.protocol import (
    AlreadyPaid,
    Forged,
    JsapiCall,
    PayBy,
    PaymentProvider,
    PaymentRequest,
    RefundRequest,
    Unknown,
    Way,
)
from tests.pay import alipay_side, unionpay_side
from tests.pay.till import code_of, letter, lose_letters, platform_refunds, refund_letter, scan, trouble
from tests.world import World

Letter = tuple[Mapping[str, str], bytes]
CALLS = ("create", "query", "close", "refund", "query_refund")


class Rig(Protocol):
    """One channel on its stand: the client under test, and the provider's side of it. `calls_to_create`: whether
    making a payment takes a call; `can_close`: whether the provider can be told to take no more money. `while_open`:
    what it says of a payment that the payer has before them. `signed_headers`: whether the signature is in a letter's
    headers; `dated`: whether a letter says when it was sent, and has an id."""

    provider: PaymentProvider
    way: Way
    payer: str | None
    suffix: str
    calls_to_create: bool
    can_close: bool
    while_open: str
    signed_headers: bool
    dated: bool

    def open(self, pay_by: PayBy) -> str:
        """The phone opens what the client shows, and does not pay yet; gives what it would pay."""

    def pay(self, code: str) -> None:
        """The phone pays."""

    def trouble(self, call: str, kind: str, value: Any = None) -> None:
        """The next `call` of the client meets trouble."""

    def pass_time(self, seconds: float) -> None:
        """The provider's clock goes on."""

    def bill_day(self, moment: datetime) -> date:
        """The day in whose bill a payment of this moment stands."""

    def hurry(self) -> None:
        """The client waits for tenths of seconds instead of seconds."""

    def calls(self) -> int:
        """How often the provider was called."""

    def refunds(self, out_trade_no: str) -> int:
        """How many refunds of a payment the provider has made."""

    def payment_letter(self, out_trade_no: str, **trouble: Any) -> Letter:
        """A notification of a payment; `trouble`: forged, stale (seconds)."""

    def refund_letter(self, out_refund_no: str) -> Letter:
        """A notification of a refund."""


class Stand:
    """What the stands of all providers have in common."""

    kind: str
    way: Way
    payer: str | None = None
    suffix = "xx"
    calls_to_create = True
    can_close = True
    while_open = "unpaid"
    dated = True
    operations: Mapping[str, str] = {}

    def __init__(self, world: World, monkeypatch: pytest.MonkeyPatch):
        self.world, self._monkeypatch = world, monkeypatch
        self.provider = providers.provider(self.kind, f"yunnan.{self.kind}")
        lose_letters(world)
        monkeypatch.setattr(world.sandbox.box, "refund_seconds", 0.0)

    def trouble(self, call: str, kind: str, value: Any = None) -> None:
        trouble(self.world, self.operations.get(call, call), kind, value, provider=self.kind)

    def pass_time(self, seconds: float) -> None:
        self.world.sandbox.box.clock.offset += seconds

    def bill_day(self, moment: datetime) -> date:
        return shanghai(moment).date()

    def hurry(self) -> None:
        self._monkeypatch.setattr(outgoing, "TIMEOUT", (0.3, 0.3))

    def calls(self) -> int:
        return self.world.sandbox.box.journal.count(self.kind)


class WeChatPayRig(Stand):
    """WeChat Pay Native in the sandbox."""

    kind, signed_headers = "wechatpay", True
    way: Way = "qr"
    operations: Mapping[str, str] = {"create": "native"}

    def open(self, pay_by: PayBy) -> str:
        return code_of(pay_by)

    def pay(self, code: str) -> None:
        scan(self.world, code)

    def refunds(self, out_trade_no: str) -> int:
        return sum(record["out_trade_no"] == out_trade_no for record in platform_refunds(self.world))

    def payment_letter(self, out_trade_no: str, **trouble: Any) -> Letter:
        return letter(self.world, out_trade_no, **trouble)

    def refund_letter(self, out_refund_no: str) -> Letter:
        found = refund_letter(self.world, out_refund_no)
        assert found is not None
        return found


class JsapiRig(WeChatPayRig):
    """WeChat Pay inside of the mini-program: the phone checks the merchant's signature before it pays."""

    way: Way = "jsapi"
    payer: str | None = "oPayerOfThisOrder0000000001"
    operations: Mapping[str, str] = {"create": "jsapi"}

    def open(self, pay_by: PayBy) -> str:
        assert isinstance(pay_by, JsapiCall)
        (merchant,) = self.world.sandbox.box.merchants.values()
        text = f"{pay_by.app_id}\n{pay_by.time_stamp}\n{pay_by.nonce_str}\n{pay_by.package}\n"
        merchant.public_key.verify(base64.b64decode(pay_by.pay_sign), text.encode(), PKCS1v15(), SHA256())
        assert (pay_by.app_id, pay_by.sign_type) == (merchant.appid, "RSA")
        return code_of(pay_by)


class AlipayRig(Stand):
    """Alipay's QR code in the sandbox: a scan makes the trade."""

    kind, signed_headers = "alipay", False
    way: Way = "qr"
    operations: Mapping[str, str] = {"create": "precreate"}

    def open(self, pay_by: PayBy) -> str:
        code = code_of(pay_by)
        answer = requests.post(f"{self.world.sandbox.url}/_control/alipay/scan", json={"code": code}, timeout=10)
        answer.raise_for_status()
        return code

    def pay(self, code: str) -> None:
        body = {"code" if code.startswith("https://") else "out_trade_no": code}
        requests.post(f"{self.world.sandbox.url}/_control/alipay/pay", json=body, timeout=10).raise_for_status()

    def refunds(self, out_trade_no: str) -> int:
        return len(alipay_side.refunds(self.world, out_trade_no))

    def payment_letter(self, out_trade_no: str, **trouble: Any) -> Letter:
        return alipay_side.letter(self.world, out_trade_no, **trouble)

    def refund_letter(self, out_refund_no: str) -> Letter:
        found = alipay_side.refund_letter(self.world, out_refund_no)
        assert found is not None
        return found


class AlipayWapRig(AlipayRig):
    """Alipay's page in a phone's browser: opening it makes the trade."""

    way: Way = "wap"
    calls_to_create = False

    def open(self, pay_by: PayBy) -> str:
        return code_of(pay_by)


class UnionPayRig(Stand):
    """UnionPay's bank page in the sandbox: a browser comes with the form. Nobody closes; payTimeout does."""

    kind, signed_headers = "unionpay", False
    operations: Mapping[str, str] = {"bill": "file", "bill_file": "file"}
    way: Way = "form"
    suffix = "ub"
    calls_to_create = False
    can_close = False
    while_open = "absent"
    dated = False

    def open(self, pay_by: PayBy) -> str:
        return code_of(pay_by)

    def pay(self, code: str) -> None:
        scan(self.world, code)

    def bill_day(self, moment: datetime) -> date:
        return shanghai(moment + timedelta(hours=1)).date()  # its day ends at 23:00

    def refunds(self, out_trade_no: str) -> int:
        return len(unionpay_side.refunds(self.world, out_trade_no))

    def payment_letter(self, out_trade_no: str, **trouble: Any) -> Letter:
        return unionpay_side.letter(self.world, out_trade_no, **trouble)

    def refund_letter(self, out_refund_no: str) -> Letter:
        found = unionpay_side.refund_letter(self.world, out_refund_no)
        assert found is not None
        return found


RIGS: dict[str, Callable[[World, pytest.MonkeyPatch], Rig]] = {
    "wechat_native": WeChatPayRig,
    "wechat_jsapi": JsapiRig,
    "alipay_qr": AlipayRig,
    "alipay_wap": AlipayWapRig,
    "unionpay_b2c": UnionPayRig,
}


def test_every_channel_has_a_rig() -> None:
    assert RIGS.keys() == ONLINE.keys()


@pytest.fixture(params=sorted(RIGS))
def rig(request: pytest.FixtureRequest, world: World, monkeypatch: pytest.MonkeyPatch) -> Rig:
    return RIGS[request.param](world, monkeypatch)


def a_request(rig: Rig, **values: Any) -> PaymentRequest:
    """200.00 yuan, to be paid within half an hour."""
    request = PaymentRequest(
        way=rig.way,
        out_trade_no=f"{new_id()}{rig.suffix}".upper(),
        title="塔式起重机司机继续教育",
        amount_fen=20000,
        expires_at=utcnow() + timedelta(minutes=30),
        notify_url="http://127.0.0.1:9/api/v1/callbacks/x/y",
        return_url="http://127.0.0.1:9/",
        payer=rig.payer,
    )
    return replace(request, **values)


def a_refund_of(rig: Rig, request: PaymentRequest) -> RefundRequest:
    """All of it back."""
    return RefundRequest(
        out_refund_no=f"R{new_id().upper()}",
        out_trade_no=request.out_trade_no,
        amount_fen=request.amount_fen,
        total_fen=request.amount_fen,
        reason="重复支付，款项原路退回",
        notify_url=request.notify_url,
        transaction_id=rig.provider.query(request.out_trade_no).transaction_id,
    )


def an_open_one(rig: Rig, request: PaymentRequest) -> str:
    """What the phone has before it, and would pay."""
    return rig.open(rig.provider.create(request))


def a_paid_one(rig: Rig) -> PaymentRequest:
    request = a_request(rig)
    rig.pay(an_open_one(rig, request))
    return request


# --- payments ------------------------------------------------------------------------------------------------------


def test_an_open_payment_is_unpaid(rig: Rig) -> None:
    request = a_request(rig)
    pay_by = rig.provider.create(request)
    assert rig.provider.query(request.out_trade_no).state in ("unpaid", "absent")  # nobody has scanned it yet
    rig.open(pay_by)
    assert rig.provider.query(request.out_trade_no).state == rig.while_open


def test_the_same_payment_again_can_still_be_paid_once(rig: Rig) -> None:
    request = a_request(rig)
    first, second = an_open_one(rig, request), an_open_one(rig, request)
    rig.pay(second)
    with pytest.raises(requests.HTTPError):
        rig.pay(first)


def test_a_paid_payment_says_what_was_paid_and_when(rig: Rig) -> None:
    request = a_paid_one(rig)
    truth = rig.provider.query(request.out_trade_no)
    assert (truth.state, truth.out_trade_no) == ("paid", request.out_trade_no)
    assert (truth.amount_fen, truth.currency, truth.ours) == (20000, "CNY", True)
    assert truth.transaction_id
    assert truth.paid_at is not None
    assert abs((truth.paid_at - utcnow()).total_seconds()) < 60


def test_a_payment_that_never_was_is_absent(rig: Rig) -> None:
    assert rig.provider.query(f"{new_id()}xx".upper()).state == "absent"


def test_a_closed_payment_takes_no_money(rig: Rig) -> None:
    if not rig.can_close:
        pytest.skip("its last moment ends it: test_money_is_taken_until_the_last_moment_and_not_after")
    request = a_request(rig)
    code = an_open_one(rig, request)
    rig.provider.close(request.out_trade_no)
    assert rig.provider.query(request.out_trade_no).state == "closed"
    with pytest.raises(requests.HTTPError):
        rig.pay(code)


def test_closing_twice_or_what_never_was_is_no_error(rig: Rig) -> None:
    request = a_request(rig)
    an_open_one(rig, request)
    rig.provider.close(request.out_trade_no)
    rig.provider.close(request.out_trade_no)
    rig.provider.close(f"{new_id()}xx".upper())


def test_a_paid_payment_is_neither_closed_nor_paid_again(rig: Rig) -> None:
    request = a_paid_one(rig)
    if rig.can_close:
        with pytest.raises(AlreadyPaid):
            rig.provider.close(request.out_trade_no)
    else:
        rig.provider.close(request.out_trade_no)
    if rig.calls_to_create:
        with pytest.raises(AlreadyPaid):
            rig.provider.create(request)
    else:
        with pytest.raises(requests.HTTPError):
            an_open_one(rig, request)
    assert rig.provider.query(request.out_trade_no).state == "paid"


def test_money_is_taken_until_the_last_moment_and_not_after(rig: Rig) -> None:
    in_time, late = an_open_one(rig, a_request(rig)), an_open_one(rig, a_request(rig))
    rig.pass_time(29 * 60)
    rig.pay(in_time)
    rig.pass_time(61)
    with pytest.raises(requests.HTTPError):
        rig.pay(late)


def test_amounts_are_exact_to_the_fen(rig: Rig) -> None:
    for amount in (1, 7, 29, 1001, 100_000_10):
        request = a_request(rig, amount_fen=amount)
        rig.pay(an_open_one(rig, request))
        assert rig.provider.query(request.out_trade_no).amount_fen == amount


def test_a_long_title_in_chinese_is_taken(rig: Rig) -> None:
    assert an_open_one(
        rig, a_request(rig, title="、".join(["建筑施工企业专职安全生产管理人员（C1/C2）继续教育 & 考试"] * 20))
    )


# --- refunds -------------------------------------------------------------------------------------------------------


def test_the_same_refund_again_is_the_same_refund(rig: Rig) -> None:
    request = a_paid_one(rig)
    refund = a_refund_of(rig, request)
    states = {rig.provider.refund(refund) for _ in range(3)} | {
        rig.provider.query_refund(refund.out_refund_no, request.out_trade_no)
    }
    assert states <= {"processing", "succeeded"}
    assert rig.provider.query_refund(refund.out_refund_no, request.out_trade_no) == "succeeded"
    assert rig.refunds(request.out_trade_no) == 1


def test_a_refund_that_never_was_is_absent(rig: Rig) -> None:
    request = a_paid_one(rig)
    assert rig.provider.query_refund(f"R{new_id().upper()}", request.out_trade_no) == "absent"


def test_a_refunded_payment_was_paid_all_the_same(rig: Rig) -> None:
    request = a_paid_one(rig)
    rig.provider.refund(a_refund_of(rig, request))
    assert rig.provider.query(request.out_trade_no).state == "paid"


def test_a_refund_whose_answer_was_lost_was_made_once(rig: Rig) -> None:
    request = a_paid_one(rig)
    refund = a_refund_of(rig, request)
    rig.trouble("refund", "reset_after")
    with pytest.raises(Unknown):
        rig.provider.refund(refund)
    rig.provider.refund(refund)
    assert rig.refunds(request.out_trade_no) == 1


# --- no trustworthy answer -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("hang", 2),
        ("error", 500),
        ("error", 503),
        ("garbage", None),
        ("reset", None),
        ("reset_after", None),
        ("forged", None),
        ("unsigned", None),
    ],
)
def test_what_cannot_be_trusted_is_unknown(rig: Rig, call: str, kind: str, value: Any) -> None:
    if (call == "create" and not rig.calls_to_create) or (call == "close" and not rig.can_close):
        pytest.skip("done without a call")
    request = a_paid_one(rig)
    refund = a_refund_of(rig, request)
    fresh = a_request(rig)
    an_open_one(rig, fresh)
    if call == "query_refund":
        rig.provider.refund(refund)
    rig.hurry()
    act: dict[str, Callable[[], object]] = {
        "create": lambda: rig.provider.create(a_request(rig)),
        "query": lambda: rig.provider.query(request.out_trade_no),
        "close": lambda: rig.provider.close(fresh.out_trade_no),
        "refund": lambda: rig.provider.refund(refund),
        "query_refund": lambda: rig.provider.query_refund(refund.out_refund_no, request.out_trade_no),
    }
    rig.trouble(call, kind, value)
    began = time.monotonic()
    with pytest.raises(Unknown):
        act[call]()
    assert time.monotonic() - began < 2
    act[call]()  # and afterwards all is well


# --- notifications -------------------------------------------------------------------------------------------------


def test_a_notification_names_the_payment_and_calls_nobody(rig: Rig) -> None:
    request = a_paid_one(rig)
    headers, body = rig.payment_letter(request.out_trade_no)
    calls = rig.calls()
    notification = rig.provider.verify_notification(headers, body, utcnow())
    assert (notification.kind, notification.number) == ("payment", request.out_trade_no)
    assert notification.external_id
    assert rig.calls() == calls


def test_a_notification_tells_the_same_as_the_question(rig: Rig) -> None:
    request = a_paid_one(rig)
    headers, body = rig.payment_letter(request.out_trade_no)
    told = rig.provider.verify_notification(headers, body, utcnow()).told
    assert told == rig.provider.query(request.out_trade_no)


def test_a_notification_of_a_refund_names_the_refund(rig: Rig) -> None:
    refund = a_refund_of(rig, a_paid_one(rig))
    rig.provider.refund(refund)
    headers, body = rig.refund_letter(refund.out_refund_no)
    notification = rig.provider.verify_notification(headers, body, utcnow())
    assert (notification.kind, notification.number) == ("refund", refund.out_refund_no)


def test_two_letters_have_two_ids_and_one_letter_keeps_its_id(rig: Rig) -> None:
    request = a_paid_one(rig)
    first, second = rig.payment_letter(request.out_trade_no), rig.payment_letter(request.out_trade_no)
    ids = [rig.provider.verify_notification(*sent, utcnow()).external_id for sent in (first, first, second)]
    assert ids[0] == ids[1]
    assert (ids[1] != ids[2]) == rig.dated  # else both letters are one statement


@pytest.mark.parametrize("trouble", [{"forged": None}, {"stale": 301}, {"stale": -302}], ids=str)
def test_a_letter_of_someone_else_or_of_another_time_is_forged(rig: Rig, trouble: dict[str, Any]) -> None:
    if "stale" in trouble and not rig.dated:
        pytest.skip("a letter does not say when it was sent")
    request = a_paid_one(rig)
    headers, body = rig.payment_letter(request.out_trade_no, **trouble)
    calls = rig.calls()
    with pytest.raises(Forged):
        rig.provider.verify_notification(headers, body, utcnow())
    assert rig.calls() == calls


@pytest.mark.parametrize("shift", [-302, 301])
def test_the_window_is_held_against_the_moment_that_is_given(rig: Rig, shift: int) -> None:
    headers, body = rig.payment_letter(a_paid_one(rig).out_trade_no)
    if not rig.dated:  # only its certificate has a time
        assert rig.provider.verify_notification(headers, body, utcnow() + timedelta(seconds=shift))
        return
    with pytest.raises(Forged):
        rig.provider.verify_notification(headers, body, utcnow() + timedelta(seconds=shift))


@pytest.mark.parametrize("body", [b"", b"{}", b"null", b"\xff", b"[1]"])
def test_a_body_that_was_not_signed_is_forged(rig: Rig, body: bytes) -> None:
    headers, _ = rig.payment_letter(a_paid_one(rig).out_trade_no)
    with pytest.raises(Forged):
        rig.provider.verify_notification(headers, body, datetime.now(UTC))


def test_without_headers_it_is_forged_where_they_are_signed(rig: Rig) -> None:
    if not rig.signed_headers:
        pytest.skip("the signature is in the body")
    _, body = rig.payment_letter(a_paid_one(rig).out_trade_no)
    with pytest.raises(Forged):
        rig.provider.verify_notification({}, body, utcnow())
