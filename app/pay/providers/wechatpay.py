"""WeChat Pay, API v3, in public-key mode, through wechatpayv3.

The SDK opens a connection per call, sets no timeout, accepts a notification of any age, and calls out for an unknown
serial: `GuardedCore` does not. Wire facts: docs/providers.md, WeChat Pay v3.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import re
import secrets
import zlib
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from wechatpayv3 import WeChatPay, WeChatPayType
from wechatpayv3.core import Core
from wechatpayv3.type import RequestType
from wechatpayv3.utils import aes_decrypt, build_authorization, rsa_sign, rsa_verify

from app.core.clock import shanghai, utcnow
from app.core.outgoing import Line
from app.pay.providers import bill_file, wechatpay_bill
from app.pay.providers.protocol import (
    AlreadyPaid,
    BillLine,
    Forged,
    JsapiCall,
    NoBill,
    Notification,
    PayBy,
    PaymentRequest,
    PaymentTruth,
    QrCode,
    RefundRequest,
    RefundState,
    Refused,
    Unknown,
)
from config.settings import SecretMissing, Secrets

LIVE = "https://api.mch.weixin.qq.com"
WINDOW = 300  # seconds that a signature may be old or ahead
PROBE = "WECHATPAY/SIGNTEST/"
SIGNED = ("Wechatpay-Signature", "Wechatpay-Timestamp", "Wechatpay-Nonce", "Wechatpay-Serial")

_STATES: dict[str, str] = {
    "SUCCESS": "paid",
    "REFUND": "paid",  # it was paid, and (partly) went back: the capture itself is a fact
    "NOTPAY": "unpaid",
    "USERPAYING": "unpaid",
    "PAYERROR": "unpaid",
    "CLOSED": "closed",
    "REVOKED": "closed",
}
_NO_BILL = "NO_STATEMENT_EXIST"  # not "STATEMENT_CREATING": of a bill that is being made nobody knows what it says
_PAID = ("ORDERPAID", "ORDER_PAID")  # two spellings in the provider's pages
_REFUNDS: dict[str, RefundState] = {
    "SUCCESS": "succeeded",
    "PROCESSING": "processing",
    "ABNORMAL": "failed",
    "CLOSED": "failed",
}


def fresh(timestamp: str, now: float) -> bool:
    """Whether a signature's time (seconds since 1970) is within five minutes of `now`."""
    return re.fullmatch(r"[0-9]{1,12}", timestamp) is not None and abs(now - int(timestamp)) <= WINDOW


def signature_good(headers: Mapping[str, str], body: str, key: Any) -> bool:
    """Whether `key` signed time, nonce and body. Base64 in another spelling (the decoder is lenient) is not good."""
    signature = headers.get("Wechatpay-Signature", "")
    try:
        if base64.b64encode(base64.b64decode(signature, validate=True)).decode() != signature:
            return False
    except ValueError:
        return False
    timestamp, nonce = headers.get("Wechatpay-Timestamp", ""), headers.get("Wechatpay-Nonce", "")
    return bool(rsa_verify(timestamp, nonce, body, signature, key))


class GuardedCore(Core):  # type: ignore[misc]
    """The SDK's core over a line of ours, with one accepted serial and a window of time."""

    def __init__(self, gateway: str, line: Line, **options: Any):
        super().__init__(**options)
        self._gate_way, self._line = gateway, line

    def authorization(self, path: str, method: str, text: str = "") -> str:
        """The merchant's signature of a call."""
        return str(build_authorization(path, method, self._mchid, self._cert_serial_no, self._private_key, data=text))

    def _verify_signature(self, headers: Mapping[str, str], body: str, now: datetime | None = None) -> bool:
        if headers.get("Wechatpay-Serial") != self._public_key_id:
            return False  # in public-key mode there is one serial; never call out for another
        if headers.get("Wechatpay-Signature-Type") != "WECHATPAY2-SHA256-RSA2048":
            return False
        if headers.get("Wechatpay-Signature", "").startswith(PROBE):
            return False
        if not fresh(headers.get("Wechatpay-Timestamp", ""), (now or utcnow()).timestamp()):
            return False
        return signature_good(headers, body, self._public_key)

    def request(
        self,
        path: str,
        method: RequestType = RequestType.GET,
        data: Any = None,
        skip_verify: bool = False,
        sign_data: Any = None,
        files: Any = None,
        cipher_data: bool = False,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """One signed call. Raises `Unknown` for anything but an answer that the provider signed, or an unsigned 4xx:
        the provider's own SDKs do not insist on a signature there, and a refusal never brings money."""
        text = json.dumps(data) if data is not None else ""
        answer = self._line.send(
            method.value,
            self._gate_way + path,
            data=text.encode() or None,
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Wechatpay-Serial": self._public_key_id,
                "Authorization": self.authorization(path, method.value, text),
            },
        )
        try:
            body = answer.body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unknown("not UTF-8") from error
        refusal_without_signature = answer.status >= 400 and not any(name in answer.headers for name in SIGNED)
        if not refusal_without_signature and not self._verify_signature(answer.headers, body):
            raise Unknown(f"status {answer.status} without a good signature")
        return answer.status, body


