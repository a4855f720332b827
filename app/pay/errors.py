"""What can go wrong with an order."""

from __future__ import annotations

from app.core.errors import problem

ORDER_OVER = problem(
    "order_over", 409, "这个订单已超过支付时间，请返回重新提交订单。已付款的不要重复支付，点“我已支付”查询。"
)
ORDER_CLOSING = problem(
    "order_closing", 409, "上一个订单正在关闭，请过十几秒再提交。已付款的请点“我已支付”，不要重复支付。"
)
ORDER_PAID = problem("order_paid", 409, "这个订单已经支付成功，不需要再付款。")
IN_ANOTHER_ORDER = problem("in_another_order", 409, "所选证书中有一项已在另一个订单里，请先支付或等待那个订单关闭。")
CHANNEL_NOT_OFFERED = problem("channel_not_offered", 422, "这里不能用这种支付方式，请换一种支付方式。")
NOT_ON_IPHONE = problem(
    "not_on_iphone", 422, "苹果手机上不能在小程序里支付。请在电脑上打开网页扫码支付，或用手机浏览器打开网页支付。"
)
NOT_IN_WECHAT = problem("not_in_wechat", 422, "微信里打不开支付宝。请点右上角“…”，选择在浏览器中打开，再支付。")
BIND_WECHAT_FIRST = problem(
    "bind_wechat_first", 409, "请先绑定微信（登录后输入一次密码确认），再用微信支付；也可以换一种支付方式。"
)
PAYMENT_UNKNOWN = problem(
    "payment_unknown", 503, "支付平台暂时没有回应，系统会继续查询。已付款的不要重复支付；未付款的请过一会儿再试。"
)
PAID_AT_PROVIDER = problem(
    "paid_at_provider", 409, "支付平台显示这笔款已付，正在确认到账。请点“我已支付”查询，不要重复支付。"
)
PAYMENT_REFUSED = problem("payment_refused", 502, "支付平台没有受理这次支付，请稍后再试或换一种支付方式。")
PAYMENT_DISPUTED = problem(
    "payment_disputed",
    409,
    "您的上一笔付款与订单不一致，工作人员正在核对。请不要重复支付，可拨打客服电话询问。",
)
NOT_DISPUTED = problem("not_disputed", 409, "这笔支付没有争议，或已决定退回，不需要处理。")
NOTHING_CAPTURED = problem(
    "nothing_captured", 409, "支付平台没有收到这笔款，或收款方、币种不是我们的，不能由系统退回。"
)
SOMETHING_CAPTURED = problem("something_captured", 409, "支付平台收到了这笔款，请退回，不能直接了结。")
REFUND_NOT_FAILED = problem("refund_not_failed", 409, "这笔退款没有失败，系统会继续处理，不需要重发。")
NOTIFICATION_REFUSED = problem("notification_refused", 401, "通知的签名或时间不对，未被受理。")
