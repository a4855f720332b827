"""Payments and refunds of UnionPay as the platform sees them: merchant, number and the order's time name one."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping

from sandbox.box import Box
from sandbox.keys import Acquired
from sandbox.store import Record
from sandbox.unionpay_wire import beijing, moment

PROVIDER = "unionpay"
_NUMBER = re.compile(r"[0-9A-Za-z]{8,40}")
_AMOUNT = re.compile(r"[1-9][0-9]{0,11}")
_MESSAGES = {
    "10": "报文格式错误[6100030]",
    "12": "重复交易[2010002]",
    "30": "交易未通过，请尝试使用其他银联卡支付或联系95516",
    "34": "查无此交易[2600000]",
    "35": "原交易不存在或状态不正确[2011000]",
    "36": "与原交易信息不符[2040004]",
    "39": "交易不在受理时间范围内",
    "64": "卡上的余额不足",
}


class Refused(Exception):
    """The platform says no: its respCode and its message."""

    def __init__(self, code: str) -> None:
        self.code, self.message = code, _MESSAGES.get(code, "交易失败。详情请咨询95516")
        super().__init__(self.message)


def _taken(fields: Mapping[str, str], *names: str) -> dict[str, str]:
    """These fields of a request. Raises `Refused` for a number, amount, time or currency that is none."""
    try:
        moment(fields.get("txnTime", ""))
        moment(fields["payTimeout"]) if "payTimeout" in names else None
    except (ValueError, KeyError):
        raise Refused("10") from None
    good = _NUMBER.fullmatch(fields.get("orderId", "")) and _AMOUNT.fullmatch(fields.get("txnAmt", ""))
    if not good or fields.get("currencyCode") != "156":
        raise Refused("10")
    return {name: fields.get(name, "") for name in ("orderId", "txnTime", "txnAmt", "currencyCode", *names)}


class Book:
    """What one merchant may do. Every step is one transaction of the store."""

    def __init__(self, box: Box) -> None:
        self._box = box
        self._store = box.store

    def _key(self, mer_id: str, number: str, sent: str) -> str:
        return f"{mer_id}/{number}/{sent}"

    def _save(self, kind: str, row: Record) -> Record:
        self._store.put(PROVIDER, kind, self._key(row["mer_id"], row["orderId"], row["txnTime"]), row)
        return row

    def _new_id(self) -> str:
        return f"{beijing(self._box.clock.now())}{secrets.randbelow(10**7):07d}"

    def open(self, merchant: Acquired, fields: Mapping[str, str]) -> Record:
        """A browser arrives with a form: the payment, the same one for the same form. Raises `Refused`."""
        wanted = _taken(fields, "payTimeout", "frontUrl", "backUrl")
        with self._store.changing():
            key = self._key(merchant.mer_id, wanted["orderId"], wanted["txnTime"])
            found = self._store.get(PROVIDER, "payment", key)
            if found is None:
                now, deadline = self._box.clock.now(), moment(wanted["payTimeout"])
                made = {"mer_id": merchant.mer_id, "created": now, "deadline": deadline, "code": "", "refunded": 0}
                found = {**wanted, **made, "out_trade_no": wanted["orderId"]}
            elif "paid" in found:
                raise Refused("12")
            elif found["txnAmt"] != wanted["txnAmt"]:
                raise Refused("36")
            if self._box.clock.now() >= found["deadline"]:
                raise Refused("39")
            return self._save("payment", found)

    def find(self, number: str) -> Record:
        """The payment by its number alone. Raises `Refused` 34."""
        for _, row in self._store.all(PROVIDER, "payment", 100_000):
            if row["orderId"] == number:
                return row
        raise Refused("34")

    def pay(self, number: str, *, late: bool = False, code: str = "00") -> Record:
        """A card pays, or (`code`) is declined. Raises `Refused`."""
        with self._store.changing():
            row, now = self.find(number), self._box.clock.now()
            if "paid" in row:
                raise Refused("12")
            if now >= row["deadline"] and not late:
                raise Refused("39")
            if code != "00":
                return self._save("payment", {**row, "code": code})
            return self._save("payment", {**row, "code": code, "paid": now, "query_id": self._new_id()})

    def refund(self, merchant: Acquired, fields: Mapping[str, str], *, fails: bool) -> Record:
        """Money goes back in a moment. The same number and time again is refused as known. Raises `Refused`."""
        wanted = _taken(fields, "origQryId", "backUrl")
        with self._store.changing():
            key = self._key(merchant.mer_id, wanted["orderId"], wanted["txnTime"])
            if self._store.get(PROVIDER, "refund", key) or self._store.get(PROVIDER, "payment", key):
                raise Refused("12")
            payments = (row for _, row in self._store.all(PROVIDER, "payment", 100_000))
            origin = next((row for row in payments if row.get("query_id") == wanted["origQryId"]), None)
            if origin is None or origin["mer_id"] != merchant.mer_id:
                raise Refused("35")
            total = origin["refunded"] + int(wanted["txnAmt"])
            if total > int(origin["txnAmt"]):
                raise Refused("36")
            if not fails:
                self._save("payment", {**origin, "refunded": total})
            made = {
                "mer_id": merchant.mer_id,
                "made": self._box.clock.now(),
                "query_id": self._new_id(),
                "code": "30" if fails else "00",
                "out_trade_no": origin["orderId"],
                "out_refund_no": wanted["orderId"],
            }
            return self._save("refund", {**wanted, **made})

    def asked(self, merchant: Acquired, number: str, sent: str) -> tuple[str, Record]:
        """("payment" or "refund", what became of it). Raises `Refused` 34: of a payment page that was only opened
        nothing is known."""
        key = self._key(merchant.mer_id, number, sent)
        payment = self._store.get(PROVIDER, "payment", key)
        if payment is not None and payment["code"]:
            return "payment", payment
        refund = self._store.get(PROVIDER, "refund", key)
        if refund is None:
            raise Refused("34")
        return "refund", refund if self.settled(refund) else {**refund, "code": "05"}

    def settled(self, refund: Record) -> bool:
        """Whether the refund has come to its end."""
        return bool(self._box.clock.now() >= refund["made"] + self._box.refund_seconds)


def told(row: Record, kind: str) -> dict[str, str]:
    """A payment or refund as its notification tells it, and, under other names of the code, the question's answer."""
    at = row["paid"] if "paid" in row else row["made" if kind == "refund" else "created"]
    said = {
        "txnType": "01" if kind == "payment" else "04",
        "txnSubType": "01" if kind == "payment" else "00",
        "bizType": "000201",
        "accessType": "0",
        "orderId": row["orderId"],
        "txnTime": row["txnTime"],
        "txnAmt": row["txnAmt"],
        "currencyCode": row["currencyCode"],
        "queryId": row.get("query_id", ""),
        "traceNo": row.get("query_id", "")[-6:],
        "traceTime": beijing(at, "%m%d%H%M%S"),
        "settleAmt": row["txnAmt"],
        "settleCurrencyCode": "156",
        "settleDate": beijing(at + 3600, "%m%d"),  # a day of settlement ends at 23:00
        "respCode": row["code"],
        "respMsg": "成功[0000000]" if row["code"] == "00" else _MESSAGES.get(row["code"], "处理中"),
    }
    if kind == "refund":
        said["origQryId"] = row["origQryId"]
    return {name: value for name, value in said.items() if value}
