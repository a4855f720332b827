"""Orders on the phone, and where the providers' notifications arrive."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import msgspec
import segno
from apiflask import APIBlueprint
from flask import Response, render_template, request, send_from_directory

from app.core.access import Role, access, person_id, request_now
from app.core.clock import iso
from app.core.crypto import mask_name
from app.core.errors import NOT_FOUND
from app.core.money import yuan
from app.core.rates import Kind
from app.core.web import PAGE_POLICY
from app.pay import notifications, queries, service
from app.pay.channels import Device, device, elsewhere, why_none
from app.pay.errors import PAYMENT_DISPUTED
from app.pay.models import Order
from app.pay.notify_url import forward_url, forwarded
from app.pay.providers.protocol import Form, JsapiCall, QrCode, Redirect, Remittance
from app.pay.schemas import ClientIn, OrderOut, OrdersOut, PaymentIn, PaymentOut
from app.pay.service import Started
from app.pay.status import OrderStatus, RefundStatus
from app.pay.transfers import codes, giving_up
from app.pay.transfers import queries as transfer_queries
from app.policy import load as policy
from app.policy.days import shanghai_day

REFUND_WORDS = {
    RefundStatus.REQUESTED: "正在退回，不用操作。",
    RefundStatus.PROCESSING: "支付平台正在退回，不用操作。",
    RefundStatus.SUCCEEDED: "已原路退回。",
    RefundStatus.FAILED: "退款遇到问题，工作人员正在处理。",
    RefundStatus.ELSEWHERE: "已用其他方式退给您，没有收到的请拨打客服电话。",
}

PERSONS_NAME = 4  # characters: longer names are firms'

blueprint = APIBlueprint("pay", __name__, url_prefix="/api/v1", tag="订单与支付")
pages = APIBlueprint("pay_pages", __name__, url_prefix="/pay", template_folder="templates", enable_openapi=False)

ASSETS = frozenset({"forward.css", "forward.js"})


def seconds_left(moment: datetime, now: datetime) -> int:
    """Whole seconds until `moment`, never below 0."""
    return max(0, int((moment - now).total_seconds()))


def this_device(client: Any) -> Device:
    """The device that sent this request."""
    return device(client, request.headers.get("User-Agent", ""))


def disputed(order: Order) -> bool:
    """Whether money came that does not match the order, and a person has to look at it first."""
    return order.status != OrderStatus.PAID and queries.in_dispute(queries.skus(order.id))


def _transfer_words(order: Order, now: datetime) -> tuple[str, str]:
    if order.status == OrderStatus.PENDING and order.expires_at > now:
        last = shanghai_day(order.expires_at)
        until = f"{last.month} 月 {last.day} 日"
        return (
            "等您转账",
            f"请在 {until}前转账到账，附言填写附言码。财务核对到账后自动确认。",
        )
    return "核对到账", "转账期限已过，正在核对最后一天的到账。已转账的不要重复支付，到账的会自动确认，否则退回。"


def words(order: Order, now: datetime, is_disputed: bool) -> tuple[str, str]:
    """How an order stands in a word, and what its owner does next in a sentence."""
    if is_disputed:
        return "核对中", "付款与订单不一致，工作人员正在核对，请不要重复支付。"
    waits = order.status in (OrderStatus.PENDING, OrderStatus.CLOSING)
    if waits and transfer_queries.of_order(order.id) is not None:
        return _transfer_words(order, now)
    if order.status == OrderStatus.PENDING and order.expires_at > now:
        return "待支付", "请在截止时间前支付，过时订单会自动关闭。"
    return {
        OrderStatus.PAID: ("已支付", "已支付成功，请按“我的培训”里的下一步继续。"),
        OrderStatus.CLOSED: (
            "已关闭",
            "订单已关闭，需要的请重新提交。已付的款会自动原路退回。",
        ),
    }.get(OrderStatus(order.status), ("正在关闭", "订单正在关闭，马上就好。已付款的请点“我已支付”，不要重复支付。"))


def dump(order: Order, on: Device, now: datetime) -> dict[str, Any]:
    """An order as the screens of `on` show it."""
    programme = policy.programme(order.programme, order.version)
    pending = order.status == OrderStatus.PENDING and order.expires_at > now
    in_dispute = disputed(order)
    blocked = PAYMENT_DISPUTED if pending and in_dispute else None
    channels = [channel.name for channel in service.ways_of(order, on, now=now)] if pending and not blocked else []
    reason = blocked or (why_none(programme, on) if pending and not channels else None)
    by_others = pending and not blocked and now < transfer_queries.others_until(order)
    status_text, sentence = words(order, now, in_dispute)
    return {
        "id": order.id,
        "status": order.status,
        "status_text": status_text,
        "sentence": sentence,
        "programme_title": programme.title,
        "contact": programme.authority.contacts.payment,
        "created_at": iso(order.created_at),
        "server_now": iso(now),
        "amount_fen": order.amount_fen,
        "lines": [{"title": line.title, "amount_fen": line.amount_fen} for line in queries.lines(order.id)],
        "expires_at": iso(order.expires_at),
        "seconds_left": seconds_left(order.expires_at, now) if pending else 0,
        "paid_at": iso(order.paid_at) if order.paid_at else None,
        "channels": channels,
        "elsewhere": elsewhere(programme, on) if by_others else [],
        "transfer": dump_transfer(order),
        "no_channel": {"code": reason.code, "detail": reason.sentence} if reason else None,
        "refunds": [
            {
                "amount_fen": refund.amount_fen,
                "reason": refund.reason,
                "status": refund.status,
                "sentence": REFUND_WORDS[RefundStatus(refund.status)],
            }
            for refund in queries.refunds(order.id)
        ],
    }


def dump_transfer(order: Order) -> dict[str, Any] | None:
    """What to write on the transfer that an order waits for; None where it waits for none."""
    transfer = transfer_queries.of_order(order.id)
    if transfer is None or order.status not in (OrderStatus.PENDING, OrderStatus.CLOSING):
        return None
    attempt = next(row for row in queries.attempts(order.id) if row.id == transfer.attempt_id)
    part, came = transfer_queries.part_fen(attempt.id), transfer_queries.came(attempt.id)
    return {
        "code": transfer.code,
        "code_shown": codes.shown(transfer.code),
        "account_name": transfer.account_name,
        "bank": transfer.bank,
        "account_number": attempt.authority,
        "amount_fen": order.amount_fen,
        "came_fen": part,
        "missing_fen": order.amount_fen - part,
        "in_question": transfer_queries.in_question(attempt.id),
        "may_give_up": order.status == OrderStatus.PENDING and not came,
        "payer_name": _payer(transfer.payer_name) if order.person_id else transfer.payer_name,
        "last_day": shanghai_day(order.expires_at).isoformat(),
    }


def _payer(name: str) -> str:
    """A person's name masked; a firm's as it is: it is longer, and whoever pays has to compare it."""
    return (mask_name(name) or "") if len(name) <= PERSONS_NAME else name


def dump_payment(started: Started, order: Order, now: datetime) -> dict[str, Any]:
    """A payment, with what this way to pay needs."""
    by = started.pay_by
    code = by.text if isinstance(by, QrCode) else None
    leads_to = by.url if isinstance(by, Redirect) else None
    if isinstance(by, Form):  # a page of ours posts it
        leads_to = forward_url(started.attempt, now)
    return {
        "order_id": order.id,
        "channel": started.attempt.channel,
        "kind": "redirect" if leads_to else msgspec.to_builtins(by)["kind"],
        "code_url": code,
        "qr_svg": segno.make(code, error="m").svg_data_uri(scale=6, border=2) if code else None,
        "jsapi": msgspec.to_builtins(by) if isinstance(by, JsapiCall) else None,
        "transfer": dump_transfer(order) if isinstance(by, Remittance) else None,
        "redirect_url": leads_to,
        "amount_fen": started.attempt.amount_fen,
        "expires_at": iso(order.expires_at),
        "seconds_left": seconds_left(order.expires_at, now),
        "server_now": iso(now),
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
def start_payment(order_id: str, json_data: dict[str, Any]) -> Any:
    """取得支付二维码、微信内支付的参数、支付页面，或对公转账的账户与附言码；重复点击是同一笔支付。"""
    now, on = request_now(), this_device(json_data["client"])
    started = service.start_payment(
        person_id(), order_id, json_data["channel"], on, payer_name=json_data["payer_name"], now=now
    )
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


@blueprint.post("/orders/<order_id>/give-up-transfer")
@access(Role.TRAINEE)
@blueprint.input(ClientIn, location="query")
@blueprint.output(OrderOut)
@blueprint.doc(summary="放弃转账")
def give_up_transfer(order_id: str, query_data: dict[str, str]) -> Any:
    """还没有转账的，放弃对公转账：订单关闭，可以重新提交后用别的方式支付。已有来款的不能放弃。"""
    now = request_now()
    return dump(giving_up.give_up(person_id(), order_id, now=now), this_device(query_data["client"]), now)


@blueprint.post("/callbacks/<kind>/<merchant>")
@access(Role.PROVIDER)
@blueprint.output({}, status_code=204)
@blueprint.doc(summary="支付平台的通知")
def notification(kind: str, merchant: str) -> Any:
    """验签后入库并应答；随后向支付平台核实。"""
    body = request.get_data()
    taken = notifications.receive(kind, merchant, dict(request.headers), body, now=request_now())
    return Response(taken, 200 if taken else 204, content_type="text/plain; charset=utf-8")


@pages.get("/go/<token>")
@access(Role.TICKET)
def forward(token: str) -> Response:
    """A form, one button, and a script that presses it: the browser goes on to the provider's page."""
    now = request_now()
    order, form = service.form_of(forwarded(token, now), now=now)
    page = render_template("pay/forward.html", form=form, amount=yuan(order.amount_fen))
    response = Response(page, content_type="text/html; charset=utf-8")
    policy = PAGE_POLICY.replace("form-action 'self'", f"form-action {form.hosts}")
    response.headers.update({"Content-Security-Policy": policy, "X-Robots-Tag": "noindex"})
    return response


@pages.get("/assets/<name>")
@access(Role.PUBLIC)
def forward_asset(name: str) -> Response:
    """That page's style and script: the policy allows nothing inline."""
    if name not in ASSETS:
        raise NOT_FOUND()
    response = send_from_directory(f"{pages.root_path}/static", name)
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


@pages.route("/return/<order>", methods=["GET", "POST"])
@access(Role.PUBLIC, kind=Kind.READ)
def returned(order: str) -> Any:
    """Where a provider's page leads back to. Believes nothing of what the browser brings: the order's page asks."""
    if not re.fullmatch(r"[0-9a-z]{16}", order):
        raise NOT_FOUND()
    return Response(status=303, headers={"Location": f"/?order={order}"})
