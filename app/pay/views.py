"""Orders on the phone, and where the providers' notifications arrive."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import segno
from apiflask import APIBlueprint
from flask import request

from app.core.access import Role, access, person_id, request_now
from app.core.clock import iso
from app.pay import queries, service
from app.pay.channels import offered
from app.pay.models import Order, PaymentAttempt
from app.pay.schemas import OrderOut, OrdersOut, PaymentIn, PaymentOut
from app.pay.status import OrderStatus
from app.policy import load as policy

blueprint = APIBlueprint("pay", __name__, url_prefix="/api/v1", tag="订单与支付")


def seconds_left(moment: datetime, now: datetime) -> int:
    """Whole seconds until `moment`, never below 0."""
    return max(0, int((moment - now).total_seconds()))


def dump(order: Order, client: str, now: datetime) -> dict[str, Any]:
    """An order as the screens show it."""
    programme = policy.programme(order.programme, order.version)
    pending = order.status == OrderStatus.PENDING and order.expires_at > now
    return {
        "id": order.id,
        "status": order.status,
        "amount_fen": order.amount_fen,
        "lines": [{"title": line.title, "amount_fen": line.amount_fen} for line in queries.lines(order.id)],
        "expires_at": iso(order.expires_at),
        "seconds_left": seconds_left(order.expires_at, now) if pending else 0,
        "paid_at": iso(order.paid_at) if order.paid_at else None,
        "channels": [channel.name for channel in offered(programme, client)] if pending else [],
        "refunds": [
            {"amount_fen": refund.amount_fen, "reason": refund.reason, "status": refund.status}
            for refund in queries.refunds(order.id)
        ],
    }


def dump_payment(attempt: PaymentAttempt, order: Order, now: datetime) -> dict[str, Any]:
    """A payment with its QR code."""
    return {
        "order_id": order.id,
        "channel": attempt.channel,
        "code_url": attempt.code_url,
        "qr_svg": segno.make(attempt.code_url, error="m").svg_data_uri(scale=6, border=2),
        "amount_fen": attempt.amount_fen,
        "expires_at": iso(order.expires_at),
        "seconds_left": seconds_left(order.expires_at, now),
    }


@blueprint.get("/orders")
@access(Role.TRAINEE)
@blueprint.output(OrdersOut)
@blueprint.doc(summary="我的订单")
def list_orders() -> Any:
    """本人的全部订单，新的在前。"""
    now = request_now()
    return {"orders": [dump(order, "web", now) for order in queries.orders_of(person_id())]}


@blueprint.get("/orders/<order_id>")
@access(Role.TRAINEE)
@blueprint.output(OrderOut)
@blueprint.doc(summary="一个订单")
def get_order(order_id: str) -> Any:
    """订单的状态、金额、剩余支付时间与退款。"""
    return dump(queries.order_of(person_id(), order_id), "web", request_now())


@blueprint.post("/orders/<order_id>/payments")
@access(Role.TRAINEE)
@blueprint.input(PaymentIn)
@blueprint.output(PaymentOut)
@blueprint.doc(summary="去支付")
def start_payment(order_id: str, json_data: dict[str, str]) -> Any:
    """取得支付二维码；重复点击得到同一个。"""
    now = request_now()
    attempt = service.start_payment(person_id(), order_id, json_data["channel"], json_data["client"], now=now)
    return dump_payment(attempt, queries.get_order(order_id), now)


@blueprint.post("/orders/<order_id>/check")
@access(Role.TRAINEE)
@blueprint.output(OrderOut)
@blueprint.doc(summary="我已支付")
def check_payment(order_id: str) -> Any:
    """立即向支付平台查询这个订单是否到账。"""
    now = request_now()
    return dump(service.check_payment(person_id(), order_id, now=now), "web", now)


@blueprint.post("/callbacks/<kind>/<merchant>")
@access(Role.PROVIDER)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="支付平台的通知")
def notification(kind: str, merchant: str) -> Any:
    """验签后入库并应答；随后向支付平台核实。"""
    service.receive_notification(kind, merchant, dict(request.headers), request.get_data(), now=request_now())
    return ""
