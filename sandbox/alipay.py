"""Alipay's gateway: precreate, WAP page, query, close, refund, bill; signed answers and notifications.

One address, `POST /gateway.do`; what the wire looks like and where we know it from stands in docs/providers.md.
`POST /_control/alipay/scan` and `/pay` do what the phone would.
"""

from __future__ import annotations

import json
import secrets
from datetime import date
from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request

from sandbox.alipay_bill import BILL_LINK_LIVES, asked_day, packed, ready, trade_bill
from sandbox.alipay_ledger import PROVIDER, Book, Refused, shown_trade, told_payment, told_refund
from sandbox.alipay_wire import NotSigned, answer, beijing, caller, letter
from sandbox.box import Box, call, merge, taken
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.keys import Seller
from sandbox.knobs import Knob
from sandbox.postman import Letter, Postman, Route
from sandbox.store import Record

OPERATIONS = {
    "alipay.trade.precreate": "precreate",
    "alipay.trade.wap.pay": "wap",
    "alipay.trade.query": "query",
    "alipay.trade.close": "close",
    "alipay.trade.refund": "refund",
    "alipay.trade.fastpay.refund.query": "query_refund",
    "alipay.data.dataservice.bill.downloadurl.query": "bill",
}
_TROUBLE = {"SYSTEM_ERROR": ("20000", "isp.unknow-error")}


def _said(**fields: Any) -> dict[str, Any]:
    return {"code": "10000", "msg": "Success", **fields}


def _no(code: str, message: str = "") -> dict[str, Any]:
    if code in _TROUBLE:
        outer, inner = _TROUBLE[code]
        return {"code": outer, "msg": "Service Currently Unavailable", "sub_code": inner, "sub_msg": "系统繁忙"}
    outer = "40002" if code.startswith("isv.") else "40004"
    return {"code": outer, "msg": "Business Failed", "sub_code": code, "sub_msg": message or code}


