"""What a trainee does with a payment: scan the code, confirm in WeChat, or go through Alipay's or UnionPay's page."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests

from ops.client import Client, Surprise


def pay(sandbox: Client, payment: dict[str, Any]) -> None:
    """Pay what the API answered to "pay"; once more, after a lost answer, is no mistake."""
    kind, code = payment["kind"], payment["code_url"]
    if kind == "jsapi":
        provider, body = "wechatpay", {"prepay_id": payment["jsapi"]["package"].removeprefix("prepay_id=")}
    elif payment["channel"] == "unionpay_b2c":
        return _by_card(sandbox, payment["redirect_url"])
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


class _FormOn(HTMLParser):
    """The form of a page: where it goes, and what it sends."""

    def __init__(self, page: str):
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given["action"]
        elif tag == "input":
            self.fields[given["name"]] = given["value"]


def _page(answer: requests.Response) -> str:
    if answer.status_code != 200:
        raise Surprise(f"the payment page: {answer.status_code} {answer.text[:200]}")
    return answer.text


def post_on(url: str) -> dict[str, str]:
    """Open our page and press its button, as the browser does; gives what UnionPay's page was sent. Raises
    `Surprise` where the page may not post there."""
    ours = requests.get(url, timeout=15)
    form = _FormOn(_page(ours))
    host = "/".join(form.action.split("/")[:3])
    if f"form-action {host};" not in ours.headers["Content-Security-Policy"]:
        raise Surprise(f"the browser would not post to {host}")
    _page(requests.post(form.action, data=form.fields, timeout=15))
    return form.fields


def _by_card(sandbox: Client, url: str) -> None:
    """Through our page to UnionPay's; pay there, and come back with the result that proves nothing."""
    number = post_on(url)["orderId"]
    paid = sandbox.raw("POST", "/_control/unionpay/pay", data={"out_trade_no": number})
    if paid.status_code == 409:
        return  # paid before the answer was lost
    back = _FormOn(_page(paid))
    answer = requests.post(back.action, data=back.fields, timeout=15, allow_redirects=False)
    if answer.status_code != 303 or "/?order=" not in answer.headers["Location"]:
        raise Surprise(f"the way back: {answer.status_code} {answer.headers.get('Location')}")
