"""Nuonuo's invoicing at `POST /open/v1/services`: issuing that goes on after the answer, its result, one more try,
the PDF, and the forms that ask for red letters (sandbox/red_letters.py). Signatures checked. Fields and codes:
docs/providers.md, Nuonuo e-invoices."""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import json
import secrets
import time
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from functools import partial
from typing import Any

from flask import Blueprint, Response, jsonify, request
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from sandbox.box import Box, Refused, call, guarded, merge, taken
from sandbox.keys import AUTHORITIES
from sandbox.red_letters import RedLetters
from sandbox.store import Record

PROVIDER = "invoice"
WINDOW = 300
FONT = "STSong-Light"  # not embedded: whoever shows the file has a font for it
REQUIRED = ("buyerName", "salerTaxNum", "orderNo", "invoiceDate", "clerk", "invoiceType", "invoiceDetail")


def _reply(code: str, text: str, result: Any = None) -> Response:
    data = {"code": code, "describe": text} | ({} if result is None else {"result": result})
    return Response(json.dumps(data, ensure_ascii=False), mimetype="application/json")


def _orders(box: Box, authority: str) -> list[Record]:
    """What this authority had issued, or asked to be."""
    return [row for key, row in box.store.all(PROVIDER, "order", 100_000) if key.startswith(f"{authority}/")]


def _error(code: str) -> Response:
    return _reply(code, "系统繁忙")


def _yuan(text: Any) -> Decimal:
    try:
        return Decimal(str(text))
    except InvalidOperation:
        raise Refused("E9105", f"金额格式不正确：{text}") from None


def _check(order: dict[str, Any], tax_number: str) -> None:
    """What the documentation asks of an order, and of its lines that they add up."""
    for name in REQUIRED:
        if not order.get(name):
            raise Refused("E9105", f"{name} 不能为空")
    if len(order["orderNo"]) > 20 or len(order["buyerName"]) > 100:
        raise Refused("E9105", "订单号或购方名称超长")
    if order["salerTaxNum"] != tax_number:
        raise Refused("E9105", "销方税号与授权税号不一致")
    if order["invoiceType"] != "1" or order.get("invoiceLine") != "pc":
        raise Refused("E9105", "票种不支持")
    if order.get("pushMode") in ("0", "2") and not order.get("email"):
        raise Refused("E9105", "推送邮箱不能为空")
    for line in order["invoiceDetail"]:
        gross, net, tax = (_yuan(line.get(name)) for name in ("taxIncludedAmount", "taxExcludedAmount", "tax"))
        rate = _yuan(line.get("taxRate"))
        if net + tax != gross or gross <= 0 or len(str(line.get("goodsCode"))) != 19:
            raise Refused("E9105", "含税金额、不含税金额与税额不符，或商品编码不正确")
        if abs(net * rate - tax) > Decimal("0.06"):
            raise Refused("E9105", "税额误差超过 0.06 元")


