"""The orders and refunds of WeChat Pay as the platform sees them: which step is allowed, and what it answers."""

from __future__ import annotations

import re
import secrets
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from sandbox.box import Box
from sandbox.keys import Merchant
from sandbox.store import Record
from sandbox.wechatpay_wire import rfc3339

PROVIDER = "wechatpay"
CODE_LIVES = 2 * 3600
ORDER_LIVES = 7 * 86400
REFUND_WITHIN = 365 * 86400
_TRADE_NO = re.compile(r"[0-9A-Za-z_\-|*]{6,32}")
_REFUND_NO = re.compile(r"[0-9A-Za-z_\-|*@]{1,64}")
STATE_TEXT = {"NOTPAY": "订单未支付", "SUCCESS": "支付成功", "CLOSED": "订单已关闭", "REFUND": "订单发生过退款"}
STATUS = {
    "PARAM_ERROR": 400, "INVALID_REQUEST": 400, "ORDER_CLOSED": 400, "ORDERPAID": 400,
    "APPID_MCHID_NOT_MATCH": 400, "MCH_NOT_EXISTS": 400, "NO_STATEMENT_EXIST": 400, "STATEMENT_CREATING": 400,
    "SIGN_ERROR": 401, "OUT_TRADE_NO_USED": 403, "NO_AUTH": 403, "NOT_ENOUGH": 403, "RULE_LIMIT": 403,
    "TRADE_ERROR": 403, "ACCOUNT_ERROR": 403, "ORDER_NOT_EXIST": 404, "RESOURCE_NOT_EXISTS": 404,
    "FREQUENCY_LIMITED": 429, "SYSTEM_ERROR": 500, "BANK_ERROR": 500,
}  # fmt: skip


