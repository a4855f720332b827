"""The phone: a page that shows what a phone would show, and does what a thumb would do."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, make_response, render_template

from sandbox.box import Box
from sandbox.faces import person_of
from sandbox.knobs import OPERATIONS, kinds_for
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
                "description": order["description"],
                "total": order["total"],
                "state": order["trade_state"],
                "expired": order["deadline"] <= now,
                "until": rfc3339(order["deadline"])[11:16],
                "at": rfc3339(order["created"])[5:16].replace("T", " "),
            }
            for _, order in box.store.all("wechatpay", "order", 50)
        ]
        messages = [
            {"phone": m["phone"], "text": m["text"], "at": rfc3339(m["at"])[5:19].replace("T", " ")}
            for _, m in box.store.all("sms", "message", 30)
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
        return jsonify(orders=orders, messages=messages, checks=checks, knobs=box.knobs.report())

    return blue
