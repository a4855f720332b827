"""Alipay, OpenAPI v1 gateway, through alipay-sdk-python.

The SDK shapes requests and takes answers apart. It is kept from signing (it does so in pure Python), from verifying
(it accepts SHA-1) and from the network (a connection a call, no explicit port): `SignedClient` does these.
Wire facts: docs/providers.md, Alipay.
"""

from __future__ import annotations

import base64
import json
import re
import uuid
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from alipay.aop.api.AlipayClientConfig import AlipayClientConfig
from alipay.aop.api.constant.CommonConstants import THREAD_LOCAL
from alipay.aop.api.DefaultAlipayClient import DefaultAlipayClient
from alipay.aop.api.domain.AlipayDataDataserviceBillDownloadurlQueryModel import (
    AlipayDataDataserviceBillDownloadurlQueryModel,
)
from alipay.aop.api.domain.AlipayTradeCloseModel import AlipayTradeCloseModel
from alipay.aop.api.domain.AlipayTradeFastpayRefundQueryModel import AlipayTradeFastpayRefundQueryModel
from alipay.aop.api.domain.AlipayTradePrecreateModel import AlipayTradePrecreateModel
from alipay.aop.api.domain.AlipayTradeQueryModel import AlipayTradeQueryModel
from alipay.aop.api.domain.AlipayTradeRefundModel import AlipayTradeRefundModel
from alipay.aop.api.domain.AlipayTradeWapPayModel import AlipayTradeWapPayModel
from alipay.aop.api.exception.Exception import ResponseException
from alipay.aop.api.request.AlipayDataDataserviceBillDownloadurlQueryRequest import (
    AlipayDataDataserviceBillDownloadurlQueryRequest,
)
from alipay.aop.api.request.AlipayTradeCloseRequest import AlipayTradeCloseRequest
from alipay.aop.api.request.AlipayTradeFastpayRefundQueryRequest import AlipayTradeFastpayRefundQueryRequest
from alipay.aop.api.request.AlipayTradePrecreateRequest import AlipayTradePrecreateRequest
from alipay.aop.api.request.AlipayTradeQueryRequest import AlipayTradeQueryRequest
from alipay.aop.api.request.AlipayTradeRefundRequest import AlipayTradeRefundRequest
from alipay.aop.api.request.AlipayTradeWapPayRequest import AlipayTradeWapPayRequest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

from app.core import money
from app.core.clock import SHANGHAI, shanghai, utcnow
from app.core.outgoing import Line
from app.pay.providers import alipay_bill, bill_file, posted
from app.pay.providers.protocol import (
    AlreadyPaid,
    BillLine,
    Forged,
    NoBill,
    Notification,
    PayBy,
    PaymentRequest,
    PaymentTruth,
    QrCode,
    Redirect,
    RefundRequest,
    RefundState,
    Refused,
    Unknown,
)
from config.settings import Secrets

LIVE = "https://openapi.alipay.com"
WINDOW = 300  # seconds that a notification may be old or ahead
TIME = "%Y-%m-%d %H:%M:%S"  # Beijing's
NO_BILL = "isp.bill_not_exist"
TAKEN = "success"  # exactly this ends a notification
FORM = {"Content-Type": "application/x-www-form-urlencoded;charset=utf-8"}

_STATES = {
    "WAIT_BUYER_PAY": "unpaid",
    "TRADE_SUCCESS": "paid",
    "TRADE_FINISHED": "paid",  # paid, and too old to be refunded
    "TRADE_CLOSED": "closed",
}
_PAID = ("ACQ.TRADE_HAS_SUCCESS", "ACQ.TRADE_HAS_FINISHED")
_ABSENT = ("ACQ.TRADE_NOT_EXIST", "TRADE_NOT_EXIST")
_CURRENCIES = ("trans_currency", "pay_currency", "settle_currency")


def fresh(text: str, now: datetime) -> bool:
    """Whether a moment of Beijing's clock is within five minutes of `now`."""
    moment = _moment(text)
    return moment is not None and abs((now - moment).total_seconds()) <= WINDOW


