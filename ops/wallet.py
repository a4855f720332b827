"""What a trainee's phone does with a payment: scan the code, confirm in WeChat, or open Alipay's page."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from ops.client import Client, Surprise


def pay(sandbox: Client, payment: dict[str, Any]) -> None:
    """Pay what the API answered to "pay"; once more, after a lost answer, is no mistake."""
    kind, code = payment["kind"], payment["code_url"]
    if kind == "jsapi":
        provider, body = "wechatpay", {"prepay_id": payment["jsapi"]["package"].removeprefix("prepay_id=")}
    elif kind == "redirect":
        provider, body = "alipay", {"out_trade_no": _number_on(payment["redirect_url"])}
    elif code.startswith("weixin://"):
        provider, body = "wechatpay", {"code_url": code}
    else:
        provider, body = "alipay", {"code": code}
    sandbox.post(f"/_control/{provider}/pay", body, expect=(200, 409))


def _number_on(url: str) -> str:
    """Open Alipay's page, which makes the trade; gives its number."""
    page = requests.get(url, timeout=15)
    if page.status_code != 200:
        raise Surprise(f"the payment page: {page.status_code} {page.text[:200]}")
    asked = json.loads(dict(parse_qsl(urlsplit(url).query))["biz_content"])
    return str(asked["out_trade_no"])
