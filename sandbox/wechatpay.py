"""WeChat Pay API v3: Native and JSAPI orders, query, close, refund, bill; signed answers and notifications.

Paths and signatures are the real ones; what the wire looks like and where we know it from stands in
docs/providers.md. `POST /_control/wechatpay/pay` pays as the phone would.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import secrets
from datetime import date, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, g, jsonify, request

from sandbox.box import Box, call, merge, taken
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.keys import Merchant
from sandbox.knobs import Knob
from sandbox.postman import Letter, Postman, Route
from sandbox.store import Record
from sandbox.wechatpay_bill import trade_bill
from sandbox.wechatpay_ledger import (
    PROVIDER,
    STATUS,
    Ledger,
    Refused,
    shown_order,
    shown_refund,
    told_refund,
)
from sandbox.wechatpay_wire import BEIJING, NotSigned, caller, notification, rfc3339, signed_headers

BILL_LINK_LIVES = 300


def _json(data: dict[str, Any], status: int = 200) -> Response:
    return Response(json.dumps(data, ensure_ascii=False), status, mimetype="application/json")


def _error(code: str, message: str = "", status: int | None = None, field: str = "") -> Response:
    data: dict[str, Any] = {"code": code, "message": message or code}
    if field:
        data["detail"] = {"location": "body", "field": field}
    return _json(data, STATUS.get(code, 400) if status is None else status)


def _provider_error(code: str) -> Response:
    return _error(code, "系统繁忙，请稍后再试" if code == "SYSTEM_ERROR" else code)


def _data() -> dict[str, Any]:
    try:
        data = json.loads(request.get_data())
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise Refused("PARAM_ERROR", "请求体不是合法的JSON")
    return data


def blueprint(box: Box, postman: Postman) -> Blueprint:
    """`/v3/…` and `/_control/wechatpay/…`."""
    blue = Blueprint("wechatpay", __name__)
    ledger = Ledger(box)

    @blue.before_request
    def check_signature() -> Response | None:
        if not request.path.startswith("/v3/"):
            return None
        try:
            g.merchant = caller(
                request.headers.get("Authorization", ""),
                request.method,
                request.environ["REQUEST_URI"],
                request.get_data(),
                box.merchants,
            )
        except NotSigned as error:
            box.journal.request(box.journal.page, PROVIDER, "refused", request.method, request.path, 401)
            return _error("SIGN_ERROR", str(error))
        return None

    @blue.after_request
    def sign(response: Response) -> Response:
        unsigned = g.get("bare") or "unsigned" in taken()
        if unsigned or not request.path.startswith("/v3/") or request.path.startswith("/v3/billdownload/"):
            return response
        knobs = taken()
        if "alter" in knobs and response.mimetype == "application/json":
            changed = merge(json.loads(response.get_data()), knobs["alter"].value)
            response.set_data(json.dumps(changed, ensure_ascii=False))
        merchant = g.get("merchant") or next(iter(box.merchants.values()))
        response.headers.update(signed_headers(merchant, response.get_data(), knobs))
        return response

    @blue.errorhandler(Refused)
    def say_no(error: Refused) -> Response:
        return _error(error.code, error.message, error.status, error.field)

    def guarded(operation: str) -> Any:
        """Like `call`, with the platform's refusals made answers first, so that the journal has their status."""

        def decorate(view: Any) -> Any:
            def answered(**kwargs: Any) -> Response:
                try:
                    return view(**kwargs)
                except Refused as error:
                    return say_no(error)

            answered.__name__ = view.__name__
            return call(box, PROVIDER, operation, _provider_error)(answered)

        return decorate

    @blue.post("/v3/pay/transactions/native")
    @guarded("native")
    def native() -> Response:
        return _json(ledger.create(g.merchant, _data(), "NATIVE"))

    @blue.post("/v3/pay/transactions/jsapi")
    @guarded("jsapi")
    def jsapi() -> Response:
        return _json(ledger.create(g.merchant, _data(), "JSAPI"))

    def own_mchid() -> str:
        if request.args.get("mchid") != g.merchant.mchid:
            raise Refused("PARAM_ERROR", "商户号与签名的商户号不一致", "/query/mchid")
        return g.merchant.mchid

    @blue.get("/v3/pay/transactions/out-trade-no/<out_trade_no>")
    @guarded("query")
    def query(out_trade_no: str) -> Response:
        return _json(shown_order(ledger.order(own_mchid(), out_trade_no)))

    @blue.get("/v3/pay/transactions/id/<transaction_id>")
    @guarded("query")
    def query_by_id(transaction_id: str) -> Response:
        return _json(shown_order(ledger.by_transaction(own_mchid(), transaction_id)))

    @blue.post("/v3/pay/transactions/out-trade-no/<out_trade_no>/close")
    @guarded("close")
    def close(out_trade_no: str) -> Response:
        if _data().get("mchid") != g.merchant.mchid:
            raise Refused("PARAM_ERROR", "商户号与签名的商户号不一致", "/body/mchid")
        ledger.close(g.merchant.mchid, out_trade_no)
        return Response(status=204)

    @blue.post("/v3/refund/domestic/refunds")
    @guarded("refund")
    def refund() -> Response:
        made, new = ledger.refund(g.merchant, _data(), abnormal="abnormal" in taken())
        if new and made["notify_url"]:
            postman.send(
                "wechatpay.refund",
                "REFUND",
                made["out_refund_no"],
                made["notify_url"],
                made["mchid"],
                after=box.refund_seconds + 0.05,
            )
        return _json(shown_refund(ledger.settled(made["mchid"], made["out_refund_no"])))

    @blue.get("/v3/refund/domestic/refunds/<out_refund_no>")
    @guarded("query_refund")
    def query_refund(out_refund_no: str) -> Response:
        return _json(shown_refund(ledger.settled(g.merchant.mchid, out_refund_no)))

    @blue.get("/v3/bill/tradebill")
    @guarded("bill")
    def bill() -> Response:
        try:
            day = date.fromisoformat(request.args.get("bill_date", ""))
        except ValueError:
            raise Refused("PARAM_ERROR", "bill_date格式错误", "/query/bill_date") from None
        ready = datetime(day.year, day.month, day.day, 10, tzinfo=BEIJING) + timedelta(days=1)
        if box.clock.now() < ready.timestamp():
            raise Refused("STATEMENT_CREATING", "账单生成中，请在次日10点后获取")
        text = trade_bill(box.store, g.merchant, day).encode()
        if not text:
            raise Refused("NO_STATEMENT_EXIST", "请求的账单文件不存在")
        token = secrets.token_urlsafe(24)
        until = box.clock.now() + BILL_LINK_LIVES
        zipped = request.args.get("tar_type") == "GZIP"
        box.store.put(PROVIDER, "bill_link", token, {"day": str(day), "until": until, "gzip": zipped})
        return _json(
            {
                "hash_type": "SHA1",
                "hash_value": hashlib.sha1(text, usedforsecurity=False).hexdigest(),
                "download_url": f"{request.host_url}v3/billdownload/file?token={token}",
            }
        )

    @blue.get("/v3/billdownload/file")
    @guarded("bill_file")
    def bill_file() -> Response:
        link = box.store.get(PROVIDER, "bill_link", request.args.get("token", ""))
        if link is None or link["until"] < box.clock.now():
            raise Refused("RESOURCE_NOT_EXISTS", "下载链接不存在或已过期")
        text = trade_bill(box.store, g.merchant, date.fromisoformat(link["day"])).encode()
        data = gzip.compress(text) if link["gzip"] else text
        return Response(data, mimetype="application/octet-stream" if link["gzip"] else "text/plain")

    @blue.post("/_control/wechatpay/pay")
    def pay() -> Response:
        data = control_body()
        code = data.get("code_url") or data.get("prepay_id") or data.get("out_trade_no")
        if not isinstance(code, str):
            return refused("PARAM_ERROR", "code_url, prepay_id or out_trade_no is needed")
        knobs = box.knobs.take(PROVIDER, "pay", ("late_ok",))
        try:
            order = ledger.find_payable(code.strip())
            openid = str(data.get("openid") or f"o{secrets.token_urlsafe(20)[:27]}")
            paid = ledger.pay(order, openid, late="late_ok" in knobs)
        except Refused as error:
            return refused(error.code, error.message, 404 if error.code == "ORDER_NOT_EXIST" else 409)
        postman.send(
            "wechatpay.payment", "TRANSACTION.SUCCESS", paid["out_trade_no"], paid["notify_url"], paid["mchid"]
        )
        return _json(shown_order(paid))

    @blue.get("/_control/wechatpay/orders")
    def orders() -> Response:
        hidden = ("openid", "notify_url")
        return jsonify(
            [
                {name: value for name, value in order.items() if name not in hidden}
                | {"expires": rfc3339(order["deadline"]), "expired": order["deadline"] <= box.clock.now()}
                for _, order in box.store.all(PROVIDER, "order", 100)
            ]
        )

    postman.route("wechatpay.payment", Route(PROVIDER, "notify", _payment_writer(box, ledger)))
    postman.route("wechatpay.refund", Route(PROVIDER, "notify_refund", _refund_writer(box, ledger)))
    return blue


