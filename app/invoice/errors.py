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
