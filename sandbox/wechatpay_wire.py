"""WeChat Pay API v3 on the wire: who signed a request, how answers are signed and notifications sealed.

Source: pay.weixin.qq.com, "build-verify-sign" and the pages on the notification's AES-GCM (docs/providers.md).
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import time
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256

from sandbox.keys import Merchant
from sandbox.knobs import Knob

SCHEME = "WECHATPAY2-SHA256-RSA2048"
WINDOW = 300
BEIJING = timezone(timedelta(hours=8))
_PAIR = re.compile(r'(\w+)="([^"]*)"')
_FIELDS = {"mchid", "nonce_str", "signature", "timestamp", "serial_no"}


class NotSigned(Exception):
    """The request's signature is not good; the message says why."""


def rfc3339(seconds: float) -> str:
    """The moment as the provider writes it, Beijing time, whole seconds."""
    return datetime.fromtimestamp(seconds, BEIJING).isoformat(timespec="seconds")


def caller(authorization: str, method: str, target: str, body: bytes, known: Mapping[str, Merchant]) -> Merchant:
    """The merchant who signed this request. `target` is path and query as sent. Raises `NotSigned`."""
    scheme, _, rest = authorization.partition(" ")
    if scheme != SCHEME:
        raise NotSigned("Http头Authorization值格式错误，请参考《微信支付商户REST API签名规则》")
    fields = dict(_PAIR.findall(rest))
    if set(fields) != _FIELDS:
        raise NotSigned("Http头Authorization缺少字段")
    merchant = known.get(fields["mchid"])
    if merchant is None:
        raise NotSigned("商户号不存在")
    if fields["serial_no"] != merchant.serial:
        raise NotSigned("商户证书序列号有误")
    if not fields["timestamp"].isdigit() or abs(time.time() - int(fields["timestamp"])) > WINDOW:
        raise NotSigned("Http头Authorization中的timestamp与发起请求的时间不得超过5分钟")
    text = f"{method}\n{target}\n{fields['timestamp']}\n{fields['nonce_str']}\n".encode() + body + b"\n"
    try:
        merchant.public_key.verify(base64.b64decode(fields["signature"], validate=True), text, PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise NotSigned("签名错误，请检查后再试") from None
    return merchant


def _signature(key: RSAPrivateKey, timestamp: str, nonce: str, body: bytes) -> str:
    text = f"{timestamp}\n{nonce}\n".encode() + body + b"\n"
    return base64.b64encode(key.sign(text, PKCS1v15(), SHA256())).decode()


def signed_headers(merchant: Merchant, body: bytes, knobs: Mapping[str, Knob]) -> dict[str, str]:
    """The headers that vouch for `body`, spoiled as `knobs` (forged, stale, probe) ask."""
    moment = time.time() - (knobs["stale"].seconds(301) if "stale" in knobs else 0)
    timestamp, nonce = str(int(moment)), secrets.token_hex(16)
    key = merchant.foreign_key if "forged" in knobs else merchant.platform_key
    signature = _signature(key, timestamp, nonce, body)
    if "probe" in knobs:
        # the platform's own test traffic: a signature of this form must be refused
        signature = "WECHATPAY/SIGNTEST/" + signature
    return {
        "Wechatpay-Timestamp": timestamp,
        "Wechatpay-Nonce": nonce,
        "Wechatpay-Signature": signature,
        "Wechatpay-Serial": merchant.platform_key_id,
        "Wechatpay-Signature-Type": SCHEME,
        "Request-ID": secrets.token_hex(16).upper(),
    }


def notification(
    merchant: Merchant,
    delivery: str,
    made: float,
    event: str,
    original: str,
    summary: str,
    resource: dict[str, Any],
) -> bytes:
    """The body of a notification: `resource` sealed with the merchant's APIv3 key. `delivery` is its id."""
    nonce = secrets.token_hex(6)
    sealed = AESGCM(merchant.api_v3_key).encrypt(
        nonce.encode(), json.dumps(resource, ensure_ascii=False).encode(), original.encode()
    )
    return json.dumps(
        {
            "id": delivery,
            "create_time": rfc3339(made),
            "resource_type": "encrypt-resource",
            "event_type": event,
            "summary": summary,
            "resource": {
                "original_type": original,
                "algorithm": "AEAD_AES_256_GCM",
                "ciphertext": base64.b64encode(sealed).decode(),
                "associated_data": original,
                "nonce": nonce,
            },
        },
        ensure_ascii=False,
    ).encode()
