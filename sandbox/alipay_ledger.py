"""The trades and refunds of Alipay as the platform sees them: which step is allowed, and what it answers.

A precreated QR code and a payment page make no trade until somebody scans or opens them.
"""

from __future__ import annotations

import re
import secrets
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.alipay_wire import beijing, moment
from sandbox.box import Box
from sandbox.keys import Seller
from sandbox.store import Record

PROVIDER = "alipay"
CODE_LIVES = 2 * 3600
_TRADE_NO = re.compile(r"[0-9A-Za-z_]{1,64}")
_MESSAGES = {
    "ACQ.TRADE_NOT_EXIST": "交易不存在",
    "ACQ.TRADE_HAS_SUCCESS": "交易已被支付",
    "ACQ.TRADE_HAS_CLOSE": "交易已经关闭",
    "ACQ.TRADE_STATUS_ERROR": "交易状态不合法",
    "ACQ.CONTEXT_INCONSISTENT": "交易信息被篡改",
    "ACQ.REFUND_AMT_NOT_EQUAL_TOTAL": "退款金额超限",
    "ACQ.SELLER_BALANCE_NOT_ENOUGH": "卖家余额不足",
    "ACQ.DISCORDANT_REPEAT_REQUEST": "请求信息不一致",
}


class Refused(Exception):
    """The platform says no: its sub_code and its message."""

    def __init__(self, code: str, message: str = "") -> None:
        super().__init__(message or _MESSAGES.get(code, code))
        self.code, self.message = code, message or _MESSAGES.get(code, code)


def _amount(data: dict[str, Any], name: str) -> str:
    """Yuan with two decimals. Raises `Refused`."""
    text = data.get(name)
    try:
        value = Decimal(text) if isinstance(text, str) else Decimal("NaN")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not Decimal("0.01") <= value <= 100_000_000 or value != round(value, 2):
        raise Refused("ACQ.INVALID_PARAMETER", f"参数无效：{name}")
    return f"{value:.2f}"


def _text(data: dict[str, Any], name: str, longest: int) -> str:
    value = data.get(name)
    if not isinstance(value, str) or not value or len(value) > longest:
        raise Refused("ACQ.INVALID_PARAMETER", f"参数无效：{name}")
    return value