def blueprint(box: Box, postman: Postman) -> Blueprint:
    """`/gateway.do` and `/_control/alipay/…`."""
    blue = Blueprint("alipay", __name__)
    book = Book(box)

    def reply(said: dict[str, Any]) -> Response:
        if "alter" in taken():
            said = merge(said, taken()["alter"].value)
        text = answer(g.seller, g.fields["method"], said, taken())
        return Response(text, content_type="text/html;charset=utf-8")

    def precreate(data: dict[str, Any]) -> dict[str, Any]:
        wanted = book.asked(g.seller, data, g.fields.get("notify_url", ""), "")
        return _said(out_trade_no=wanted["out_trade_no"], qr_code=book.precreate(wanted))

    def query(data: dict[str, Any]) -> dict[str, Any]:
        return _said(**shown_trade(book.trade(g.seller.app_id, str(data.get("out_trade_no")))))

    def close(data: dict[str, Any]) -> dict[str, Any]:
        trade = book.close(g.seller.app_id, str(data.get("out_trade_no")))
        return _said(trade_no=trade["trade_no"], out_trade_no=trade["out_trade_no"])

    def refund(data: dict[str, Any]) -> dict[str, Any]:
        trade, made, moved = book.refund(g.seller.app_id, data, poor="abnormal" in taken())
        if moved and trade["notify_url"]:
            key = f"{trade['out_trade_no']}/{made['out_request_no']}"
            postman.send("alipay.refund", "REFUND", key, trade["notify_url"], trade["app_id"], after=0.05)
        return _said(
            trade_no=trade["trade_no"],
            out_trade_no=trade["out_trade_no"],
            fund_change="Y" if moved else "N",
            refund_fee=trade["refunded"],
        )

    def query_refund(data: dict[str, Any]) -> dict[str, Any]:
        number, request_no = str(data.get("out_trade_no")), str(data.get("out_request_no"))
        found = book.refund_of(g.seller.app_id, number, request_no)
        if found is None:
            return _said()
        return _said(
            out_trade_no=number,
            out_request_no=request_no,
            refund_amount=found["refund_amount"],
            refund_status="REFUND_SUCCESS",
        )

    def bill(data: dict[str, Any]) -> dict[str, Any]:
        day = asked_day(data)
        if box.clock.now() < ready(day) or not trade_bill(box.store, g.seller, day):
            return _no("isp.bill_not_exist", "入参账单不存在")
        token = secrets.token_urlsafe(24)
        link = {"day": str(day), "app_id": g.seller.app_id, "until": box.clock.now() + BILL_LINK_LIVES}
        box.store.put(PROVIDER, "bill_link", token, link)
        return _said(bill_download_url=f"{request.host_url}downloadBillFile.resource?fileId={token}")

    calls = {
        "precreate": precreate,
        "query": query,
        "close": close,
        "refund": refund,
        "query_refund": query_refund,
        "bill": bill,
    }

    def answering(operation: str) -> Any:
        @call(box, PROVIDER, operation, lambda code: reply(_no(code)))
        def act() -> Response:
            try:
                data = json.loads(g.fields.get("biz_content", ""))
                if not isinstance(data, dict):
                    raise ValueError("not an object")
                return reply(calls[operation](data))
            except ValueError:
                return reply(_no("isv.invalid-parameter", "biz_content不是合法的JSON"))
            except Refused as error:
                return reply(_no(error.code, error.message))

        return act

    views = {operation: answering(operation) for operation in calls}

    @blue.route("/gateway.do", methods=["GET", "POST"])
    def gateway() -> Response:
        g.fields = {**request.args.to_dict(), **request.form.to_dict()}
        operation = OPERATIONS.get(g.fields.get("method", ""))
        try:
            g.seller = caller(g.fields, box.sellers)
        except NotSigned as error:
            box.journal.request(box.journal.page, PROVIDER, "refused", request.method, request.path, 200)
            node = json.dumps(_no(error.code, str(error)), ensure_ascii=False)
            return Response(f'{{"error_response":{node}}}', content_type="text/html;charset=utf-8")
        if operation is None:
            return reply(_no("isv.invalid-method", "不存在的方法名"))
        return cashier() if operation == "wap" else views[operation]()

    @blue.get("/downloadBillFile.resource")
    @call(box, PROVIDER, "bill_file", lambda code: Response(code, 500))
    def bill_file() -> Response:
        link = box.store.get(PROVIDER, "bill_link", request.args.get("fileId", ""))
        if link is None or link["until"] < box.clock.now():
            return Response("链接已失效", 404)
        day, seller = date.fromisoformat(link["day"]), box.sellers[link["app_id"]]
        return Response(packed(trade_bill(box.store, seller, day), seller, day), mimetype="application/zip")

    @call(box, PROVIDER, "wap", lambda code: Response(code, 500))
    def cashier() -> Response:
        try:
            data = json.loads(g.fields.get("biz_content", ""))
            wanted = book.asked(g.seller, data, g.fields.get("notify_url", ""), g.fields.get("return_url", ""))
            trade = book.open(wanted)
        except (ValueError, AttributeError):
            return Response("参数错误", 400)
        except Refused as error:
            return Response(error.message, 409)
        return Response(render_template("alipay.html", trade=trade, until=beijing(trade["deadline"])[11:16]))

    def find(data: dict[str, Any], *, late: bool) -> Record:
        code = data.get("code") or data.get("out_trade_no")
        if not isinstance(code, str):
            raise Refused("PARAM_ERROR", "code or out_trade_no is needed")
        code = code.strip()
        if code.startswith("https://"):
            return book.scan(code, late=late)
        for app_id in box.sellers:
            for kind in ("trade", "precreated"):
                found = box.store.get(PROVIDER, kind, f"{app_id}/{code}")
                if found is not None:
                    return found if kind == "trade" else book.scan(found["code"], late=late)
        raise Refused("ACQ.TRADE_NOT_EXIST", "没有这个订单或付款码")

    @blue.post("/_control/alipay/scan")
    def scan() -> Response:
        try:
            return jsonify(shown_trade(find(control_body(), late=False)))
        except Refused as error:
            return refused(error.code, error.message, 409)

    @blue.post("/_control/alipay/pay")
    def pay() -> Response:
        data = control_body() or request.form.to_dict()
        late = "late_ok" in box.knobs.take(PROVIDER, "pay", ("late_ok",))
        try:
            paid = book.pay(find(data, late=late), late=late)
        except Refused as error:
            return refused(error.code, error.message, 404 if error.code == "ACQ.TRADE_NOT_EXIST" else 409)
        if paid["notify_url"]:
            postman.send("alipay.payment", "TRADE_SUCCESS", paid["out_trade_no"], paid["notify_url"], paid["app_id"])
        if request.form and paid["return_url"]:
            return redirect(paid["return_url"], 303)  # type: ignore[return-value]
        return jsonify(shown_trade(paid))

    postman.route("alipay.payment", Route(PROVIDER, "notify", _payment_writer(box, book), _taken))
    postman.route("alipay.refund", Route(PROVIDER, "notify_refund", _refund_writer(box, book), _taken))
    return blue


def _taken(status: int, body: bytes) -> bool:
    """Only this word, and nothing else, ends a notification."""
    return status == 200 and body == b"success"


def _form(seller: Seller, told: dict[str, str], knobs: dict[str, Knob]) -> Letter:
    if "alter" in knobs:
        told = merge(told, knobs["alter"].value)
    return {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}, letter(seller, told, knobs)


def _payment_writer(box: Box, book: Book) -> Any:
    def write(record: Record, knobs: dict[str, Knob]) -> Letter | None:
        seller = box.sellers[record["mchid"]]
        return _form(seller, told_payment(seller, book.trade(record["mchid"], record["key"]), record["id"]), knobs)

    return write


def _refund_writer(box: Box, book: Book) -> Any:
    def write(record: Record, knobs: dict[str, Knob]) -> Letter | None:
        seller = box.sellers[record["mchid"]]
        number, _, request_no = record["key"].partition("/")
        found = book.refund_of(record["mchid"], number, request_no)
        if found is None:
            return None
        return _form(seller, told_refund(seller, book.trade(record["mchid"], number), found, record["id"]), knobs)

    return write
