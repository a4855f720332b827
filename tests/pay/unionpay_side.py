"""UnionPay's side of a test: what its ledger knows, and its letters, which are ours to post."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import requests

from app.core.clock import utcnow
from app.core.ids import new_id
from app.pay.providers.protocol import Form, PaymentRequest, RefundRequest
from app.pay.providers.unionpay import UnionPayProvider
from sandbox.knobs import Knob
from sandbox.unionpay_ledger import Book, told
from sandbox.unionpay_wire import letter as form
from tests.world import World

Letter = tuple[dict[str, str], bytes]
HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def _all(world: World, kind: str) -> list[dict[str, Any]]:
    return [row for _, row in world.sandbox.box.store.all("unionpay", kind, 10_000)]


def payment(world: World, out_trade_no: str) -> dict[str, Any] | None:
    """UnionPay's own record of a payment; None before a browser came with its form."""
    return next((row for row in _all(world, "payment") if row["out_trade_no"] == out_trade_no), None)


def refunds(world: World, out_trade_no: str | None = None) -> list[dict[str, Any]]:
    """Every refund that UnionPay has made (of one payment)."""
    made = [row for row in _all(world, "refund") if row["code"] == "00"]
    return [row for row in made if out_trade_no in (None, row["out_trade_no"])]


def letter(world: World, out_trade_no: str, *, change: dict[str, Any] | None = None, **trouble: Any) -> Letter:
    """The notification of a payment; `change` is laid over what it says, and is signed; `trouble`: forged, sha1, or
    what is wrong with the certificate."""
    row = payment(world, out_trade_no)
    assert row is not None
    merchant = world.sandbox.box.acquired[row["mer_id"]]
    return HEADERS, form(merchant, told(row, "payment") | (change or {}), _knobs(trouble))


def refund_letter(world: World, out_refund_no: str) -> Letter | None:
    """The notification of a refund that has come to its end; None where there is none."""
    for row in _all(world, "refund"):
        if row["out_refund_no"] == out_refund_no and Book(world.sandbox.box).settled(row):
            return HEADERS, form(world.sandbox.box.acquired[row["mer_id"]], told(row, "refund"), {})
    return None


def _knobs(trouble: dict[str, Any]) -> dict[str, Knob]:
    return {kind: Knob("unionpay", "notify", kind, value, None) for kind, value in trouble.items()}


# --- a client of one's own, and what it is asked for ---------------------------------------------------------------


def a_provider(world: World) -> UnionPayProvider:
    """A client of the one merchant."""
    url = world.sandbox.url
    return UnionPayProvider("yunnan.unionpay", world.settings.secrets, url, f"{url}/unionpay/files/", url)


def a_number() -> str:
    """A number of ours that no payment has."""
    return f"{new_id()}ub".upper()


def a_request(**values: Any) -> PaymentRequest:
    """200.00 yuan, to be paid within half an hour."""
    request: dict[str, Any] = {
        "way": "form",
        "out_trade_no": a_number(),
        "title": "继续教育",
        "amount_fen": 20000,
        "expires_at": utcnow() + timedelta(minutes=30),
        "notify_url": "http://127.0.0.1:9/n",
        "return_url": "http://127.0.0.1:9/pay/return",
    }
    return PaymentRequest(**(request | values))


def a_paid_one(world: World, provider: UnionPayProvider, **values: Any) -> PaymentRequest:
    """A payment that a card has paid."""
    request = a_request(**values)
    form = provider.create(request)
    assert isinstance(form, Form)
    requests.post(form.url, data=form.fields, timeout=10).raise_for_status()
    pay(world, request.out_trade_no)
    return request


def pay(world: World, number: str, **how: str) -> None:
    """A card pays on the bank's page; `code`: it is declined."""
    url = f"{world.sandbox.url}/_control/unionpay/pay"
    requests.post(url, json={"out_trade_no": number, **how}, timeout=10).raise_for_status()


def a_refund_of(provider: UnionPayProvider, request: PaymentRequest, **values: Any) -> RefundRequest:
    """All of it back."""
    asked: dict[str, Any] = {
        "out_refund_no": f"R{new_id().upper()}",
        "out_trade_no": request.out_trade_no,
        "amount_fen": request.amount_fen,
        "total_fen": request.amount_fen,
        "reason": "重复支付，款项原路退回",
        "notify_url": request.notify_url,
        "transaction_id": provider.query(request.out_trade_no).transaction_id,
    }
    return RefundRequest(**(asked | values))
