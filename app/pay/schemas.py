"""What the pay views take and give."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Integer, List, Nested, String
from apiflask.validators import OneOf

from app.pay.channels import CHANNELS


class LineOut(Schema):
    title = String(metadata={"description": "内容"})
    amount_fen = Integer(metadata={"description": "金额（分）"})


class RefundOut(Schema):
    amount_fen = Integer()
    reason = String(metadata={"description": "late：订单关闭后到账；double：重复支付；disputed：金额不符"})
    status = String()


class OrderOut(Schema):
    id = String(metadata={"description": "订单号"})
    status = String(metadata={"description": "pending 待支付 / closing 关闭中 / paid 已支付 / closed 已关闭"})
    amount_fen = Integer(metadata={"description": "应付金额（分）"})
    lines = List(Nested(LineOut))
    expires_at = String(metadata={"description": "支付截止时间"})
    seconds_left = Integer(metadata={"description": "距支付截止的秒数，以服务器时间为准"})
    paid_at = String(allow_none=True)
    channels = List(String(), metadata={"description": "可用的支付方式"})
    refunds = List(Nested(RefundOut))


class OrdersOut(Schema):
    orders = List(Nested(OrderOut))


class PaymentIn(Schema):
    channel = String(required=True, validate=OneOf(sorted(CHANNELS)), metadata={"description": "支付方式"})
    client = String(load_default="web", validate=OneOf(["web", "mini_program", "app"]))


class PaymentOut(Schema):
    order_id = String()
    channel = String()
    code_url = String(metadata={"description": "二维码内容"})
    qr_svg = String(metadata={"description": "二维码图片（data: URI，SVG）"})
    amount_fen = Integer()
    expires_at = String()
    seconds_left = Integer()