def paper(order: dict[str, Any], number: str, net: str, tax: str) -> bytes:
    """A small PDF with what stands on the invoice."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file, pagesize=(600, 390))
    canvas.setTitle(f"电子发票 {number}")
    canvas.setFont(FONT, 18)
    canvas.drawCentredString(300, 350, "电子发票（普通发票）· 沙箱样张")
    canvas.setFont(FONT, 11)
    rows = [
        f"发票号码：{number}",
        f"购买方：{order['buyerName']}　{order.get('buyerTaxNum') or ''}",
        f"销售方：{order['salerTaxNum']}",
        *(f"{line['goodsName']}　{line['taxIncludedAmount']} 元" for line in order["invoiceDetail"]),
        f"金额 {net} 元　税额 {tax} 元　价税合计 {Decimal(net) + Decimal(tax)} 元",
        f"备注：{order.get('remark') or ''}",
    ]
    for place, row in enumerate(rows):
        canvas.drawString(40, 310 - 20 * place, row)
    canvas.save()
    return file.getvalue()


def blueprint(box: Box) -> Blueprint:
    """`POST /open/v1/services`, the files, `/_control/invoices`."""
    blue = Blueprint("invoice", __name__)
    accounts = {box.secret(f"{name}.invoice.app_key"): name for name in AUTHORITIES}

    def caller() -> str:
        """The authority that signed the request. Raises `Refused`."""
        authority = accounts.get(request.args.get("appkey", ""))
        if authority is None:
            raise Refused("070101", "获取app密钥失败或appkey无效")
        said = {name: request.args.get(name, "") for name in ("senid", "nonce", "timestamp", "appkey")}
        if len(said["senid"]) != 32 or not (said["nonce"].isdigit() and len(said["nonce"]) == 8):
            raise Refused("070302", "公共参数格式不正确")
        if not said["timestamp"].isdigit() or abs(time.time() - int(said["timestamp"])) > WINDOW:
            raise Refused("070303", "timestamp已失效")
        text = (
            f"a=services&l=v1&p=open&k={said['appkey']}&i={said['senid']}&n={said['nonce']}&t={said['timestamp']}&f="
        )
        key = box.secret(f"{authority}.invoice.app_secret").encode()
        digest = hmac.new(key, text.encode() + request.get_data(), hashlib.sha1).digest()
        if not hmac.compare_digest(base64.b64encode(digest).decode(), request.headers.get("X-Nuonuo-Sign", "")):
            raise Refused("070601", "签名不匹配")
        if request.headers.get("accessToken") != box.secret(f"{authority}.invoice.access_token"):
            raise Refused("070304", "bad credentials")
        if request.headers.get("userTax") != box.secret(f"{authority}.invoice.tax_number"):
            raise Refused("070305", "税号未授权")
        return authority

    def key_of(authority: str, number: str) -> str:
        return f"{authority}/{number}"

    def issue(authority: str, data: dict[str, Any]) -> Response:
        order = data.get("order")
        if not isinstance(order, dict):
            raise Refused("E9105", "order 不能为空")
        _check(order, box.secret(f"{authority}.invoice.tax_number"))
        key = key_of(authority, order["orderNo"])
        with box.store.changing():
            if box.store.get(PROVIDER, "order", key) is not None:
                raise Refused("E9106", "订单编号或流水号不能重复")
            now = box.clock.now()
            file = secrets.token_urlsafe(32)
            record = {
                "order": order,
                "serial": f"{int(now * 1000)}{secrets.randbelow(10**7):07d}",
                "number": f"{time.strftime('%y', time.gmtime(now))}{secrets.randbelow(10**18):018d}",
                "file": file,
                "made": now,
                "fails": str(taken()["fails"].value or "购方税号有误") if "fails" in taken() else None,
                "unsealed": "unsealed" in taken(),
                "tries": 1,
            }
            box.store.put(PROVIDER, "order", key, record)
            box.store.put(PROVIDER, "file", file, {"key": key})
        return _reply("E0000", "开票提交成功", {"invoiceSerialNum": record["serial"]})

    def again(authority: str, data: dict[str, Any]) -> Response:
        key = key_of(authority, str(data.get("orderno")))
        with box.store.changing():
            record = box.store.get(PROVIDER, "order", key)
            if record is None:
                raise Refused("E9500", "未查询到发票")
            if record["tries"] > 20:
                raise Refused("E9613", "同一流水号(订单号)单日最多重试20次")
            fresh = {"fails": None, "unsealed": False, "made": box.clock.now(), "tries": record["tries"] + 1}
            box.store.put(PROVIDER, "order", key, record | fresh)
        return _reply("E0000", "重试提交成功")

    def status_of(record: Record) -> tuple[str, str]:
        if box.clock.now() - record["made"] < box.invoice_seconds:
            return "20", "开票中"
        if record["fails"]:
            return "22", "开票失败"
        return ("24", "开票成功签章失败") if record["unsealed"] else ("2", "开票完成（最终状态）")

    def totals(order: dict[str, Any]) -> tuple[str, str]:
        net = sum((_yuan(line["taxExcludedAmount"]) for line in order["invoiceDetail"]), Decimal(0))
        tax = sum((_yuan(line["tax"]) for line in order["invoiceDetail"]), Decimal(0))
        return f"{net:.2f}", f"{tax:.2f}"

    def shown(record: Record) -> dict[str, Any]:
        order, (status, text) = record["order"], status_of(record)
        net, tax = totals(order)
        issued = status in ("2", "24")
        said = {
            "serialNo": record["serial"],
            "orderNo": order["orderNo"],
            "status": status,
            "statusMsg": text,
            "failCause": record["fails"] or "" if status == "22" else "",
            "pdfUrl": f"{request.host_url}fp/{record['file']}.pdf" if status == "2" else "",
            "allElectronicInvoiceNumber": record["number"] if issued else "",
            "invoiceTime": int((record["made"] + box.invoice_seconds) * 1000) if issued else "",
            "exTaxAmount": net,
            "taxAmount": tax,
            "orderAmount": f"{Decimal(net) + Decimal(tax):.2f}",
            "payerName": order["buyerName"],
            "payerTaxNo": order.get("buyerTaxNum") or "",
        }
        return merge(said, taken()["alter"].value) if "alter" in taken() else said

    def query(authority: str, data: dict[str, Any]) -> Response:
        numbers = data.get("orderNos")
        if not isinstance(numbers, list) or not 1 <= len(numbers) <= 50:
            raise Refused("E9105", "orderNos 为 1 至 50 个")
        records = [box.store.get(PROVIDER, "order", key_of(authority, str(number))) for number in numbers]
        found = [shown(record) for record in records if record is not None]
        if not found:
            raise Refused("E9500", "未查询到发票")
        return _reply("E0000", "获取成功", found)

    def issued(authority: str, number: str) -> Record | None:
        """The invoice with this number of the bureau's, with its sums."""
        for record in _orders(box, authority):
            if record["number"] == number and status_of(record)[0] in ("2", "24"):
                net, tax = totals(record["order"])
                return record | {"net": net, "tax": tax}
        return None

    red = RedLetters(box, issued, _reply)
    methods: dict[str, tuple[str, Callable[[str, dict[str, Any]], Response]]] = {
        "nuonuo.OpeMplatform.requestBillingNew": ("issue", issue),
        "nuonuo.OpeMplatform.queryInvoiceResult": ("query", query),
        "nuonuo.OpeMplatform.reInvoice": ("again", again),
        "nuonuo.OpeMplatform.saveInvoiceRedConfirm": ("red", red.apply_for),
        "nuonuo.OpeMplatform.queryInvoiceRedConfirm": ("query_red", red.query),
        "nuonuo.OpeMplatform.refreshInvoiceRedConfirm": ("refresh_red", red.refresh),
    }

    def opened() -> tuple[str, Callable[[], Response]]:
        authority, method = caller(), request.headers.get("method", "")
        if method not in methods:
            raise Refused("070102", "method不存在")
        data = request.get_json(silent=True)
        if not isinstance(data, dict):
            raise Refused("E9105", "请求体不是JSON对象")
        operation, act = methods[method]
        return operation, partial(act, authority, data)

    @blue.post("/open/v1/services")
    def entry() -> Response:
        return guarded(box, PROVIDER, opened, _reply, _error)

    @blue.get("/fp/<name>.pdf")
    def file(name: str) -> Response:
        def run() -> Response:
            place = box.store.get(PROVIDER, "file", name)
            record = box.store.get(PROVIDER, "order", place["key"]) if place else None
            if record is None or status_of(record)[0] != "2":
                return Response("not found", status=404, mimetype="text/plain")
            return Response(
                paper(record["order"], record["number"], *totals(record["order"])), mimetype="application/pdf"
            )

        return call(box, PROVIDER, "pdf", _error)(run)()

    @blue.get("/_control/invoices")
    def invoices() -> Response:
        """What was issued or is on its way, the newest first."""
        return jsonify([shown(record) for _, record in box.store.all(PROVIDER, "order", 1000)])

    @blue.get("/_control/red-letters")
    def red_letters() -> Response:
        """The forms that ask for red letters, the newest first."""
        return jsonify(red.every())

    @blue.post("/_control/red-letters/<serial>")
    def buyer_says(serial: str) -> Response:
        """What the buyer does at the bureau: `{"agrees": true}` or false."""
        return jsonify(red.buyer_says(serial, bool((request.get_json(silent=True) or {}).get("agrees"))))

    return blue