def _letter(
    merchant: Merchant,
    record: Record,
    knobs: dict[str, Knob],
    event: str,
    original: str,
    summary: str,
    resource: dict[str, Any],
) -> Letter:
    if "alter" in knobs:
        resource = merge(resource, knobs["alter"].value)
    content = notification(merchant, record["id"], record["made"], event, original, summary, resource)
    headers = {"Content-Type": "application/json", **signed_headers(merchant, content, knobs)}
    return headers, content


def _payment_writer(box: Box, ledger: Ledger) -> Any:
    def write(record: Record, knobs: dict[str, Knob]) -> Letter | None:
        order = ledger.order(record["mchid"], record["key"])
        # the notification tells of the payment, whatever was refunded since
        told = shown_order({**order, "trade_state": "SUCCESS"})
        merchant = box.merchants[record["mchid"]]
        return _letter(merchant, record, knobs, "TRANSACTION.SUCCESS", "transaction", "支付成功", told)

    return write


def _refund_writer(box: Box, ledger: Ledger) -> Any:
    summaries = {"SUCCESS": "退款成功", "ABNORMAL": "退款异常", "CLOSED": "退款关闭"}

    def write(record: Record, knobs: dict[str, Knob]) -> Letter | None:
        refund = ledger.settled(record["mchid"], record["key"])
        if refund["status"] == "PROCESSING":
            return None
        merchant = box.merchants[record["mchid"]]
        event, summary = f"REFUND.{refund['status']}", summaries[refund["status"]]
        return _letter(merchant, record, knobs, event, "refund", summary, told_refund(refund))

    return write
