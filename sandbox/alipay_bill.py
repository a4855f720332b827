"""Alipay's trade bill of one day, as the platform writes it: a ZIP with the single trades and a summary, in GBK."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.alipay_ledger import PROVIDER, Refused
from sandbox.alipay_wire import beijing
from sandbox.keys import Seller
from sandbox.store import Record, Store
from sandbox.wechatpay_wire import BEIJING

BILL_LINK_LIVES = 30
HEADER = (
    "支付宝交易号,商户订单号,业务类型,商品名称,创建时间,完成时间,门店编号,门店名称,操作员,终端号,对方账户,"
    "订单金额（元）,商家实收（元）,支付宝红包（元）,集分宝（元）,支付宝优惠（元）,商家优惠（元）,券核销金额（元）,券名称,"
    "商家红包消费金额（元）,卡消费金额（元）,退款批次号/请求号,服务费（元）,分润（元）,备注"
)
RULE = "-" * 40


def asked_day(data: dict[str, Any]) -> date:
    """The day that a request for a bill names. Raises `Refused`."""
    if data.get("bill_type") != "trade":
        raise Refused("isv.invalid-arguments", "参数有误：bill_type")
    try:
        return date.fromisoformat(str(data.get("bill_date")))
    except ValueError:
        raise Refused("isv.invalid-arguments", "参数有误：bill_date") from None


def ready(day: date) -> float:
    """When the bill is there: ten o'clock of the next day (seconds since the epoch)."""
    return (datetime(day.year, day.month, day.day, 10, tzinfo=BEIJING) + timedelta(days=1)).timestamp()


def _row(trade: Record, at: float, amount: Decimal, request_no: str) -> str:
    title = trade["subject"].replace(",", " ")
    begun = beijing(trade["created"])
    kind, yuan = "退款" if request_no else "交易", f"{amount:.2f}"
    cells = [
        f"{trade['trade_no']}\t", f"{trade['out_trade_no']}\t", kind, title, begun, beijing(at),
        "\t", "\t", "\t", "\t", "*三(159****5620)\t", yuan, yuan, "0.00", "0.00", "0.00", "0.00",
        "0.00", "", "0.00\t", "0.00", f"{request_no}\t", "0.00", "0.00", "",
    ]  # fmt: skip
    return ",".join(cells)


def trade_bill(store: Store, seller: Seller, day: date) -> str:
    """The text of the single trades and refunds of `day` (Beijing); empty where nothing happened."""
    trades = {
        trade["out_trade_no"]: trade
        for _, trade in store.all(PROVIDER, "trade", 1_000_000)
        if trade["app_id"] == seller.app_id and "paid" in trade
    }
    on = str(day)
    paid, back = [], []
    for trade in trades.values():
        if beijing(trade["paid"])[:10] == on:
            amount = Decimal(trade["total_amount"])
            paid.append((trade["paid"], _row(trade, trade["paid"], amount, ""), amount))
    for _, refund in store.all(PROVIDER, "refund", 1_000_000):
        if refund["app_id"] == seller.app_id and beijing(refund["made"])[:10] == on:
            amount = -Decimal(refund["refund_amount"])
            row = _row(trades[refund["out_trade_no"]], refund["made"], amount, refund["out_request_no"])
            back.append((refund["made"], row, amount))
    if not paid and not back:
        return ""
    return "\r\n".join(
        [
            "#支付宝业务明细查询",
            f"#账号：[{seller.seller_id}0156]",
            f"#起始日期：[{day:%Y年%m月%d日} 00:00:00]   终止日期：[{day + timedelta(days=1):%Y年%m月%d日} 00:00:00]",
            f"#{RULE}业务明细列表{RULE}",
            HEADER,
            *(row for _, row, _ in sorted(paid + back)),
            f"#{RULE}业务明细列表结束{RULE}",
            f"#交易合计：{len(paid)}笔，商家实收共{sum(each[2] for each in paid):.2f}元，商家优惠共0.00元",
            f"#退款合计：{len(back)}笔，商家实收退款共{sum(each[2] for each in back):.2f}元，商家优惠退款共0.00元",
            "#导出时间：[" + f"{day + timedelta(days=1):%Y年%m月%d日}" + " 09:12:37]",
            "",
        ]
    )


def packed(text: str, seller: Seller, day: date) -> bytes:
    """The ZIP file."""
    name, into = f"{seller.seller_id}0156_{day:%Y%m%d}_业务明细", io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.csv", text.encode("gbk", "replace"))
        archive.writestr(f"{name}(汇总).csv", "#支付宝业务汇总查询\r\n".encode("gbk"))
    return into.getvalue()
