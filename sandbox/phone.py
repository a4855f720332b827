"""The phone: a page that shows what a phone would show, and does what a thumb would do."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, jsonify, make_response, render_template

from sandbox.box import Box
from sandbox.faces import person_of
from sandbox.knobs import OPERATIONS, kinds_for
from sandbox.store import Record
from sandbox.wechatpay_wire import rfc3339


def blueprint(box: Box) -> Blueprint:
    """`GET /` and the state that the page asks for."""
    blue = Blueprint("phone", __name__)

    @blue.get("/")
    def page() -> Response:
        kinds = {p: {o: kinds_for(p, o) for o in operations} for p, operations in OPERATIONS.items()}
        return make_response(render_template("phone.html", kinds=kinds))

    @blue.get("/_phone/state")
    def state() -> Response:
        now = box.clock.now()
        orders = [
            {
                "out_trade_no": order["out_trade_no"],
                "code": order.get("code_url") or order.get("prepay_id"),
                "provider": "wechatpay",
                "description": order["description"],
                "total": order["total"],
                "state": order["trade_state"],
                "expired": order["deadline"] <= now,
                "until": rfc3339(order["deadline"])[11:16],
                "at": rfc3339(order["created"])[5:16].replace("T", " "),
            }
            for _, order in box.store.all("wechatpay", "order", 50)
        ]
        orders += _alipay(box, now) + _unionpay(box, now)
        orders.sort(key=lambda order: order["at"], reverse=True)
        messages = [
            {"phone": m["phone"], "text": m["text"], "at": rfc3339(m["at"])[5:19].replace("T", " ")}
            for _, m in box.store.all("sms", "message", 30)
        ]
        codes = [
            {"scene": scene, "page": code["page"], "at": rfc3339(code["at"])[11:19]}
            for scene, code in box.store.all("wechat", "wxacode", 5)
        ]
        told = [
            {
                "text": "，".join(str(part["value"]) for part in m["data"].values()),
                "template": m["template_id"],
                "at": rfc3339(m["at"])[5:19].replace("T", " "),
            }
            for _, m in box.store.all("wechat", "message", 30)
        ]
        checks = [
            {
                "token": token,
                "name": check["person"]["name"],
                "face": person_of(check["person"]["number"]),
                "at": rfc3339(check["made"])[11:19],
            }
            for token, check in box.store.all("baidu", "faceprint", 30)
            if check["person"] and check["outcome"] is None
        ]
        return jsonify(
            orders=orders, messages=messages, told=told, codes=codes, checks=checks, knobs=box.knobs.report()
        )

    return blue


def _state(order: Record) -> str:
    """WeChat's word for the state of a trade of Alipay's, or of a code that nobody has scanned."""
    status = order.get("trade_status", "WAIT_BUYER_PAY")
    if status == "TRADE_CLOSED":
        return "REFUND" if "paid" in order else "CLOSED"
    return "NOTPAY" if status == "WAIT_BUYER_PAY" else "SUCCESS"


def _alipay(box: Box, now: float) -> list[dict[str, Any]]:
    """Alipay's trades, and the codes that nobody has scanned yet, as the page shows orders."""
    trades = dict(box.store.all("alipay", "trade", 50))
    unscanned = [(key, code) for key, code in box.store.all("alipay", "precreated", 50) if key not in trades]
    return [
        {
            "out_trade_no": order["out_trade_no"],
            "code": order.get("code") or order["out_trade_no"],
            "provider": "alipay",
            "description": order["subject"],
            "total": round(float(order["total_amount"]) * 100),
            "state": _state(order),
            "expired": order["deadline"] <= now,
            "until": rfc3339(order["deadline"])[11:16],
            "at": rfc3339(order["created"])[5:16].replace("T", " "),
        }
        for _, order in [*trades.items(), *unscanned]
    ]


def _unionpay(box: Box, now: float) -> list[dict[str, Any]]:
    """Payments whose bank page was opened, as the page shows orders."""
    return [
        {
            "out_trade_no": row["out_trade_no"],
            "code": row["out_trade_no"],
            "provider": "unionpay",
            "description": "银联卡支付",
            "total": int(row["txnAmt"]),
            "state": ("REFUND" if row["refunded"] else "SUCCESS") if "paid" in row else "NOTPAY",
            "expired": row["deadline"] <= now,
            "until": rfc3339(row["deadline"])[11:16],
            "at": rfc3339(row["created"])[5:16].replace("T", " "),
        }
        for _, row in box.store.all("unionpay", "payment", 50)
    ]
