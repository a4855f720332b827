"""What can go wrong with invoices, and what the person does next."""

from __future__ import annotations

from app.core.errors import problem

NO_INVOICE_HERE = problem("no_invoice_here", 409, "这个培训项目不开具发票，如有疑问请拨打客服电话。")
INVOICE_AUTOMATIC = problem("invoice_automatic", 409, "这个项目的发票会自动开具，不用申请；进度见“我的发票”。")
INVOICE_NEEDS_PAYMENT = problem("invoice_needs_payment", 409, "订单支付成功后才能开具发票，请先完成支付。")
INVOICE_MONEY_BACK = problem("invoice_money_back", 409, "这笔订单的款项已退回，不能开具发票。")
INVOICE_NOT_READY = problem("invoice_not_ready", 409, "发票还没有开好，请到“我的发票”查看预计时间。")
INVOICE_LINK_OVER = problem("invoice_link_over", 403, "下载链接已经过期，请回到“我的发票”重新点下载。")
INVOICE_ON_ITS_WAY = problem("invoice_on_its_way", 409, "这张发票已经送去开具或已有结果，不能再这样处理。")
INVOICE_NOT_AS_ASKED = problem(
    "invoice_not_as_asked", 409, "开出的金额与订单不符，或发票已作废，不能照开出的接受。请红冲后按订单重开。"
)
INVOICE_BEING_CORRECTED = problem(
    "invoice_being_corrected", 409, "这张发票已经在更正，请到“我的发票”查看进度，不用再次申请。"
)
INVOICE_NOTHING_TO_CORRECT = problem(
    "invoice_nothing_to_correct", 409, "现在保存的开票信息与这张发票相同。请先修改开票信息，再申请更正。"
)
INVOICE_NOT_CORRECTED = problem(
    "invoice_not_corrected", 409, "这张发票没有在更正，不能登记红字发票。请先申请更正（红冲并重开）。"
)
RED_ON_ITS_WAY = problem(
    "red_on_its_way",
    409,
    "红字申请已送到开票平台，请等结果，以免红冲两次。被拒绝或三天没有结果后，再登记自行开具的红字发票。",
)
RED_ENTERED = problem("red_entered", 409, "这张发票已登记一张红字发票，正在等待办理和复核，不用再登记。")
RED_NUMBER = problem("red_number", 422, "请填写红字发票的号码：20 位数字（旧版发票 8 位）。")
RED_NUMBER_TAKEN = problem("red_number_taken", 409, "这个号码已经是另一张发票的，请核对红字发票的号码。")
RED_DAY = problem("red_day", 422, "请选择红字发票的开具日期，不能早于原发票，也不能晚于今天。")
RED_FILE = problem("red_file", 422, "请选择红字发票的 PDF 文件（上限 5 MB），从电子税务局下载。")
INVOICE_MAIL_OFTEN = problem("invoice_mail_often", 429, "这张发票今天已经发送多次，请明天再试，或直接下载。")
INVOICE_NO_MAIL = problem("invoice_no_mail", 409, "现在不能用邮件发送发票，请直接下载。")
INVOICES_NONE = problem("invoices_none", 409, "没有符合条件的已开具发票，请换一个条件。")
INVOICES_NOT_ALL = problem(
    "invoices_not_all", 409, "发票太多，只能核对最近 5000 张的抬头，压缩包会不全。请选定支付日期，分段打包。"
)
INVOICES_TOO_MANY = problem("invoices_too_many", 409, "一次最多打包 500 张发票，请把日期分成几段。")
BUNDLE_OVER = problem("bundle_over", 409, "这个压缩包已过期或没有打包成功，请重新选择并打包。")
REASON_NEEDED = problem("reason_needed", 422, "请写明原因（2 到 200 个字）。")
PAYER_INVALID = problem("payer_invalid", 422, "开票信息有误，请按提示修改。")
PAYER_UNKNOWN = problem("payer_unknown", 409, "这个单位还没有登记开票信息，请先登记单位全称和纳税人识别号。")