class Refused(Exception):
    """The platform says no: its code, its message, and the field it means."""

    def __init__(self, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.field = code, message, field

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return STATUS.get(self.code, 400)


def _text(data: dict[str, Any], name: str, longest: int, *, need: bool = True) -> str:
    value = data.get(name)
    if value is None and not need:
        return ""
    if not isinstance(value, str) or not value or len(value) > longest:
        raise Refused("PARAM_ERROR", f"输入源“/body/{name}”映射到值字段“{name}”字符串规则校验失败", f"/body/{name}")
    return value


def _notify_url(data: dict[str, Any], *, need: bool) -> str:
    url = _text(data, "notify_url", 255, need=need)
    parts = urlsplit(url)
    if url and (parts.scheme not in ("http", "https") or not parts.netloc or parts.query):
        raise Refused("PARAM_ERROR", "无效的notify_url", "/body/notify_url")
    return url


def _fen(amount: Any, name: str) -> int:
    value = amount.get(name) if isinstance(amount, dict) else None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise Refused(
            "PARAM_ERROR", f"输入源“/body/amount/{name}”映射到数值字段失败，或小于1", f"/body/amount/{name}"
        )
    return value


def _currency(amount: dict[str, Any], default: str | None) -> str:
    currency = amount.get("currency", default)
    if currency != "CNY":
        raise Refused("PARAM_ERROR", "货币类型只支持CNY", "/body/amount/currency")
    return currency


class Ledger:
    """What one merchant may do with its orders. Every step is one transaction of the store."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._store = box.store

    def order(self, mchid: str, out_trade_no: str) -> Record:
        """The order. Raises `Refused` ORDER_NOT_EXIST."""
        found = self._store.get(PROVIDER, "order", f"{mchid}/{out_trade_no}")
        if found is None:
            raise Refused("ORDER_NOT_EXIST", "订单不存在")
        return found

    def by_transaction(self, mchid: str, transaction_id: str) -> Record:
        """The order that this transaction paid. Raises `Refused` ORDER_NOT_EXIST."""
        pointer = self._store.get(PROVIDER, "transaction", transaction_id)
        if pointer is None or pointer["mchid"] != mchid:
            raise Refused("ORDER_NOT_EXIST", "订单不存在")
        return self.order(mchid, pointer["out_trade_no"])

    def _save(self, order: Record) -> None:
        self._store.put(PROVIDER, "order", f"{order['mchid']}/{order['out_trade_no']}", order)

    def create(self, merchant: Merchant, data: dict[str, Any], trade_type: str) -> dict[str, str]:
        """Make the order, or, asked again with the same values, give a new code for it. Raises `Refused`."""
        now = self._box.clock.now()
        if data.get("mchid") != merchant.mchid:
            raise Refused("PARAM_ERROR", "商户号与签名的商户号不一致", "/body/mchid")
        if data.get("appid") not in (merchant.appid, merchant.official_appid):
            raise Refused("APPID_MCHID_NOT_MATCH", "appid和mch_id不匹配，请检查后再试")
        number = data.get("out_trade_no")
        if not isinstance(number, str) or not _TRADE_NO.fullmatch(number):
            raise Refused("PARAM_ERROR", "商户订单号格式错误", "/body/out_trade_no")
        amount = data.get("amount")
        expire = _text(data, "time_expire", 64, need=False)
        deadline = now + ORDER_LIVES
        if expire:
            try:
                moment = datetime.fromisoformat(expire)
            except ValueError:
                moment = None
            if moment is None or moment.tzinfo is None:
                raise Refused("PARAM_ERROR", "time_expire格式错误", "/body/time_expire")
            deadline = moment.timestamp()
            if deadline <= now:
                raise Refused("PARAM_ERROR", "time_expire时间过短，请检查后再试", "/body/time_expire")
        payer = data.get("payer")
        openid = ""
        if trade_type == "JSAPI":
            openid = _text(payer if isinstance(payer, dict) else {}, "openid", 128)
        asked = {
            "mchid": merchant.mchid,
            "appid": data["appid"],
            "out_trade_no": number,
            "description": _text(data, "description", 127),
            "attach": _text(data, "attach", 128, need=False),
            "notify_url": _notify_url(data, need=True),
            "total": _fen(amount, "total"),
            "currency": _currency(amount if isinstance(amount, dict) else {}, "CNY"),
            "time_expire": expire,
            "trade_type": trade_type,
            "openid": openid,
        }
        with self._store.changing():
            order = self._store.get(PROVIDER, "order", f"{merchant.mchid}/{number}")
            if order is None:
                order = {**asked, "deadline": deadline, "created": now, "trade_state": "NOTPAY", "refunded": 0}
            elif order["trade_state"] in ("SUCCESS", "REFUND"):
                raise Refused("ORDERPAID", "该订单已支付")
            elif order["trade_state"] == "CLOSED":
                raise Refused("ORDER_CLOSED", "该订单已关闭")
            elif any(order[name] != value for name, value in asked.items()):
                raise Refused("OUT_TRADE_NO_USED", "商户订单号重复")
            answer: dict[str, str]
            if trade_type == "NATIVE":
                order["code_url"] = f"weixin://wxpay/bizpayurl?pr={secrets.token_urlsafe(7)[:9]}"
                answer = {"code_url": order["code_url"]}
            else:
                order["prepay_id"] = f"wx{secrets.token_hex(17)}"
                answer = {"prepay_id": order["prepay_id"]}
            pointer = {"mchid": merchant.mchid, "out_trade_no": number, "until": now + CODE_LIVES}
            self._store.put(PROVIDER, "code", next(iter(answer.values())), pointer)
            self._save(order)
        return answer

    def close(self, mchid: str, out_trade_no: str) -> None:
        """Close an unpaid order. Raises `Refused`."""
        with self._store.changing():
            order = self.order(mchid, out_trade_no)
            if order["trade_state"] == "CLOSED":
                raise Refused("ORDER_CLOSED", "该订单已关闭")
            if order["trade_state"] != "NOTPAY":
                raise Refused("ORDERPAID", "该订单已支付")
            self._save({**order, "trade_state": "CLOSED"})

    def find_payable(self, code: str) -> Record:
        """The order behind a scanned code_url, a prepay_id or an order number. Raises `Refused`."""
        pointer = self._store.get(PROVIDER, "code", code)
        if pointer is not None:
            if pointer["until"] <= self._box.clock.now():
                raise Refused("CODE_EXPIRED", "二维码已过期，请返回重新获取")
            return self.order(pointer["mchid"], pointer["out_trade_no"])
        for mchid in self._box.merchants:
            order = self._store.get(PROVIDER, "order", f"{mchid}/{code}")
            if order is not None:
                return order
        raise Refused("ORDER_NOT_EXIST", "没有这个订单或付款码")

    def pay(self, order: Record, openid: str, *, late: bool) -> Record:
        """Pay as the phone would. `late`: an order past its time_expire is paid all the same. Raises `Refused`."""
        now = self._box.clock.now()
        with self._store.changing():
            order = self.order(order["mchid"], order["out_trade_no"])
            if order["trade_state"] == "CLOSED":
                raise Refused("ORDER_CLOSED", "订单已关闭，不能付款")
            if order["trade_state"] != "NOTPAY":
                raise Refused("ORDERPAID", "订单已经付过款了")
            if now >= order["deadline"] and not late:
                raise Refused("ORDER_EXPIRED", "订单已过付款时间")
            transaction_id = f"42000{int(now * 1000):015d}{secrets.randbelow(10**8):08d}"
            order |= {
                "trade_state": "SUCCESS",
                "transaction_id": transaction_id,
                "success_time": rfc3339(now),
                "paid": now,
                "openid": order["openid"] or openid,
            }
            self._save(order)
            self._store.put(
                PROVIDER,
                "transaction",
                transaction_id,
                {"mchid": order["mchid"], "out_trade_no": order["out_trade_no"]},
            )
        return order

    def refund(self, merchant: Merchant, data: dict[str, Any], *, abnormal: bool) -> tuple[Record, bool]:
        """Ask for a refund; (refund, is it new). The same out_refund_no is one refund. Raises `Refused`."""
        now = self._box.clock.now()
        number = data.get("out_refund_no")
        if not isinstance(number, str) or not _REFUND_NO.fullmatch(number):
            raise Refused("PARAM_ERROR", "商户退款单号格式错误", "/body/out_refund_no")
        amount = data.get("amount")
        refund_fen, total = _fen(amount, "refund"), _fen(amount, "total")
        currency = _currency(amount if isinstance(amount, dict) else {}, None)
        url = _notify_url(data, need=False)
        with self._store.changing():
            try:
                if data.get("transaction_id"):
                    order = self.by_transaction(merchant.mchid, str(data["transaction_id"]))
                else:
                    order = self.order(merchant.mchid, _text(data, "out_trade_no", 32))
            except Refused as error:
                if error.code != "ORDER_NOT_EXIST":
                    raise
                raise Refused("RESOURCE_NOT_EXISTS", "订单不存在") from None
            key = f"{merchant.mchid}/{number}"
            earlier = self._store.get(PROVIDER, "refund", key)
            if earlier is not None:
                same = earlier["refund"] == refund_fen and earlier["out_trade_no"] == order["out_trade_no"]
                if not same or total != order["total"]:
                    raise Refused("INVALID_REQUEST", "订单金额或退款金额与之前请求不一致，请核实后再试")
                return earlier, False
            if order["trade_state"] not in ("SUCCESS", "REFUND"):
                raise Refused("INVALID_REQUEST", "订单未支付，不能退款")
            if total != order["total"]:
                raise Refused("INVALID_REQUEST", "订单金额与原订单不一致，请核实后再试")
            if order["refunded"] + refund_fen > order["total"]:
                raise Refused("INVALID_REQUEST", "申请退款金额大于订单剩余可退金额")
            if now - order["paid"] > REFUND_WITHIN:
                raise Refused("INVALID_REQUEST", "订单已超过可退款的最大期限")
            made = {
                "refund_id": f"503{int(now * 1000):015d}{secrets.randbelow(10**10):010d}",
                "out_refund_no": number,
                "transaction_id": order["transaction_id"],
                "out_trade_no": order["out_trade_no"],
                "mchid": merchant.mchid,
                "refund": refund_fen,
                "total": order["total"],
                "currency": currency,
                "reason": str(data.get("reason", ""))[:80],
                "notify_url": url,
                "created": now,
                "settles": now + self._box.refund_seconds,
                "outcome": "ABNORMAL" if abnormal else "SUCCESS",
                "status": "PROCESSING",
            }
            self._store.put(PROVIDER, "refund", key, made)
            self._save({**order, "refunded": order["refunded"] + refund_fen})
        return made, True

    def settled(self, mchid: str, out_refund_no: str) -> Record:
        """The refund, with the outcome that its time has brought. Raises `Refused` RESOURCE_NOT_EXISTS."""
        with self._store.changing():
            key = f"{mchid}/{out_refund_no}"
            refund = self._store.get(PROVIDER, "refund", key)
            if refund is None:
                raise Refused("RESOURCE_NOT_EXISTS", "退款单不存在")
            if refund["status"] == "PROCESSING" and self._box.clock.now() >= refund["settles"]:
                refund["status"] = refund["outcome"]
                if refund["status"] == "SUCCESS":
                    refund["success_time"] = rfc3339(refund["settles"])
                    order = self.order(mchid, refund["out_trade_no"])
                    self._save({**order, "trade_state": "REFUND"})
                self._store.put(PROVIDER, "refund", key, refund)
        return refund


def shown_order(order: Record) -> dict[str, Any]:
    """The order as the query answers it."""
    state = order["trade_state"]
    shown: dict[str, Any] = {
        "appid": order["appid"],
        "mchid": order["mchid"],
        "out_trade_no": order["out_trade_no"],
        "trade_state": state,
        "trade_state_desc": STATE_TEXT[state],
        "attach": order["attach"],
        "amount": {"total": order["total"], "currency": order["currency"]},
    }
    if "transaction_id" in order:
        shown |= {
            "transaction_id": order["transaction_id"],
            "trade_type": order["trade_type"],
            "bank_type": "OTHERS",
            "success_time": order["success_time"],
            "payer": {"openid": order["openid"]},
        }
        shown["amount"] |= {"payer_total": order["total"], "payer_currency": order["currency"]}
    return shown


def shown_refund(refund: Record) -> dict[str, Any]:
    """The refund as the request and the query answer it."""
    shown = {
        name: refund[name] for name in ("refund_id", "out_refund_no", "transaction_id", "out_trade_no", "status")
    }
    shown |= {
        "channel": "ORIGINAL",
        "user_received_account": "支付用户零钱",
        "create_time": rfc3339(refund["created"]),
        "funds_account": "AVAILABLE",
        "amount": {
            "total": refund["total"],
            "refund": refund["refund"],
            "payer_total": refund["total"],
            "payer_refund": refund["refund"],
            "settlement_refund": refund["refund"],
            "settlement_total": refund["total"],
            "discount_refund": 0,
            "currency": refund["currency"],
        },
    }
    if "success_time" in refund:
        shown["success_time"] = refund["success_time"]
    return shown


def told_refund(refund: Record) -> dict[str, Any]:
    """The refund as its notification tells it (other names than the query's)."""
    told = {
        "mchid": refund["mchid"],
        "out_trade_no": refund["out_trade_no"],
        "transaction_id": refund["transaction_id"],
        "out_refund_no": refund["out_refund_no"],
        "refund_id": refund["refund_id"],
        "refund_status": refund["status"],
        "user_received_account": "支付用户零钱",
        "amount": {
            "total": refund["total"],
            "refund": refund["refund"],
            "payer_total": refund["total"],
            "payer_refund": refund["refund"],
        },
    }
    if "success_time" in refund:
        told["success_time"] = refund["success_time"]
    return told
