"""Alipay's gateway on the wire: who signed a request, how answers and notifications are signed.

Source: opendocs.alipay.com, the pages on signing and on asynchronous notifications (docs/providers.md).
"""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA1, SHA256

from sandbox.keys import Seller
from sandbox.knobs import Knob
from sandbox.wechatpay_wire import BEIJING

TIME = "%Y-%m-%d %H:%M:%S"
WINDOW = 1800  # seconds that a request may be old


class NotSigned(Exception):
    """The request is refused before it is read: the gateway's sub_code, and why."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def beijing(seconds: float) -> str:
    """The moment as Alipay writes it."""
    return datetime.fromtimestamp(seconds, BEIJING).strftime(TIME)


def moment(text: str) -> float:
    """Seconds since the epoch of Beijing's clock. Raises ValueError."""
    return datetime.strptime(text, TIME).replace(tzinfo=BEIJING).timestamp()


def content(fields: Mapping[str, str]) -> bytes:
    """What is signed: every field that is not empty, by name."""
    return "&".join(f"{name}={fields[name]}" for name in sorted(fields) if fields[name] != "").encode()


def caller(fields: Mapping[str, str], known: Mapping[str, Seller]) -> Seller:
    """Who signed this request. Raises `NotSigned`."""
    seller = known.get(fields.get("app_id", ""))
    if seller is None:
        raise NotSigned("isv.invalid-app-id", "无效的AppID参数")
    if fields.get("sign_type") != "RSA2" or fields.get("charset", "").lower() != "utf-8":
        raise NotSigned("isv.invalid-signature-type", "无效的签名类型")
    try:
        sign = base64.b64decode(fields.get("sign", ""), validate=True)
        unsigned = {name: value for name, value in fields.items() if name != "sign"}
        seller.public_key.verify(sign, content(unsigned), PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise NotSigned("isv.invalid-signature", "无效签名") from None
    try:
        sent = moment(fields.get("timestamp", ""))
    except ValueError:
        sent = 0.0
    if abs(time.time() - sent) > WINDOW:
        raise NotSigned("isv.invalid-timestamp", "非法的时间戳参数")
    return seller


def _sign(seller: Seller, data: bytes, knobs: Mapping[str, Knob]) -> str:
    key = seller.foreign_key if "forged" in knobs else seller.platform_key
    return base64.b64encode(key.sign(data, PKCS1v15(), SHA1() if "sha1" in knobs else SHA256())).decode()  # noqa: S303


def answer(seller: Seller, method: str, said: dict[str, Any], knobs: Mapping[str, Knob]) -> str:
    """The text of an answer: the method's node, and the signature over its exact bytes."""
    node = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    name = f"{method.replace('.', '_')}_response"
    if "unsigned" in knobs:
        return f'{{"{name}":{node}}}'
    return f'{{"{name}":{node},"sign":"{_sign(seller, node.encode(), knobs)}"}}'


def letter(seller: Seller, said: Mapping[str, str], knobs: Mapping[str, Knob]) -> bytes:
    """A notification: a form, signed without `sign` and `sign_type`. `stale`: so many seconds old."""
    sent = time.time() - (knobs["stale"].seconds(301) if "stale" in knobs else 0)
    fields = {**said, "notify_time": beijing(sent), "charset": "utf-8", "version": "1.0"}
    fields = {name: value for name, value in fields.items() if value != ""}
    return urlencode({**fields, "sign": _sign(seller, content(fields), knobs), "sign_type": "RSA2"}).encode()
