"""UnionPay, gateway for cards of persons (网关支付 B2C), 全渠道 5.1.0. There is no SDK: the wire is unionpay_wire.py.

A payment is three things to UnionPay: merchant, our number, and the time of our order (txnTime), which a question
must name again. Ours is the moment that stands in the number itself, so that nothing has to be kept. Nobody can close
a payment there: payTimeout is the order's own end. Wire facts: docs/providers.md, UnionPay.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from urllib.parse import urlencode

from app.core.clock import SHANGHAI, shanghai, utcnow
from app.core.ids import made_at
from app.core.outgoing import Line
from app.pay.providers import posted, unionpay_bill
from app.pay.providers.protocol import (
    BillLine,
    Forged,
    Form,
    NoBill,
    Notification,
    PayBy,
    PaymentRequest,
    PaymentTruth,
    RefundRequest,
    RefundState,
    Refused,
    Unknown,
)
from app.pay.providers.unionpay_wire import NotSigned, Signer, Trust, parsed
from config.settings import Secrets

LIVE = "https://gateway.95516.com"
LIVE_FILES = "https://filedownload.95516.com/"
LIVE_HOSTS = "https://*.95516.com"  # the gateway leads on to its cashier
TIME = "%Y%m%d%H%M%S"  # Beijing's
TAKEN = "ok"  # any body with status 200 ends a notification
FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=UTF-8"}
YUAN = "156"

_DONE = ("00", "A6")  # A6: done, with a flaw that is not the payer's
# no answer, unclear, taken in, the issuer is at it; charged and not booked: neither yes nor no
_DOUBT = ("03", "04", "05", "83", "74", "75")
_AWAY = ("02", "06")  # closed for now, busy
_AGAIN = "12"  # this very number is known already
_ABSENT = "34"
_NO_FILE = "98"


def sent_at(number: str) -> str:
    """txnTime of a payment's or refund's number: both hold the id of a row, and the id its moment."""
    row_id = number[1:17] if len(number) == 17 else number[:16]
    return shanghai(made_at(row_id.lower())).strftime(TIME)


class UnionPayProvider:
    """The merchant whose secrets stand under `authority`."""

    acknowledgement = TAKEN
    payer_app = None
    web_payer_app = None

    def __init__(self, authority: str, secrets: Secrets, gateway: str, files: str, hosts: str):
        def secret(name: str) -> str:
            return secrets.get(f"{authority}.{name}")

        self.mer_id = secret("mer_id")
        self._signer = Signer(secret("sign_pfx"), secret("sign_pfx_password"))
        self._trust = Trust(secret("root_certificate"), secret("middle_certificate"))
        self._line, self._files = Line(authority, Unknown), Line(f"{authority} bills", Unknown)
        self._gateway, self._file_url, self._hosts = f"{gateway}/gateway/api", files, hosts

    @property
    def in_order(self) -> bool:
        return not self._line.breaker.open

    def _signed(self, number: str, **fields: str) -> dict[str, str]:
        common = {"merId": self.mer_id, "accessType": "0", "channelType": "07", "txnSubType": "00"}
        return self._signer.signed({**common, "orderId": number, "txnTime": sent_at(number), **fields})

    def _ask(self, url: str, fields: Mapping[str, str]) -> Mapping[str, str]:
        """The answer's fields. Raises `Unknown` for what UnionPay did not sign, or what answers another question."""
        answer = self._line.send("POST", url, data=urlencode(fields).encode(), headers=FORM)
        if answer.status != 200:
            raise Unknown(f"status {answer.status}")
        return self._verified(answer.body, fields)

    def _verified(self, body: bytes, fields: Mapping[str, str]) -> Mapping[str, str]:
        try:
            said = self._trust.verified(parsed(body), utcnow())
        except (ValueError, NotSigned) as error:
            raise Unknown(f"not an answer of UnionPay's: {error}") from error
        if any(said.get(name, fields.get(name)) != fields.get(name) for name in ("merId", "orderId", "txnTime")):
            raise Unknown("an answer to another question")
        return said

    def create(self, request: PaymentRequest) -> PayBy:
        if request.way != "form":
            raise ValueError(f"UnionPay is not paid by {request.way}")
        fields = self._signed(
            request.out_trade_no,
            txnType="01",
            txnSubType="01",
            bizType="000201",
            txnAmt=str(request.amount_fen),
            currencyCode=YUAN,
            payTimeout=shanghai(request.expires_at).strftime(TIME),
            frontUrl=request.return_url,
            backUrl=request.notify_url,
        )
        return Form(f"{self._gateway}/frontTransReq.do", fields, self._hosts)

    def _question(self, number: str) -> tuple[str, Mapping[str, str]]:
        """What became of a payment or a refund: its own code ("34": there is none), and all that is said of it."""
        fields = self._signed(number, txnType="00", bizType="000000")
        said = self._ask(f"{self._gateway}/queryTrans.do", fields)
        code = said.get("respCode", "")
        if code == _ABSENT:
            return _ABSENT, said
        if code != "00":
            raise Unknown(f"respCode {code}")
        return said.get("origRespCode", ""), said

    def query(self, out_trade_no: str) -> PaymentTruth:
        code, said = self._question(out_trade_no)
        if code in _DONE:
            return self._paid(said)
        if code in _DOUBT or not code:
            raise Unknown(f"origRespCode {code}")
        return PaymentTruth("absent", out_trade_no)  # nobody paid yet, or a card was declined: no payment

    def _paid(self, said: Mapping[str, str]) -> PaymentTruth:
        """A payment as the query's answer and the notification describe it."""
        amount, currency = said.get("txnAmt", ""), said.get("currencyCode", "")
        return PaymentTruth(
            state="paid",
            out_trade_no=said.get("orderId", ""),
            amount_fen=int(amount) if amount.isascii() and amount.isdigit() and len(amount) <= 12 else -1,
            currency="CNY" if currency == YUAN else currency[:8],
            transaction_id=said.get("queryId", "")[:64],
            ours=said.get("merId") == self.mer_id,
            paid_at=_moment(said.get("txnTime", ""), said.get("traceTime", "")),
        )

    def close(self, out_trade_no: str) -> None:
        """There is no such call: payTimeout ends it. What comes even so is found by the questions after, and goes
        back."""

    def refund(self, request: RefundRequest) -> RefundState:
        fields = self._signed(
            request.out_refund_no,
            txnType="04",
            bizType="000201",
            origQryId=request.transaction_id,
            txnAmt=str(request.amount_fen),
            currencyCode=YUAN,
            backUrl=request.notify_url,
        )
        code = self._ask(f"{self._gateway}/backTransReq.do", fields).get("respCode", "")
        if code in _AWAY or not code:
            raise Unknown(f"respCode {code}")
        if code != "00" and code != _AGAIN and code not in _DOUBT:
            raise Refused(code)
        return "processing"  # taken in; whether the money goes, the question tells

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundState:
        code, _ = self._question(out_refund_no)
        if code == _ABSENT:
            return "absent"
        if code in _DONE:
            return "succeeded"
        return "processing" if code in _DOUBT or not code else "failed"

    def verify_notification(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
        said = posted.fields(body)
        try:
            self._trust.verified(said, now)
        except NotSigned as error:
            raise Forged(str(error)) from error
        number, kind = said.get("orderId"), said.get("txnType")
        if not number or kind not in ("01", "04"):
            raise Forged("content")
        if said.get("merId") != self.mer_id:  # UnionPay's, and about somebody else's money: whoever sent it here
            raise Forged("another merchant's")
        # it has no id of its own and says no time: the same statement has the same signature
        if kind == "04":
            return Notification(said["signature"], "refund", number)
        told = self._paid(said) if said.get("respCode") in _DONE else None
        return Notification(said["signature"], "payment", number, told)

    def bill(self, day: date) -> Iterator[BillLine]:
        """Of UnionPay's own day of settlement, which begins at 23:00 of the day before."""
        fields = self._signer.signed(
            {
                "merId": self.mer_id,
                "accessType": "0",
                "txnType": "76",
                "txnSubType": "01",
                "bizType": "000000",
                "fileType": "00",
                "txnTime": shanghai(utcnow()).strftime(TIME),
                "settleDate": f"{day:%m%d}",
            }
        )
        body = io.BytesIO()
        self._files.download(
            self._file_url, body, headers=FORM, data=urlencode(fields).encode(), limit=unionpay_bill.LARGEST
        )
        said = self._verified(body.getvalue(), fields)
        code = said.get("respCode", "")
        if code == _NO_FILE:
            raise NoBill(code)
        if code != "00" or said.get("settleDate", fields["settleDate"]) != fields["settleDate"]:
            raise Unknown(f"respCode {code}")
        return unionpay_bill.lines(said.get("fileContent", ""), self.mer_id, day)


def _moment(sent: str, trace: str) -> datetime | None:
    """traceTime has no year (MMDDhhmmss, Beijing's): it is the next such moment around txnTime's; None for anything
    else."""
    try:
        order = datetime.strptime(sent, TIME).replace(tzinfo=SHANGHAI)
        moment = datetime.strptime(f"{order.year}{trace}", TIME).replace(tzinfo=SHANGHAI)
        return moment if moment > order - timedelta(days=180) else moment.replace(year=order.year + 1)
    except ValueError:
        return None
