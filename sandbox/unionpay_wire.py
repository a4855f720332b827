"""UnionPay on the wire, 5.1.0: which merchant signed a request, how answers and notifications are signed.

Source: the published specification and its demonstrations (docs/providers.md).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from sandbox.keys import Acquired
from sandbox.knobs import CERTIFICATES, Knob
from sandbox.wechatpay_wire import BEIJING

TIME = "%Y%m%d%H%M%S"


class NotSigned(Exception):
    """The request is refused before it is read: the platform's respCode, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def beijing(seconds: float, form: str = TIME) -> str:
    """The moment as UnionPay writes it."""
    return datetime.fromtimestamp(seconds, BEIJING).strftime(form)


def moment(text: str) -> float:
    """Seconds since the epoch of Beijing's clock. Raises ValueError."""
    return datetime.strptime(text, TIME).replace(tzinfo=BEIJING).timestamp()


def digest(fields: Mapping[str, str]) -> bytes:
    """What is signed: hexadecimal SHA-256 of every field but the signature, by name."""
    joined = "&".join(f"{name}={value}" for name, value in sorted(fields.items()) if name != "signature")
    return hashlib.sha256(joined.encode()).hexdigest().encode()


def caller(fields: Mapping[str, str], known: Mapping[str, Acquired]) -> Acquired:
    """Which merchant signed this request. Raises `NotSigned`."""
    merchant = known.get(fields.get("merId", ""))
    if merchant is None:
        raise NotSigned("31", "商户状态不正确[6130001]")
    if (fields.get("version"), fields.get("signMethod"), fields.get("encoding")) != ("5.1.0", "01", "UTF-8"):
        raise NotSigned("10", "报文格式错误[6100030]")
    if fields.get("certId") != merchant.cert_id:
        raise NotSigned("11", "证书ID不存在[9100004]")
    try:
        sign = base64.b64decode(fields.get("signature", ""), validate=True)
        merchant.public_key.verify(sign, digest(fields), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise NotSigned("11", "验证签名失败[9100004]") from None
    return merchant


def signed(merchant: Acquired, said: Mapping[str, str], knobs: Mapping[str, Knob]) -> dict[str, str]:
    """The platform's own signature and certificate under what it says; `knobs`: what is wrong with them."""
    fields = {
        **said,
        "version": "5.1.0",
        "encoding": "UTF-8",
        "signMethod": "01",
        "merId": said.get("merId", merchant.mer_id),
        "signPubKeyCert": merchant.certificate,
    }
    if "unsigned" in knobs:
        return fields
    wrong = next((kind for kind in ("forged", *CERTIFICATES) if kind in knobs and kind in merchant.bad), None)
    if wrong:
        fields["signPubKeyCert"] = merchant.bad[wrong]
    key = merchant.foreign_key if wrong == "forged" else merchant.platform_key
    signature = key.sign(digest(fields), PKCS1v15(), SHA1() if "sha1" in knobs else SHA256())  # noqa: S303
    return {**fields, "signature": base64.b64encode(signature).decode()}


def answer(merchant: Acquired, said: Mapping[str, str], knobs: Mapping[str, Knob]) -> str:
    """The text of an answer: nothing is escaped."""
    fields = signed(merchant, said, knobs)
    return "&".join(f"{name}={value}" for name, value in sorted(fields.items()))


def letter(merchant: Acquired, said: Mapping[str, str], knobs: Mapping[str, Knob]) -> bytes:
    """A notification: the same fields as a form."""
    return urlencode(signed(merchant, said, knobs)).encode()
