"""The trade bill of one day: yuan with two decimals, each field behind a backtick, as the platform writes it."""

from __future__ import annotations

from datetime import date, datetime

from sandbox.keys import Merchant
from sandbox.store import Record, Store
from sandbox.wechatpay_wire import BEIJING

HEADER = (
    "交易时间,公众账号ID,商户号,特约商户号,设备号,微信订单号,商户订单号,用户标识,交易类型,交易状态,付款银行,"
    "货币种类,应结订单金额,代金券金额,微信退款单号,商户退款单号,退款金额,充值券退款金额,退款类型,退款状态,"
    "商品名称,商户数据包,手续费,费率,订单金额,申请退款金额,费率备注"
)
TOTALS = "总交易单数,应结订单总金额,退款总金额,充值券退款总金额,手续费总金额,订单总金额,申请退款总金额"


def _yuan(fen: int) -> str:
    return f"{fen // 100}.{fen % 100:02d}"


def _line(values: list[str]) -> str:
    return ",".join("`" + value.replace(",", "，") for value in values)


def _day(seconds: float) -> date:
    return datetime.fromtimestamp(seconds, BEIJING).date()


def _row(merchant: Merchant, order: Record, at: float, refund: Record | None) -> list[str]:
    moment = datetime.fromtimestamp(at, BEIJING).strftime("%Y-%m-%d %H:%M:%S")
    back = _yuan(refund["refund"]) if refund else "0.00"
    return [
        moment, merchant.appid, merchant.mchid, "0", "", order["transaction_id"], order["out_trade_no"],
        order["openid"], order["trade_type"], "REFUND" if refund else "SUCCESS", "OTHERS", order["currency"],
        "0.00" if refund else _yuan(order["total"]), "0.00",
        refund["refund_id"] if refund else "0", refund["out_refund_no"] if refund else "0", back, "0.00",
        "ORIGINAL" if refund else "", refund["status"] if refund else "",
        order["description"], order["attach"], "0.00000", "0.60%",
        "0.00" if refund else _yuan(order["total"]), back, "",
    ]  # fmt: skip


def trade_bill(store: Store, merchant: Merchant, day: date) -> str:
    """The bill's text, payments and refunds of `day` (Beijing); empty where nothing happened."""
    orders = {
        order["out_trade_no"]: order
        for _, order in store.all("wechatpay", "order", 1_000_000)
        if order["mchid"] == merchant.mchid and "transaction_id" in order
    }
    rows = []
    paid = back = 0
    for order in orders.values():
        if _day(order["paid"]) == day:
            rows.append((order["paid"], _row(merchant, order, order["paid"], None)))
            paid += order["total"]
    for _, refund in store.all("wechatpay", "refund", 1_000_000):
        if refund["mchid"] == merchant.mchid and _day(refund["created"]) == day:
            order = orders[refund["out_trade_no"]]
            rows.append((refund["created"], _row(merchant, order, refund["created"], refund)))
            back += refund["refund"]
    if not rows:
        return ""
    lines = [HEADER, *(_line(row) for _, row in sorted(rows)), TOTALS]
    totals = [str(len(rows)), _yuan(paid), _yuan(back), "0.00", "0.00000", _yuan(paid), _yuan(back)]
    return "\n".join([*lines, _line(totals)]) + "\n"
