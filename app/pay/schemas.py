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


class NoChannelOut(Schema):
    code = String(metadata={"description": "原因：not_on_iphone / not_in_wechat / channel_not_offered"})
    detail = String(metadata={"description": "告诉用户怎么办的一句话"})


class OrderOut(Schema):
    id = String(metadata={"description": "订单号"})
    status = String(metadata={"description": "pending 待支付 / closing 关闭中 / paid 已支付 / closed 已关闭"})
    amount_fen = Integer(metadata={"description": "应付金额（分）"})
    lines = List(Nested(LineOut))
    expires_at = String(metadata={"description": "支付截止时间"})
    seconds_left = Integer(metadata={"description": "距支付截止的秒数，以服务器时间为准"})
    paid_at = String(allow_none=True)
    channels = List(String(), metadata={"description": "可用的支付方式，按推荐顺序"})
    no_channel = Nested(NoChannelOut, allow_none=True, metadata={"description": "没有可用的支付方式时的原因"})
    refunds = List(Nested(RefundOut))


class OrdersOut(Schema):
    orders = List(Nested(OrderOut))


CLIENT = OneOf(["web", "phone_web", "mini_program", "app"])


class ClientIn(Schema):
    client = String(
        load_default="web",
        validate=CLIENT,
        metadata={"description": "web 电脑网页 / phone_web 手机浏览器 / mini_program 小程序 / app"},
    )


class PaymentIn(ClientIn):
    channel = String(required=True, validate=OneOf(sorted(CHANNELS)), metadata={"description": "支付方式"})


class JsapiOut(Schema):
    """The names are those of `wx.requestPayment`."""

    appId = String()
    timeStamp = String()
    nonceStr = String()
    package = String()
    signType = String()
    paySign = String()


class PaymentOut(Schema):
    order_id = String()
    channel = String()
    kind = String(metadata={"description": "qr 扫码 / jsapi 微信内支付 / redirect 跳转到支付页面"})
    code_url = String(allow_none=True, metadata={"description": "二维码内容（qr）"})
    qr_svg = String(allow_none=True, metadata={"description": "二维码图片（qr；data: URI，SVG）"})
    jsapi = Nested(JsapiOut, allow_none=True, metadata={"description": "wx.requestPayment 的参数（jsapi）"})
    redirect_url = String(allow_none=True, metadata={"description": "支付页面地址（redirect）"})
    amount_fen = Integer()
    expires_at = String()
    seconds_left = Integer()