def signature_good(key: RSAPublicKey, content: bytes, signature: Any) -> bool:
    """Whether `key` signed `content` with SHA-256. Base64 in another spelling (a decoder is lenient) is not good."""
    try:
        raw = base64.b64decode(signature, validate=True)
        key.verify(raw, content, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError, TypeError):
        return False
    return base64.b64encode(raw).decode() == signature


def _der(text: str) -> bytes:
    """A key's bytes, whether it comes as PEM or, as Alipay's own tool hands it out, as bare base64."""
    return base64.b64decode("".join(line for line in text.splitlines() if not line.startswith("-----")))


class SignedClient(DefaultAlipayClient):  # type: ignore[misc]
    """The SDK's client that signs and verifies with SHA-256 only, over a line of ours."""

    def __init__(self, gateway: str, app_id: str, private_key: str, platform_key: str, line: Line):
        config = AlipayClientConfig()
        config.server_url, config.app_id, config.sign_type, config.skip_sign = gateway, app_id, "RSA2", True
        super().__init__(config)
        self._gateway, self._line = gateway, line
        private, platform = load_der_private_key(_der(private_key), None), load_der_public_key(_der(platform_key))
        if not isinstance(private, RSAPrivateKey) or not isinstance(platform, RSAPublicKey):
            raise ValueError("not RSA keys")
        self._private_key, self.platform_key = private, platform

    def _signed(self, request: Any) -> tuple[dict[str, str], dict[str, str]]:
        THREAD_LOCAL.uuid = uuid.uuid4().hex  # the SDK wants it in its messages
        common, own = self._DefaultAlipayClient__prepare_request_params(request)
        common["timestamp"] = shanghai(utcnow()).strftime(TIME)  # the SDK takes the machine's local time
        signed = {name: value for name, value in {**own, **common}.items() if value}
        content = "&".join(f"{name}={signed[name]}" for name in sorted(signed))
        signature = self._private_key.sign(content.encode(), PKCS1v15(), SHA256())
        common["sign"] = base64.b64encode(signature).decode()
        return common, own

    def ask(self, request: Any) -> dict[str, str]:
        """The answer's fields, each as text. Raises `Unknown` for what Alipay did not sign, `Refused` for a no."""
        common, own = self._signed(request)
        url = f"{self._gateway}?{urlencode(common)}"
        answer = self._line.send("POST", url, data=urlencode(own).encode(), headers=FORM)
        if answer.status != 200:
            raise Unknown(f"status {answer.status}")
        node = f"{common['method'].replace('.', '_')}_response"
        try:
            outer = json.loads(answer.body, parse_float=str, parse_int=str)
            content = self._DefaultAlipayClient__parse_response(answer.body)
            said = json.loads(content, parse_float=str, parse_int=str)
            if said != outer[node] or not isinstance(said, dict):
                raise Unknown("an answer of another shape")
            signature = outer.get("sign")
        except (ValueError, KeyError, TypeError, AttributeError, ResponseException) as error:
            raise Unknown("not an answer") from error
        if not signature_good(self.platform_key, content.encode(), signature):
            raise Unknown("an answer without a good signature")
        return _allowed(said)

    def page(self, request: Any) -> str:
        """The address of Alipay's page for this request; nobody is called."""
        common, own = self._signed(request)
        return f"{self._gateway}?{urlencode(common | own)}"


def _allowed(said: dict[str, Any]) -> dict[str, str]:
    code, reason = said.get("code"), str(said.get("sub_code") or said.get("code")).removeprefix("aop.")
    if code == "10000":
        return said
    if reason == NO_BILL:
        raise NoBill(reason)
    if code == "20000" or reason.startswith("isp.") or reason.endswith("SYSTEM_ERROR"):
        raise Unknown(reason)
    raise (AlreadyPaid if reason in _PAID else Refused)(reason)


def _filled(what: Any, **values: Any) -> Any:
    for name, value in values.items():
        setattr(what, name, value)
    return what


