"""What is UnionPay's own: the time in our number, a payment that nobody can close, refunds under numbers of their
own, a form that a browser posts."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
import requests
from flask.testing import FlaskClient

from app.account.models import Person
from app.cases import service as cases
from app.core import inbox
from app.core.clock import SHANGHAI, shanghai, utcnow
from app.core.ids import made_at, new_id
from app.core.inbox import InboxMessage
from app.pay import channels, janitor, refunds, settlement
from app.pay.audit import audit_payments
from app.pay.models import Order, PaymentAttempt, Refund
from app.pay.providers import unionpay
from app.pay.providers.protocol import Form, Refused, Unknown
from app.pay.providers.unionpay import UnionPayProvider, sent_at
from tests.factories import a_person
from tests.pay import unionpay_side
from tests.pay.till import (
    UNIONPAY_CALLBACK,
    an_order,
    code_of,
    in_background,
    letter,
    post,
    refund_letter,
    scan,
    start,
    trouble,
)
from tests.pay.unionpay_side import a_number, a_paid_one, a_provider, a_refund_of, a_request
from tests.world import World


@pytest.fixture
def provider(world: World) -> UnionPayProvider:
    return a_provider(world)


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


def a_paid_attempt(world: World, person: Person) -> PaymentAttempt:
    """An order of 200.00 yuan that a card has paid, and we have not heard of it."""
    started = start(an_order(person), "unionpay_b2c")
    scan(world, code_of(started.pay_by))
    return started.attempt


def test_the_orders_time_stands_in_its_number(provider: UnionPayProvider) -> None:
    row_id = new_id()
    assert abs((made_at(row_id) - utcnow()).total_seconds()) < 1
    moment = datetime.strptime(sent_at(f"{row_id}UB".upper()), "%Y%m%d%H%M%S").replace(tzinfo=SHANGHAI)
    assert abs((moment - utcnow()).total_seconds()) < 2
    assert sent_at(f"R{row_id.upper()}") == sent_at(f"{row_id}ub")
    with pytest.raises(ValueError, match="not an id"):
        sent_at("SHORT")


def test_the_form_says_what_is_to_be_paid_until_when(provider: UnionPayProvider) -> None:
    request = a_request()
    form = provider.create(request)
    assert isinstance(form, Form)
    expected = {
        "version": "5.1.0",
        "txnType": "01",
        "bizType": "000201",
        "channelType": "07",
        "merId": provider.mer_id,
        "orderId": request.out_trade_no,
        "txnAmt": "20000",
        "currencyCode": "156",
        "payTimeout": shanghai(request.expires_at).strftime("%Y%m%d%H%M%S"),
        "frontUrl": request.return_url,
        "backUrl": request.notify_url,
    }
    assert {name: form.fields[name] for name in expected} == expected
    assert form.url.endswith("/gateway/api/frontTransReq.do")


@pytest.mark.parametrize("code", ["03", "04", "05", "83", "74", ""])
def test_what_is_still_being_done_is_neither_paid_nor_not(
    world: World, provider: UnionPayProvider, code: str
) -> None:
    request = a_paid_one(world, provider)
    trouble(world, "query", "alter", {"origRespCode": code}, provider="unionpay")
    with pytest.raises(Unknown, match="origRespCode"):
        provider.query(request.out_trade_no)
    assert provider.query(request.out_trade_no).state == "paid"


@pytest.mark.parametrize("code", ["02", "06", "10", "11", "31", "37", "99"])
def test_another_code_of_the_question_itself_is_no_answer(
    world: World, provider: UnionPayProvider, code: str
) -> None:
    trouble(world, "query", "error", code, provider="unionpay")
    with pytest.raises(Unknown, match=f"respCode {code}"):
        provider.query(a_number())


def test_done_with_a_flaw_is_done(world: World, provider: UnionPayProvider) -> None:
    request = a_paid_one(world, provider)
    trouble(world, "query", "alter", {"origRespCode": "A6"}, provider="unionpay")
    assert provider.query(request.out_trade_no).state == "paid"


def test_a_declined_card_is_no_payment_and_another_card_may_pay(world: World, provider: UnionPayProvider) -> None:
    request = a_request()
    number = code_of(provider.create(request))
    url = f"{world.sandbox.url}/_control/unionpay/pay"
    requests.post(url, json={"out_trade_no": number, "code": "64"}, timeout=5).raise_for_status()
    assert provider.query(number).state == "absent"
    scan(world, number)
    assert provider.query(number).state == "paid"


@pytest.mark.parametrize("change", [{"orderId": "6AAAAAAAAAAAAAAAUB"}, {"txnTime": "20200101000000"}])
def test_a_good_answer_to_another_question_is_none(
    world: World, provider: UnionPayProvider, change: dict[str, str]
) -> None:
    request = a_paid_one(world, provider)
    trouble(world, "query", "alter", change, provider="unionpay")
    with pytest.raises(Unknown, match="another question"):
        provider.query(request.out_trade_no)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"txnAmt": "19999"}, "amount"),
        ({"txnAmt": "２００００"}, "amount"),
        ({"currencyCode": "840"}, "currency"),
        ({"queryId": ""}, "transaction"),
    ],
)
def test_what_does_not_fit_grants_nothing_and_is_a_case(
    world: World, person: Person, change: dict[str, str], wrong: str
) -> None:
    attempt = a_paid_attempt(world, person)
    trouble(world, "query", "alter", change, provider="unionpay")
    settlement.ask(attempt, now=utcnow())
    assert PaymentAttempt.get().status == "disputed"
    assert Order.get().status == "pending"
    assert settlement.mismatch(attempt, truth_of(attempt, change)) == wrong
    assert audit_payments() == []


def truth_of(attempt: PaymentAttempt, change: dict[str, str]) -> Any:
    """What the client makes of a paid answer with this change."""
    client = channels.provider_of(attempt)
    assert isinstance(client, UnionPayProvider)
    said = {
        "orderId": attempt.out_trade_no,
        "txnAmt": "20000",
        "currencyCode": "156",
        "queryId": "202611250000000000001",
        "merId": client.mer_id,
    }
    return client._paid(said | change)


def test_the_year_of_a_payment_is_the_orders_or_the_next() -> None:
    assert unionpay._moment("20261231235950", "0101000010") == datetime(2027, 1, 1, 0, 0, 10, tzinfo=SHANGHAI)
    assert unionpay._moment("20260601120000", "0601121500") == datetime(2026, 6, 1, 12, 15, tzinfo=SHANGHAI)
    assert unionpay._moment("20260601120000", "0601115959") == datetime(2026, 6, 1, 11, 59, 59, tzinfo=SHANGHAI)
    assert unionpay._moment("", "") is unionpay._moment("20260601120000", "9999999999") is None


def test_an_order_that_nobody_paid_closes_when_its_time_is_over(world: World, person: Person) -> None:
    order = an_order(person)
    code_of(start(order, "unionpay_b2c").pay_by)
    world.sandbox.box.clock.offset = 31 * 60
    assert janitor.expire_orders(now=utcnow() + timedelta(minutes=31)) == 1
    assert PaymentAttempt.get().status == "closed"
    with pytest.raises(requests.HTTPError):  # payTimeout is the order's own end
        scan(world, PaymentAttempt.get().out_trade_no)
    assert audit_payments() == []


def test_an_order_whose_card_is_being_charged_stays_closing_until_that_is_known(world: World, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    end = utcnow() + timedelta(minutes=31)
    trouble(world, "query", "alter", {"origRespCode": "05"}, provider="unionpay")
    assert janitor.expire_orders(now=end) == 0
    assert Order.get().status == "closing"
    janitor.expire_orders(now=end + timedelta(seconds=10))
    assert (Order.get().status, PaymentAttempt.get_by_id(attempt.id).status) == ("paid", "paid")
    assert audit_payments() == []


def test_money_that_comes_after_the_end_goes_back_under_a_number_of_its_own(world: World, person: Person) -> None:
    started = start(an_order(person), "unionpay_b2c")
    number = code_of(started.pay_by)
    janitor.expire_orders(now=utcnow() + timedelta(minutes=31))
    scan(world, number, late=True)
    assert post(world, unionpay_side.letter(world, number)) == 204
    inbox.sweep(now=utcnow())
    in_background(now=utcnow() + timedelta(minutes=1))
    in_background(now=utcnow() + timedelta(minutes=2))
    (refund,) = Refund.select()
    (made,) = unionpay_side.refunds(world, number)
    assert (refund.reason, refund.status) == ("late", "succeeded")
    assert made["orderId"] == refund.out_refund_no != number
    record = unionpay_side.payment(world, number)
    assert record is not None
    assert made["origQryId"] == record["query_id"] == PaymentAttempt.get().transaction_id
    assert audit_payments() == []


# --- notifications -----------------------------------------------------------------------------------------------


def test_a_notification_is_answered_with_200_and_known_the_second_time(
    world: World, client: FlaskClient, person: Person
) -> None:
    headers, body = unionpay_side.letter(world, a_paid_attempt(world, person).out_trade_no)
    for _ in range(2):
        said = client.post(UNIONPAY_CALLBACK, data=body, headers=headers)
        assert (said.status_code, said.data) == (200, b"ok")
    assert inbox.InboxMessage.select().count() == 1
    inbox.sweep(now=utcnow())
    assert Order.get().status == "paid"


def test_the_notification_that_arrives_of_itself_pays(world: World, person: Person) -> None:
    world.sandbox.reset()  # letters are not lost here
    attempt = a_paid_attempt(world, person)
    for _ in range(100):
        if inbox.InboxMessage.select().count():
            break
        world.sandbox.box.pause(0.05)
    inbox.sweep(now=utcnow())
    assert PaymentAttempt.get_by_id(attempt.id).status == "paid"


@pytest.mark.parametrize("code", ["01", "05", "30"])
def test_a_notification_is_only_a_trigger(world: World, person: Person, code: str) -> None:
    attempt = a_paid_attempt(world, person)
    assert post(world, unionpay_side.letter(world, attempt.out_trade_no, change={"respCode": code})) == 204
    inbox.sweep(now=utcnow())
    assert Order.get().status == "paid"  # as UnionPay itself says, when it is asked


def test_a_letter_about_other_business_is_refused(world: World, client: FlaskClient, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    for change in ({"txnType": "31"}, {"txnType": ""}, {"orderId": ""}):
        headers, body = unionpay_side.letter(world, attempt.out_trade_no, change=change)
        assert client.post(UNIONPAY_CALLBACK, data=body, headers=headers).status_code == 401
    fields = parse_qsl(body.decode())
    assert client.post(UNIONPAY_CALLBACK, data=urlencode(fields * 9).encode(), headers=headers).status_code == 401


# --- refunds -----------------------------------------------------------------------------------------------------


def test_a_refund_is_taken_in_and_done_a_moment_later(
    world: World, provider: UnionPayProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(world.sandbox.box, "refund_seconds", 60.0)
    request = a_paid_one(world, provider)
    refund = a_refund_of(provider, request)
    assert provider.refund(refund) == "processing"
    assert provider.query_refund(refund.out_refund_no, request.out_trade_no) == "processing"
    world.sandbox.box.clock.offset += 61
    assert provider.query_refund(refund.out_refund_no, request.out_trade_no) == "succeeded"
    assert provider.query(request.out_trade_no).state == "paid"


def test_a_refund_that_the_issuer_declines_has_failed(world: World, provider: UnionPayProvider) -> None:
    request = a_paid_one(world, provider)
    refund = a_refund_of(provider, request)
    trouble(world, "refund", "abnormal", provider="unionpay")
    assert provider.refund(refund) == "processing"
    assert provider.query_refund(refund.out_refund_no, request.out_trade_no) == "failed"


def test_parts_go_back_up_to_the_whole_and_no_further(world: World, provider: UnionPayProvider) -> None:
    request = a_paid_one(world, provider)
    for amount in (15_000, 5_000):
        assert provider.refund(a_refund_of(provider, request, amount_fen=amount)) == "processing"
    with pytest.raises(Refused, match="36"):
        provider.refund(a_refund_of(provider, request, amount_fen=1))
    with pytest.raises(Refused, match="35"):
        provider.refund(a_refund_of(provider, request, transaction_id="202601010000000000000"))


@pytest.mark.parametrize(("code", "outcome"), [("02", Unknown), ("06", Unknown), ("03", None), ("12", None)])
def test_a_refund_in_doubt_is_asked_about_or_sent_again_under_its_number(
    world: World, provider: UnionPayProvider, code: str, outcome: type[Exception] | None
) -> None:
    request = a_paid_one(world, provider)
    refund = a_refund_of(provider, request)
    trouble(world, "refund", "error", code, provider="unionpay")
    if outcome is None:
        assert provider.refund(refund) == "processing"
        assert provider.query_refund(refund.out_refund_no, request.out_trade_no) == "absent"
    else:
        with pytest.raises(outcome):
            provider.refund(refund)
    assert provider.refund(refund) == "processing"
    assert len(unionpay_side.refunds(world, request.out_trade_no)) == 1


def test_a_refunds_notification_has_it_asked_about(world: World, person: Person) -> None:
    first = a_paid_attempt(world, person)
    order = Order.get_by_id(first.order_id)
    second = start(order, "wechat_native").attempt
    scan(world, second.out_trade_no)
    settlement.ask(second, now=utcnow())
    settlement.ask(first, now=utcnow())
    trouble(world, "refund", "reset_after", provider="unionpay")
    (refund,) = Refund.select()
    refunds.settle(refund.id, now=utcnow())
    assert Refund.get().status == "requested"  # made there, and we did not hear of it
    sent = refund_letter(world, refund.out_refund_no)
    assert sent is not None
    assert post(world, sent) == 204
    inbox.sweep(now=utcnow())
    assert Refund.get().status == "succeeded"
    assert len(unionpay_side.refunds(world, first.out_trade_no)) == 1
    assert audit_payments() == []


def test_a_message_of_another_merchant_that_carries_our_number_is_not_for_us(world: World, person: Person) -> None:
    attempt = a_paid_attempt(world, person)
    before = PaymentAttempt.get_by_id(attempt.id).__data__
    sent = letter(world, attempt.out_trade_no, change={"merId": "802600000000001"})
    assert post(world, sent) == 401
    inbox.sweep(now=utcnow())
    assert (PaymentAttempt.get_by_id(attempt.id).__data__, InboxMessage.select().count()) == (before, 0)
    trouble(world, "query", "alter", {"merId": "802600000000001"}, provider="unionpay")
    with pytest.raises(Unknown, match="another question"):
        settlement.ask(attempt, now=utcnow())
    assert cases.open_cases() == []
    assert post(world, letter(world, attempt.out_trade_no)) == 204
    inbox.sweep(now=utcnow())
    assert (Order.get().status, audit_payments()) == ("paid", [])
