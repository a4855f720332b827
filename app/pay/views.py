"""Orders on the phone, and where the providers' notifications arrive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec
import segno
from apiflask import APIBlueprint
from flask import Response, request

from app.core.access import Role, access, person_id, request_now
from app.core.clock import iso
from app.pay import queries, service
from app.pay.channels import Device, device, offered, why_none
from app.pay.models import Order
from app.pay.providers.protocol import JsapiCall, QrCode, Redirect
from app.pay.schemas import ClientIn, OrderOut, OrdersOut, PaymentIn, PaymentOut
from app.pay.service import Started
from app.pay.status import OrderStatus
from app.policy import load as policy

blueprint = APIBlueprint("pay", __name__, url_prefix="/api/v1", tag="订单与支付")


def seconds_left(moment: datetime, now: datetime) -> int:
    """Whole seconds until `moment`, never below 0."""
    return max(0, int((moment - now).total_seconds()))


def this_device(client: Any) -> Device:
    """The device that sent this request."""
    return device(client, request.headers.get("User-Agent", ""))


def dump(order: Order, on: Device, now: datetime) -> dict[str, Any]:
    """An order as the screens of `on` show it."""
    programme = policy.programme(order.programme, order.version)
    pending = order.status == OrderStatus.PENDING and order.expires_at > now
    channels = [channel.name for channel in offered(programme, on)] if pending else []
    reason = why_none(programme, on) if pending and not channels else None
    return {
        "id": order.id,
        "status": order.status,
        "amount_fen": order.amount_fen,
        "lines": [{"title": line.title, "amount_fen": line.amount_fen} for line in queries.lines(order.id)],
        "expires_at": iso(order.expires_at),
        "seconds_left": seconds_left(order.expires_at, now) if pending else 0,
        "paid_at": iso(order.paid_at) if order.paid_at else None,
        "channels": channels,
        "no_channel": {"code": reason.code, "detail": reason.sentence} if reason else None,
        "refunds": [
            {"amount_fen": refund.amount_fen, "reason": refund.reason, "status": refund.status}
            for refund in queries.refunds(order.id)
        ],
    }


def dump_payment(started: Started, order: Order, now: datetime) -> dict[str, Any]:
    """A payment, with what this way to pay needs."""
    by = started.pay_by
    code = by.text if isinstance(by, QrCode) else None
    return {
        "order_id": order.id,
        "channel": started.attempt.channel,
        "kind": msgspec.to_builtins(by)["kind"],
        "code_url": code,
        "qr_svg": segno.make(code, error="m").svg_data_uri(scale=6, border=2) if code else None,
        "jsapi": msgspec.to_builtins(by) if isinstance(by, JsapiCall) else None,
        "redirect_url": by.url if isinstance(by, Redirect) else None,
        "amount_fen": started.attempt.amount_fen,
        "expires_at": iso(order.expires_at),
        "seconds_left": seconds_left(order.expires_at, now),
    }


@blueprint.get("/orders")
@access(Role.TRAINEE)
@blueprint.input(ClientIn, location="query")
@blueprint.output(OrdersOut)
@blueprint.doc(summary="我的订单")
def list_orders(query_data: dict[str, str]) -> Any:
    """本人的全部订单，新的在前。"""
    now, on = request_now(), this_device(query_data["client"])
    return {"orders": [dump(order, on, now) for order in queries.orders_of(person_id())]}


@blueprint.get("/orders/<order_id>")
@access(Role.TRAINEE)
@blueprint.input(ClientIn, location="query")
@blueprint.output(OrderOut)
@blueprint.doc(summary="一个订单")
def get_order(order_id: str, query_data: dict[str, str]) -> Any:
    """订单的状态、金额、剩余支付时间、可用的支付方式与退款。"""
    return dump(queries.order_of(person_id(), order_id), this_device(query_data["client"]), request_now())


@blueprint.post("/orders/<order_id>/payments")
@access(Role.TRAINEE)
@blueprint.input(PaymentIn)
@blueprint.output(PaymentOut)
@blueprint.doc(summary="去支付")
def start_payment(order_id: str, json_data: dict[str, str]) -> Any:
    """取得支付二维码、微信内支付的参数或支付页面；重复点击是同一笔支付。"""
    now, on = request_now(), this_device(json_data["client"])
    started = service.start_payment(person_id(), order_id, json_data["channel"], on, now=now)
    return dump_payment(started, queries.get_order(order_id), now)


@blueprint.post("/orders/<order_id>/check")
@access(Role.TRAINEE)
@blueprint.input(ClientIn, location="query")
@blueprint.output(OrderOut)
@blueprint.doc(summary="我已支付")
def check_payment(order_id: str, query_data: dict[str, str]) -> Any:
    """立即向支付平台查询这个订单是否到账。"""
    now = request_now()
    return dump(service.check_payment(person_id(), order_id, now=now), this_device(query_data["client"]), now)


@blueprint.post("/callbacks/<kind>/<merchant>")
@access(Role.PROVIDER)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="支付平台的通知")
def notification(kind: str, merchant: str) -> Any:
    """验签后入库并应答；随后向支付平台核实。"""
    body = request.get_data()
    taken = service.receive_notification(kind, merchant, dict(request.headers), body, now=request_now())
    return Response(taken, 200 if taken else 204, content_type="text/plain; charset=utf-8")