class AlipayProvider:
    """The merchant whose secrets stand under `authority`."""

    acknowledgement = TAKEN
    payer_app = None
    web_payer_app = None

    def __init__(self, authority: str, secrets: Secrets, gateway: str):
        def secret(name: str) -> str:
            return secrets.get(f"{authority}.{name}")

        self.app_id, self.seller_id = secret("app_id"), secret("seller_id")
        self._line, self._files = Line(authority, Unknown), Line(f"{authority} bills", Unknown)
        self._gateway = gateway
        self._client = SignedClient(
            f"{gateway}/gateway.do",
            self.app_id,
            secret("app_private_key"),
            secret("alipay_public_key"),
            self._line,
        )

    @property
    def in_order(self) -> bool:
        return not self._line.breaker.open

    def create(self, request: PaymentRequest) -> PayBy:
        values = {
            "out_trade_no": request.out_trade_no,
            "subject": re.sub(r"[/=&]", " ", request.title)[:120],
            "total_amount": money.yuan(request.amount_fen),
            "time_expire": shanghai(request.expires_at).strftime(TIME),
            "seller_id": self.seller_id,
        }
        if request.way == "wap":
            model = _filled(
                AlipayTradeWapPayModel(), **values, product_code="QUICK_WAP_WAY", quit_url=request.return_url
            )
            page = AlipayTradeWapPayRequest(biz_model=model)
            return Redirect(
                self._client.page(_filled(page, notify_url=request.notify_url, return_url=request.return_url))
            )
        if request.way != "qr":
            raise ValueError(f"Alipay is not paid by {request.way}")
        precreate = AlipayTradePrecreateRequest(biz_model=_filled(AlipayTradePrecreateModel(), **values))
        answer = self._ask(_filled(precreate, notify_url=request.notify_url), request.out_trade_no)
        code = answer.get("qr_code")
        if not isinstance(code, str) or not code.startswith("https://"):
            raise Unknown("no qr_code")
        return QrCode(code)

    def _ask(self, request: Any, out_trade_no: str) -> dict[str, str]:
        """An answer about this payment; a good answer about another one is none."""
        answer = self._client.ask(request)
        if answer.get("out_trade_no", out_trade_no) != out_trade_no:
            raise Unknown("an answer to another question")
        return answer

    def query(self, out_trade_no: str) -> PaymentTruth:
        request = AlipayTradeQueryRequest(biz_model=_filled(AlipayTradeQueryModel(), out_trade_no=out_trade_no))
        try:
            answer = self._ask(request, out_trade_no)
        except Refused as refusal:
            if refusal.code in _ABSENT:  # a QR code makes no trade until it is scanned
                return PaymentTruth("absent", out_trade_no)
            raise Unknown(refusal.code) from refusal
        state = _STATES.get(str(answer.get("trade_status")))
        if state is None:
            raise Unknown(f"trade_status {answer.get('trade_status')}")
        if state == "paid" or (state == "closed" and answer.get("send_pay_date")):  # closed by a whole refund
            return self._paid(answer, answer.get("send_pay_date"))
        return PaymentTruth("closed" if state == "closed" else "unpaid", out_trade_no)

    def _paid(self, said: Mapping[str, Any], paid_at: Any) -> PaymentTruth:
        """A payment as the query's answer and the notification describe it. The answer names neither application nor
        seller: only the application that asked with its key gets it."""
        try:
            amount = money.fen(said.get("total_amount", ""))
        except ValueError:
            amount = -1
        foreign = [said[name] for name in _CURRENCIES if said.get(name, "CNY") != "CNY"]
        return PaymentTruth(
            state="paid",
            out_trade_no=str(said.get("out_trade_no")),
            amount_fen=amount,
            currency=foreign[0][:8] if foreign else "CNY",
            transaction_id=str(said.get("trade_no") or "")[:64],
            ours=said.get("app_id", self.app_id) == self.app_id
            and said.get("seller_id", self.seller_id) == self.seller_id,
            paid_at=_moment(paid_at),
            returned=said.get("trade_status") == "TRADE_CLOSED",  # closed after it was paid: all of it went back
        )

    def close(self, out_trade_no: str) -> None:
        request = AlipayTradeCloseRequest(biz_model=_filled(AlipayTradeCloseModel(), out_trade_no=out_trade_no))
        try:
            self._ask(request, out_trade_no)
        except Refused as refusal:
            if refusal.code in _ABSENT:
                return
            truth = self.query(out_trade_no)  # one code says "paid already" and "closed already"
            if truth.state == "paid":
                raise AlreadyPaid(refusal.code) from refusal
            if truth.state == "unpaid":
                raise

    def refund(self, request: RefundRequest) -> RefundState:
        model = _filled(
            AlipayTradeRefundModel(),
            out_trade_no=request.out_trade_no,
            out_request_no=request.out_refund_no,
            refund_amount=money.yuan(request.amount_fen),
            refund_reason=request.reason,
        )
        answer = self._ask(AlipayTradeRefundRequest(biz_model=model), request.out_trade_no)
        # "N": no money moved by this call; it may have by an earlier one, which the next question tells
        return "succeeded" if answer.get("fund_change") == "Y" else "processing"

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundState:
        model = _filled(AlipayTradeFastpayRefundQueryModel(), out_trade_no=out_trade_no, out_request_no=out_refund_no)
        try:
            answer = self._ask(AlipayTradeFastpayRefundQueryRequest(biz_model=model), out_trade_no)
        except Refused as refusal:
            if refusal.code in _ABSENT:
                return "absent"
            raise Unknown(refusal.code) from refusal
        if answer.get("out_request_no", out_refund_no) != out_refund_no:
            raise Unknown("an answer to another question")
        return "succeeded" if answer.get("refund_status") == "REFUND_SUCCESS" else "absent"

    def bill(self, day: date) -> Iterator[BillLine]:
        model = _filled(AlipayDataDataserviceBillDownloadurlQueryModel(), bill_type="trade", bill_date=str(day))
        try:
            said = self._client.ask(AlipayDataDataserviceBillDownloadurlQueryRequest(biz_model=model))
        except Refused as refusal:
            raise Unknown(refusal.code) from refusal
        url, file = self._bill_url(said.get("bill_download_url")), bill_file.scratch()
        self._files.download(url, file, headers={}, limit=bill_file.MAX_PACKED)
        file.seek(0)
        return bill_file.reading(file, alipay_bill.rows(alipay_bill.open_details(file)), alipay_bill.line_of)

    def _bill_url(self, url: Any) -> str:
        """The link to a bill, which carries its own permission: to a host of Alipay's only, never in the clear."""
        parts = urlsplit(url if isinstance(url, str) else "")
        if f"{parts.scheme}://{parts.netloc}" == self._gateway:
            return parts.geturl()
        if parts.scheme not in ("http", "https") or not parts.netloc.endswith(".alipay.com"):
            raise Unknown("a link to another host")
        return parts._replace(scheme="https").geturl()

    def verify_notification(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
        said = posted.fields(body)
        signature, sign_type = said.pop("sign", ""), said.pop("sign_type", "")
        content = "&".join(f"{name}={said[name]}" for name in sorted(said))
        if sign_type != "RSA2" or not signature_good(self._client.platform_key, content.encode(), signature):
            raise Forged("signature")
        if not fresh(said.get("notify_time", ""), now):
            raise Forged("time")
        number, notify_id = said.get("out_trade_no"), said.get("notify_id")
        if not number or not notify_id:
            raise Forged("content")
        if said.get("out_biz_no") and said.get("gmt_refund"):
            return Notification(notify_id, "refund", said["out_biz_no"])
        paid = _STATES.get(said.get("trade_status", "")) == "paid"
        return Notification(notify_id, "payment", number, self._told(said) if paid else None)

    def _told(self, said: Mapping[str, str]) -> PaymentTruth:
        """Other than an answer, a notification must name application and seller."""
        return self._paid({"app_id": "", "seller_id": ""} | dict(said), said.get("gmt_payment"))


def _moment(text: Any) -> datetime | None:
    """Beijing's clock, to the second; None for anything else."""
    try:
        return datetime.strptime(str(text), TIME).replace(tzinfo=SHANGHAI)
    except ValueError:
        return None