class WeChatPayProvider:
    """The merchant whose secrets stand under `authority`; its appid is the mini-program's, whose openid a payer by
    JSAPI has there. The official account's, for who pays in WeChat's browser, is the secret `official_appid`: where
    there is none, nobody pays so."""

    acknowledgement = ""

    def __init__(self, authority: str, secrets: Secrets, gateway: str):
        def secret(name: str) -> str:
            return secrets.get(f"{authority}.{name}")

        self.mchid, self.appid = secret("mchid"), secret("appid")
        options = {
            "mchid": self.mchid,
            "cert_serial_no": secret("merchant_serial"),
            "private_key": secret("merchant_private_key"),
            "apiv3_key": secret("api_v3_key"),
            "public_key": secret("platform_public_key"),
            "public_key_id": secret("platform_public_key_id"),
        }
        self.payer_app = self.appid
        try:
            self.web_payer_app: str | None = secret("official_appid")
        except SecretMissing:
            self.web_payer_app = None
        self._apps = [app for app in (self.payer_app, self.web_payer_app) if app]
        self._line, self._files = Line(authority, Unknown), Line(f"{authority} bills", Unknown)
        self._gateway = gateway
        self._sdk = WeChatPay(wechatpay_type=WeChatPayType.NATIVE, appid=self.appid, **options)
        self._core = self._sdk._core = GuardedCore(gateway, self._line, **options)

    @property
    def in_order(self) -> bool:
        return not self._line.breaker.open

    @staticmethod
    def _json(text: str) -> dict[str, Any]:
        try:
            value = json.loads(text)
        except ValueError as error:
            raise Unknown("not JSON") from error
        if not isinstance(value, dict):
            raise Unknown("not an object")
        return value

    def _checked(self, answer: tuple[int, str]) -> dict[str, Any]:
        code, text = answer
        if 200 <= code < 300:
            return self._json(text) if text else {}
        said = str(self._json(text).get("code", code))
        raise (AlreadyPaid if said in _PAID else Refused)(said)

    def create(self, request: PaymentRequest) -> PayBy:
        if request.way not in ("qr", "jsapi") or (request.way == "jsapi") != bool(request.payer):
            raise ValueError(f"WeChat Pay is not paid by {request.way} like this")
        jsapi, appid = request.way == "jsapi", request.payer_app or self.appid
        answer = self._checked(
            self._sdk.pay(
                description=request.title[:120],
                out_trade_no=request.out_trade_no,
                amount={"total": request.amount_fen, "currency": "CNY"},
                time_expire=shanghai(request.expires_at).isoformat(timespec="seconds"),
                notify_url=request.notify_url,
                payer={"openid": request.payer} if jsapi else None,
                appid=appid,
                pay_type=WeChatPayType.JSAPI if jsapi else WeChatPayType.NATIVE,
            )
        )
        if jsapi:
            return self._jsapi_call(answer.get("prepay_id"), appid)
        code_url = answer.get("code_url")
        if not isinstance(code_url, str) or not code_url.startswith("weixin://"):
            raise Unknown("no code_url")
        return QrCode(code_url)

    def _jsapi_call(self, prepay_id: Any, appid: str) -> JsapiCall:
        """What `wx.requestPayment` and `WeixinJSBridge` take, signed with the merchant's key."""
        if not isinstance(prepay_id, str) or not prepay_id:
            raise Unknown("no prepay_id")
        package, nonce = f"prepay_id={prepay_id}", secrets.token_hex(16)
        moment = str(int(utcnow().timestamp()))
        text = f"{appid}\n{moment}\n{nonce}\n{package}\n"
        sign = rsa_sign(self._core._private_key, text)
        return JsapiCall(appid, moment, nonce, package, "RSA", sign)

    def query(self, out_trade_no: str) -> PaymentTruth:
        try:
            answer = self._checked(self._sdk.query(out_trade_no=out_trade_no))
        except Refused as refusal:
            if refusal.code in ("ORDER_NOT_EXIST", "ORDERNOTEXIST"):
                return PaymentTruth("absent", out_trade_no)
            raise Unknown(refusal.code) from refusal
        state = _STATES.get(str(answer.get("trade_state")))
        if state is None:
            raise Unknown(f"trade_state {answer.get('trade_state')}")
        if state != "paid":
            return PaymentTruth("closed" if state == "closed" else "unpaid", out_trade_no)
        return self._paid(answer)

    def _paid(self, said: Mapping[str, Any]) -> PaymentTruth:
        """A payment as the query's answer and the notification describe it; what is missing cannot fit later."""
        amount = said.get("amount")
        amount = amount if isinstance(amount, dict) else {}
        total = amount.get("total")
        return PaymentTruth(
            state="paid",
            out_trade_no=str(said.get("out_trade_no")),
            amount_fen=total if type(total) is int else -1,
            currency=str(amount.get("currency")),
            transaction_id=str(said.get("transaction_id") or "")[:64],
            ours=said.get("mchid") == self.mchid and said.get("appid") in self._apps,
            paid_at=_moment(said.get("success_time")),
            returned=said.get("trade_state") == "REFUND",
        )

    def close(self, out_trade_no: str) -> None:
        try:
            self._checked(self._sdk.close(out_trade_no))
        except Refused as refusal:
            if refusal.code not in ("ORDER_NOT_EXIST", "ORDERNOTEXIST", "ORDER_CLOSED", "ORDERCLOSED"):
                raise

    def _refund_state(self, answer: dict[str, Any]) -> RefundState:
        state = _REFUNDS.get(str(answer.get("status")))
        if state is None:
            raise Unknown(f"refund status {answer.get('status')}")
        return state

    def refund(self, request: RefundRequest) -> RefundState:
        amount = {"refund": request.amount_fen, "total": request.total_fen, "currency": "CNY"}
        return self._refund_state(
            self._checked(
                self._sdk.refund(
                    request.out_refund_no,
                    amount,
                    out_trade_no=request.out_trade_no,
                    reason=request.reason,
                    notify_url=request.notify_url,
                )
            )
        )

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundState:
        try:
            return self._refund_state(self._checked(self._sdk.query_refund(out_refund_no)))
        except Refused as refusal:
            if refusal.code in ("RESOURCE_NOT_EXISTS", "RESOURCE_NOT_EXIST"):
                return "absent"
            raise Unknown(refusal.code) from refusal

    def bill(self, day: date) -> Iterator[BillLine]:
        try:
            said = self._checked(self._sdk.trade_bill(day.isoformat(), "ALL", "GZIP"))
        except Refused as refusal:
            raise (NoBill if refusal.code == _NO_BILL else Unknown)(refusal.code) from refusal
        url, digest = str(said.get("download_url")), str(said.get("hash_value"))
        if said.get("hash_type") != "SHA1" or not url.startswith(f"{self._gateway}/v3/billdownload/"):
            raise Unknown("a bill of another kind")
        file = bill_file.scratch()
        signed = self._core.authorization(url.removeprefix(self._gateway), "GET")
        self._files.download(url, file, headers={"Authorization": signed}, limit=bill_file.MAX_PACKED)
        try:
            file.seek(0)
            bill_file.check(gzip.GzipFile(fileobj=file), digest)  # type: ignore[arg-type]
        except (OSError, EOFError, zlib.error) as error:
            raise Unknown("not a packed bill") from error
        file.seek(0)
        text = io.TextIOWrapper(gzip.GzipFile(fileobj=file), "utf-8", newline="\n")
        return bill_file.reading(file, wechatpay_bill.rows(text, self.mchid), wechatpay_bill.line_of)

    def verify_notification(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Forged("body") from error
        if not self._core._verify_signature(headers, text, now):
            raise Forged("signature")
        try:
            outer = json.loads(text)
            sealed = outer["resource"]
            plain = aes_decrypt(
                sealed["nonce"], sealed["ciphertext"], sealed.get("associated_data") or "", self._core._apiv3_key
            )
            said = json.loads(plain or "")
            if str(outer["event_type"]).startswith("REFUND."):
                return Notification(str(outer["id"]), "refund", str(said["out_refund_no"]))
            told = self._paid(said) if _STATES.get(str(said.get("trade_state"))) == "paid" else None
            return Notification(str(outer["id"]), "payment", str(said["out_trade_no"]), told)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Forged("content") from error


def _moment(text: Any) -> datetime | None:
    """RFC 3339 with an offset; None for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None
