"""What can go wrong with an order."""

from __future__ import annotations

from app.core.errors import problem

ORDER_OVER = problem(
    "order_over", 409, "这个订单已超过支付时间，请返回重新提交订单。已付款的不要重复支付，点“我已支付”查询。"
)
ORDER_CLOSING = problem(
    "order_closing", 409, "上一个订单正在关闭，请过十几秒再提交。已付款的请点“我已支付”，不要重复支付。"
)
TRANSFER_COUNTED = problem(
    "transfer_counted",
    409,
    "转账期限已过，正在核对最后一天的到账。已转账的不要重复支付；没有转账的，核对后可重新提交。",
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
AUTHORISE_WECHAT_FIRST = problem(
    "authorise_wechat_first", 409, "还要微信确认付款的微信号，马上转到微信，随后自动返回。"
)
OPEN_IN_WECHAT = problem(
    "open_in_wechat", 422, "微信支付要在微信里打开本页：把网址发到微信里点开，或换一种支付方式。"
)
PAYMENT_UNKNOWN = problem(
    "payment_unknown", 503, "支付平台暂时没有回应，系统会继续查询。已付款的不要重复支付；未付款的请过一会儿再试。"
)
PAID_AT_PROVIDER = problem(
    "paid_at_provider", 409, "支付平台显示这笔款已付，正在确认到账。请点“我已支付”查询，不要重复支付。"
)
PAYMENT_REFUSED = problem("payment_refused", 502, "支付平台没有受理这次支付，请稍后再试或换一种支付方式。")
PAY_LINK_OVER = problem("pay_link_over", 404, "这个支付链接已失效，请回到订单页面，重新点“去支付”。")
PAYMENT_DISPUTED = problem(
    "payment_disputed",
    409,
    "您的上一笔付款与订单不一致，工作人员正在核对。请不要重复支付，可拨打客服电话询问。",
)
NOT_DISPUTED = problem("not_disputed", 409, "这笔支付没有争议，或已决定退回，不需要处理。")
STILL_DISPUTED = problem("still_disputed", 409, "这笔支付还有争议，请原路退回，或在款未到账时结束争议。")
NOTHING_CAPTURED = problem(
    "nothing_captured", 409, "支付平台没有收到这笔款，或收款方、币种不是我们的，不能由系统退回。"
)
SOMETHING_CAPTURED = problem("something_captured", 409, "支付平台收到了这笔款，请退回，不能直接了结。")
REFUND_NOT_FAILED = problem("refund_not_failed", 409, "这笔退款没有失败，系统会继续处理，不需要重发。")
REFUND_ON_ITS_WAY = problem(
    "refund_on_its_way", 409, "支付平台已受理这笔退款，或已退到账，请不要再用其他方式退。退款失败的，请重新发起。"
)
REFUND_TOO_MUCH = problem(
    "refund_too_much", 409, "退款金额超过这笔支付还没有退的金额。请核对已退的部分，再填退款金额。"
)
NOTHING_KEPT = problem("nothing_kept", 409, "这个订单没有已收的款，不能退。")
PAYER_NAME_NEEDED = problem("payer_name_needed", 422, "请填写付款账户的户名，要与银行账户的户名一致。")
NO_TRANSFER = problem("no_transfer", 409, "这个订单没有选对公转账，请刷新后再看。")
TRANSFER_CAME = problem(
    "transfer_came",
    409,
    "银行对账单里已有您的来款，正在核对，现在不能换支付方式。请不要重复支付，可拨打缴费咨询电话。",
)
STATEMENT_OVER = problem("statement_over", 409, "这份对账单已经确认导入，或已删除，不能再改。")
STATEMENT_DAYS = problem("statement_days", 422, "起止日期要包含对账单里的全部交易日，截止日期不能晚于上传的那一天。")
STATEMENT_SPAN = problem(
    "statement_span",
    422,
    "起始日最多比第一笔交易早 31 天，起止最多一年，请核对日期。"
    "更早也没有交易的，下载时起始日选得更早，让文件里有更早的一笔。",
)
STATEMENT_REFUSED = problem("statement_refused", 422, "对账单读不出来，请按提示处理后重新上传。")
TRANSFER_WAITS = problem("transfer_waits", 409, "这个订单在等对公转账，支付平台查不到，到账以银行对账单为准。")
LINE_OVER = problem("line_over", 409, "这笔来款已经处理，请刷新后查看。")
NO_SUCH_CODE = problem("no_such_code", 422, "没有这个附言码，或它不是这个收款账户的，请核对后再填。")
TRANSFER_OVER = problem("transfer_over", 409, "那个订单已支付或已关闭，不能再收款，请退回付款方。")
OUTGOING_OVER = problem("outgoing_over", 409, "这笔转出已经处理，请刷新后查看。")
NO_SUCH_PAYOUT = problem(
    "no_such_payout", 422, "没有这笔退款，或金额、账户与这笔转出不同，或它已对上另一笔转出。请核对退款编号后再填。"
)
PAYOUT_OVER = problem("payout_over", 409, "这笔退款已经登记完成。")
SECOND_PERSON = problem("second_person", 409, "登记转账的人不能自己复核，请另一位同事核对银行回单后确认。")
REFERENCE_NEEDED = problem(
    "reference_needed", 422, "请填写银行的交易流水号（4 到 60 位字母、数字），不要填别的文字。"
)
REFERENCE_TAKEN = problem(
    "reference_taken", 409, "这个流水号已登记在另一笔退款上。每笔退款单独转账、单独登记，请核对银行回单后再填。"
)
REFERENCE_OTHER = problem("reference_other", 409, "流水号与对账单里已对上的转出不同，请核对银行回单后再填。")
DIFFERENCE_DECIDED = problem("difference_decided", 409, "这笔差异已经一致或已有人说明，不需要再处理。")
NOTIFICATION_REFUSED = problem("notification_refused", 401, "通知的签名或时间不对，未被受理。")