class Book:
    """What one application may do with its trades. Every step is one transaction of the store."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._store = box.store

    def asked(self, seller: Seller, data: dict[str, Any], notify_url: str, return_url: str) -> Record:
        """What a request for a payment asks for. Raises `Refused`."""
        number = data.get("out_trade_no")
        if not isinstance(number, str) or not _TRADE_NO.fullmatch(number):
            raise Refused("ACQ.INVALID_PARAMETER", "参数无效：out_trade_no")
        if data.get("seller_id") not in (None, seller.seller_id):
            raise Refused("ACQ.SELLER_NOT_EXIST", "卖家不存在")
        subject = _text(data, "subject", 256)
        if re.search(r"[/=&]", subject):
            raise Refused("ACQ.INVALID_PARAMETER", "参数无效：subject")
        try:
            deadline = moment(_text(data, "time_expire", 19))
        except ValueError:
            raise Refused("ACQ.INVALID_PARAMETER", "参数无效：time_expire") from None
        if deadline <= self._box.clock.now():
            raise Refused("ACQ.INVALID_PARAMETER", "订单已过期")
        return {
            "app_id": seller.app_id,
            "out_trade_no": number,
            "subject": subject,
            "total_amount": _amount(data, "total_amount"),
            "deadline": deadline,
            "notify_url": notify_url,
            "return_url": return_url,
        }

    def _key(self, wanted: Record) -> str:
        return f"{wanted['app_id']}/{wanted['out_trade_no']}"

    def trade(self, app_id: str, out_trade_no: str) -> Record:
        """The trade; one that nobody paid in time is closed. Raises `Refused` ACQ.TRADE_NOT_EXIST."""
        found = self._store.get(PROVIDER, "trade", f"{app_id}/{out_trade_no}")
        if found is None:
            raise Refused("ACQ.TRADE_NOT_EXIST")
        if found["trade_status"] == "WAIT_BUYER_PAY" and self._box.clock.now() >= found["deadline"]:
            return self._save({**found, "trade_status": "TRADE_CLOSED"})
        return found

    def _save(self, trade: Record) -> Record:
        self._store.put(PROVIDER, "trade", self._key(trade), trade)
        return trade

    def _still_payable(self, wanted: Record) -> None:
        trade = self._store.get(PROVIDER, "trade", self._key(wanted))
        if trade is None:
            return
        if trade["trade_status"] == "TRADE_CLOSED":
            raise Refused("ACQ.TRADE_HAS_CLOSE")
        if trade["trade_status"] != "WAIT_BUYER_PAY":
            raise Refused("ACQ.TRADE_HAS_SUCCESS")
        if trade["total_amount"] != wanted["total_amount"] or trade["subject"] != wanted["subject"]:
            raise Refused("ACQ.CONTEXT_INCONSISTENT")

    def precreate(self, wanted: Record) -> str:
        """A QR code for it; no trade yet. Raises `Refused`."""
        with self._store.changing():
            self._still_payable(wanted)
            code = f"https://qr.alipay.com/bax{secrets.token_hex(12)}"
            now = self._box.clock.now()
            self._store.put(PROVIDER, "code", code, {**wanted, "created": now, "until": now + CODE_LIVES})
            self._store.put(PROVIDER, "precreated", self._key(wanted), {**wanted, "code": code, "created": now})
        return code

    def scan(self, code: str, *, late: bool = False) -> Record:
        """Somebody scans a code: now there is a trade. `late`: past the last moment. Raises `Refused`."""
        wanted = self._store.get(PROVIDER, "code", code)
        if wanted is None:
            raise Refused("ACQ.TRADE_NOT_EXIST", "没有这个付款码")
        if wanted["until"] <= self._box.clock.now():
            raise Refused("CODE_EXPIRED", "二维码已过期，请返回重新获取")
        return self.open(wanted, late=late)

    def open(self, wanted: Record, *, late: bool = False) -> Record:
        """The trade of what was asked for, made if it is the first time. Raises `Refused`."""
        with self._store.changing():
            self._still_payable(wanted)
            now = self._box.clock.now()
            if now >= wanted["deadline"] and not late:
                raise Refused("ORDER_EXPIRED", "订单已过付款时间")
            found = self._store.get(PROVIDER, "trade", self._key(wanted))
            if found is not None:
                return found
            kept = {name: value for name, value in wanted.items() if name != "until"}
            number = f"{beijing(now)[:10].replace('-', '')}22001{secrets.randbelow(10**15):015d}"
            made = {"trade_no": number, "trade_status": "WAIT_BUYER_PAY", "created": now, "refunded": "0.00"}
            return self._save({**kept, **made})

    def pay(self, trade: Record, *, late: bool = False) -> Record:
        """Pay as the phone would. Raises `Refused`."""
        with self._store.changing():
            now = self._box.clock.now()
            if not late:
                trade = self.trade(trade["app_id"], trade["out_trade_no"])
            self._still_payable(trade)
            if now >= trade["deadline"] and not late:
                raise Refused("ORDER_EXPIRED", "订单已过付款时间")
            return self._save({**trade, "trade_status": "TRADE_SUCCESS", "paid": now})

    def close(self, app_id: str, out_trade_no: str) -> Record:
        """Close a trade that nobody has paid. Raises `Refused`."""
        with self._store.changing():
            trade = self.trade(app_id, out_trade_no)
            if trade["trade_status"] != "WAIT_BUYER_PAY":
                raise Refused("ACQ.TRADE_STATUS_ERROR")
            return self._save({**trade, "trade_status": "TRADE_CLOSED"})

    def refund(self, app_id: str, data: dict[str, Any], *, poor: bool) -> tuple[Record, Record, bool]:
        """(trade, refund, whether money moved now). The same out_request_no is one refund. Raises `Refused`."""
        amount, request_no = _amount(data, "refund_amount"), _text(data, "out_request_no", 64)
        with self._store.changing():
            trade = self.trade(app_id, _text(data, "out_trade_no", 64))
            key = f"{self._key(trade)}/{request_no}"
            earlier = self._store.get(PROVIDER, "refund", key)
            if earlier is not None:
                if earlier["refund_amount"] != amount:
                    raise Refused("ACQ.DISCORDANT_REPEAT_REQUEST")
                return trade, earlier, False
            if "paid" not in trade:
                raise Refused("ACQ.TRADE_STATUS_ERROR")
            if poor:
                raise Refused("ACQ.SELLER_BALANCE_NOT_ENOUGH")
            total = Decimal(trade["refunded"]) + Decimal(amount)
            if total > Decimal(trade["total_amount"]):
                raise Refused("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL")
            refund = {
                "app_id": app_id,
                "out_trade_no": trade["out_trade_no"],
                "out_request_no": request_no,
                "refund_amount": amount,
                "made": self._box.clock.now(),
            }
            self._store.put(PROVIDER, "refund", key, refund)
            whole = total == Decimal(trade["total_amount"])
            status = "TRADE_CLOSED" if whole else trade["trade_status"]
            trade = self._save({**trade, "refunded": f"{total:.2f}", "trade_status": status})
        return trade, refund, True

    def refund_of(self, app_id: str, out_trade_no: str, request_no: str) -> Record | None:
        """The refund, or None. Raises `Refused` ACQ.TRADE_NOT_EXIST."""
        self.trade(app_id, out_trade_no)
        return self._store.get(PROVIDER, "refund", f"{app_id}/{out_trade_no}/{request_no}")


def shown_trade(trade: Record) -> dict[str, Any]:
    """The trade as the query answers it."""
    shown = {name: trade[name] for name in ("trade_no", "out_trade_no", "trade_status", "total_amount")}
    shown |= {"buyer_logon_id": "159****5620", "receipt_amount": trade["total_amount"], "point_amount": "0.00"}
    if "paid" in trade:
        shown["send_pay_date"] = beijing(trade["paid"])
    return shown


def told_payment(seller: Seller, trade: Record, notify_id: str) -> dict[str, str]:
    """The payment as its notification tells it, whatever was refunded since."""
    return {
        "notify_id": notify_id,
        "notify_type": "trade_status_sync",
        "app_id": seller.app_id,
        "auth_app_id": seller.app_id,
        "seller_id": seller.seller_id,
        "trade_no": trade["trade_no"],
        "out_trade_no": trade["out_trade_no"],
        "trade_status": "TRADE_SUCCESS",
        "total_amount": trade["total_amount"],
        "receipt_amount": trade["total_amount"],
        "subject": trade["subject"],
        "gmt_create": beijing(trade["created"]),
        "gmt_payment": beijing(trade["paid"]),
        "fund_bill_list": f'[{{"amount":"{trade["total_amount"]}","fundChannel":"ALIPAYACCOUNT"}}]',
    }


def told_refund(seller: Seller, trade: Record, refund: Record, notify_id: str) -> dict[str, str]:
    """A refund: the payment's notification again, with what went back."""
    return told_payment(seller, trade, notify_id) | {
        "trade_status": trade["trade_status"],
        "out_biz_no": refund["out_request_no"],
        "refund_fee": trade["refunded"],
        "gmt_refund": f"{beijing(refund['made'])}.123",
    }
