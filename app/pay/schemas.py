"""What the pay views take and give."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf

from app.pay.channels import CHANNELS


class LineOut(Schema):
    title = String(metadata={"description": "内容"}, required=True)
    amount_fen = Integer(metadata={"description": "金额（分）"}, required=True)


class RefundOut(Schema):
    amount_fen = Integer(required=True)
    reason = String(
        metadata={"description": "late 订单关闭后到账 / double 重复支付 / disputed 金额不符 / agreed 协商退款"},
        required=True,
    )
    status = String(required=True)
    sentence = String(required=True, metadata={"description": "给用户看的一句话"})


class NoChannelOut(Schema):
    code = String(metadata={"description": "原因：not_on_iphone / not_in_wechat / open_in_wechat / …"}, required=True)
    detail = String(metadata={"description": "告诉用户怎么办的一句话"}, required=True)


class TransferOut(Schema):
    code = String(required=True, metadata={"description": "附言码，转账时写在附言（用途、备注）里"})
    code_shown = String(required=True, metadata={"description": "分组显示的附言码"})
    account_name = String(required=True, metadata={"description": "收款户名"})
    bank = String(required=True, metadata={"description": "开户行"})
    account_number = String(required=True, metadata={"description": "收款账号"})
    amount_fen = Integer(required=True, metadata={"description": "应转金额（分），一分不差"})
    came_fen = Integer(required=True, metadata={"description": "已到账、还不够的金额（分）"})
    missing_fen = Integer(required=True, metadata={"description": "还差的金额（分）"})
    in_question = Boolean(required=True, metadata={"description": "有一笔来款要财务先核对，不要再转"})
    may_give_up = Boolean(required=True, metadata={"description": "还没有来款，可以放弃转账、换一种支付方式"})
    payer_name = String(required=True, metadata={"description": "登记的付款户名，本人的只显示一部分"})
    last_day = String(required=True, metadata={"description": "最晚到账日"})


class OrderOut(Schema):
    id = String(metadata={"description": "订单号"}, required=True)
    status = String(
        metadata={"description": "pending 待支付 / closing 关闭中 / paid 已支付 / closed 已关闭"}, required=True
    )
    status_text = String(required=True, metadata={"description": "状态，给用户看的几个字"})
    sentence = String(required=True, metadata={"description": "下一步怎么办，给用户看的一句话"})
    programme_title = String(required=True)
    contact = String(required=True, metadata={"description": "缴费问题的客服电话"})
    created_at = String(required=True)
    server_now = String(required=True)
    amount_fen = Integer(metadata={"description": "应付金额（分）"}, required=True)
    lines = List(Nested(LineOut), required=True)
    expires_at = String(metadata={"description": "支付截止时间"}, required=True)
    seconds_left = Integer(metadata={"description": "距支付截止的秒数，以服务器时间为准"}, required=True)
    paid_at = String(allow_none=True, required=True)
    channels = List(String(), metadata={"description": "可用的支付方式，按推荐顺序"}, required=True)
    elsewhere = List(
        String(metadata={"enum": ["wechat", "mini_program", "computer"]}),
        metadata={"description": "这里没有微信支付时，能用微信付款的地方：微信里打开网页 / 小程序 / 电脑扫码"},
        required=True,
    )
    transfer = Nested(TransferOut, allow_none=True, metadata={"description": "正在等的对公转账"}, required=True)
    no_channel = Nested(
        NoChannelOut, allow_none=True, metadata={"description": "没有可用的支付方式时的原因"}, required=True
    )
    refunds = List(Nested(RefundOut), required=True)


class OrdersOut(Schema):
    orders = List(Nested(OrderOut), required=True)


CLIENT = OneOf(["web", "phone_web", "mini_program", "app"])


class ClientIn(Schema):
    client = String(
        load_default="web",
        validate=CLIENT,
        metadata={"description": "web 电脑网页 / phone_web 手机浏览器 / mini_program 小程序 / app"},
    )


class PaymentIn(ClientIn):
    channel = String(required=True, validate=OneOf(sorted(CHANNELS)), metadata={"description": "支付方式"})
    payer_name = String(
        load_default=None,
        allow_none=True,
        validate=Length(max=120),
        metadata={"description": "付款账户的户名，对公转账（bank_transfer）时必填"},
    )


class JsapiOut(Schema):
    """The names are those of `wx.requestPayment` and of `WeixinJSBridge`'s getBrandWCPayRequest."""

    appId = String(required=True)
    timeStamp = String(required=True)
    nonceStr = String(required=True)
    package = String(required=True)
    signType = String(required=True)
    paySign = String(required=True)


class PaymentOut(Schema):
    order_id = String(required=True)
    channel = String(required=True)
    kind = String(
        metadata={"description": "qr 扫码 / jsapi 微信内支付 / redirect 跳转到支付页面 / transfer 对公转账"},
        required=True,
    )
    code_url = String(allow_none=True, metadata={"description": "二维码内容（qr）"}, required=True)
    qr_svg = String(allow_none=True, metadata={"description": "二维码图片（qr；data: URI，SVG）"}, required=True)
    jsapi = Nested(
        JsapiOut,
        allow_none=True,
        metadata={"description": "wx.requestPayment 或 getBrandWCPayRequest 的参数"},
        required=True,
    )
    transfer = Nested(
        TransferOut, allow_none=True, metadata={"description": "转账的账户与附言码（transfer）"}, required=True
    )
    redirect_url = String(allow_none=True, metadata={"description": "支付页面地址（redirect）"}, required=True)
    amount_fen = Integer(required=True)
    expires_at = String(required=True)
    seconds_left = Integer(required=True)
    server_now = String(required=True)
