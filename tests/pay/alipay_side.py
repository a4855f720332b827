"""Alipay's side of a test: what its ledger knows, and its letters, which are ours to post."""

from __future__ import annotations

import secrets
from typing import Any

from sandbox.alipay_ledger import Book, told_payment, told_refund
from sandbox.alipay_wire import letter as form
from sandbox.keys import Seller
from sandbox.knobs import Knob
from tests.world import World

Letter = tuple[dict[str, str], bytes]
HEADERS = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}


def seller_of(world: World, out_trade_no: str) -> Seller:
    """Whose trade it is."""
    sellers = world.sandbox.box.sellers.values()
    return next(one for one in sellers if _kept(world, "trade", f"{one.app_id}/{out_trade_no}") is not None)


def _kept(world: World, kind: str, key: str) -> dict[str, Any] | None:
    return world.sandbox.box.store.get("alipay", kind, key)


def trade(world: World, out_trade_no: str) -> dict[str, Any] | None:
    """Alipay's own record of a trade; None before a scan."""
    found = [_kept(world, "trade", f"{app_id}/{out_trade_no}") for app_id in world.sandbox.box.sellers]
    return next((record for record in found if record is not None), None)


def letter(world: World, out_trade_no: str, *, change: dict[str, Any] | None = None, **trouble: Any) -> Letter:
    """The notification of a payment; `change` is laid over what it says, and is signed; `trouble`: forged, sha1,
    stale (seconds)."""
    seller = seller_of(world, out_trade_no)
    record = Book(world.sandbox.box).trade(seller.app_id, out_trade_no)
    told = told_payment(seller, record, secrets.token_hex(17)) | (change or {})
    return HEADERS, form(seller, told, _knobs(trouble))


def refund_letter(world: World, out_refund_no: str) -> Letter | None:
    """The notification of a refund; None where Alipay knows of none."""
    for _, refund in world.sandbox.box.store.all("alipay", "refund", 10_000):
        if refund["out_request_no"] == out_refund_no:
            seller = world.sandbox.box.sellers[refund["app_id"]]
            record = Book(world.sandbox.box).trade(refund["app_id"], refund["out_trade_no"])
            return HEADERS, form(seller, told_refund(seller, record, refund, secrets.token_hex(17)), {})
    return None


def refunds(world: World, out_trade_no: str | None = None) -> list[dict[str, Any]]:
    """Every refund that Alipay knows (of one trade)."""
    rows = [row for _, row in world.sandbox.box.store.all("alipay", "refund", 10_000)]
    return [row for row in rows if out_trade_no in (None, row["out_trade_no"])]


def _knobs(trouble: dict[str, Any]) -> dict[str, Knob]:
    return {kind: Knob("alipay", "notify", kind, value, None) for kind, value in trouble.items()}
