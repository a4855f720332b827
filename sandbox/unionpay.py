"""UnionPay's gateway for cards (网关支付 B2C, 5.1.0): the bank page, questions, refunds, the file; signed answers and
notifications. What the wire looks like and where we know it from stands in docs/providers.md.

`POST /_control/unionpay/pay` does what a card would.
"""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, g, jsonify, render_template, request

from sandbox.box import Box, call, merge, taken
from sandbox.controls import body as control_body
from sandbox.controls import refused
from sandbox.keys import Acquired
from sandbox.knobs import Knob
from sandbox.postman import Letter, Postman, Route
from sandbox.store import Record
from sandbox.unionpay_bill import day_of, file_of, ready
from sandbox.unionpay_ledger import PROVIDER, Book, Refused, told
from sandbox.unionpay_wire import NotSigned, answer, beijing, caller, letter, signed

ECHOED = ("merId", "orderId", "txnTime", "txnType", "txnSubType", "bizType", "accessType")


def blueprint(box: Box, postman: Postman) -> Blueprint:
    """`/gateway/api/…`, `/unionpay/files/` and `/_control/unionpay/…`."""
    blue = Blueprint("unionpay", __name__)
    book = Book(box)

    def reply(said: dict[str, str]) -> Response:
        echoed = {name: g.fields[name] for name in ECHOED if name in g.fields}
        full = {**echoed, **said}
        if "alter" in taken():
            full = merge(full, taken()["alter"].value)
        return Response(answer(g.merchant, full, taken()), content_type="text/plain;charset=UTF-8")

    def no(code: str, message: str = "") -> Response:
        return reply({"respCode": code, "respMsg": message or Refused(code).message})

    def query() -> Response:
        kind, row = book.asked(g.merchant, g.fields.get("orderId", ""), g.fields.get("txnTime", ""))
        said = told(row, kind)
        said |= {"origRespCode": said["respCode"], "origRespMsg": said["respMsg"]}
        return reply({**said, "respCode": "00", "respMsg": "成功[0000000]"})

    def refund() -> Response:
        made = book.refund(g.merchant, g.fields, fails="abnormal" in taken())
        key = f"{made['orderId']}/{made['txnTime']}"
        after = box.refund_seconds + 0.05
        postman.send("unionpay.refund", "REFUND", key, made["backUrl"], made["mer_id"], after=after)
        return reply({"respCode": "00", "respMsg": "成功[0000000]", "queryId": made["query_id"]})

    def file() -> Response:
        try:
            day = day_of(g.fields.get("settleDate", ""), box.clock.now())
        except ValueError:
            raise Refused("10") from None
        name, content = file_of(box.store, g.merchant.mer_id, day)
        if not content or box.clock.now() < ready(day):
            return no("98", "文件不存在[2980001]")
        said = {"respCode": "00", "respMsg": "成功[0000000]", "fileName": name, "fileContent": content}
        return reply({**said, "fileType": "00", "settleDate": g.fields["settleDate"]})

    calls = {"query": query, "query_refund": query, "refund": refund, "file": file}

    def answering(operation: str) -> Any:
        @call(box, PROVIDER, operation, no)
        def act() -> Response:
            try:
                return calls[operation]()
            except Refused as error:
                return no(error.code, error.message)

        return act

    views = {operation: answering(operation) for operation in calls}

    def checked(operation: str) -> Response | None:
        """The refusal of a request that no merchant signed."""
        g.fields = request.form.to_dict()
        try:
            g.merchant = caller(g.fields, box.acquired)
        except NotSigned as error:
            box.journal.request(box.journal.page, PROVIDER, operation, request.method, request.path, 200)
            g.merchant = next(iter(box.acquired.values()))
            return no(error.code, str(error))
        return None

    @blue.post("/gateway/api/queryTrans.do")
    def question() -> Response:
        operation = "query_refund" if request.form.get("orderId", "").startswith("R") else "query"
        return checked(operation) or views[operation]()

    @blue.post("/gateway/api/backTransReq.do")
    def back_transaction() -> Response:
        return checked("refund") or views["refund"]()

    @blue.post("/unionpay/files/")
    def files() -> Response:
        return checked("file") or views["file"]()

    @blue.post("/gateway/api/frontTransReq.do")
    def front_transaction() -> Response:
        return checked("front") or front()

    @call(box, PROVIDER, "front", lambda code: Response(code, 500))
    def front() -> Response:
        try:
            row = book.open(g.merchant, g.fields)
        except Refused as error:
            return Response(render_template("unionpay.html", refusal=error.message), 409)
        return _bank_page(row)

    @blue.post("/_control/unionpay/pay")
    def pay() -> Response:
        by_page = bool(request.form)
        data = request.form.to_dict() or control_body()
        number, late = str(data.get("out_trade_no", "")), "late_ok" in box.knobs.take(PROVIDER, "pay", ("late_ok",))
        try:
            row = book.pay(number.strip(), late=late, code=str(data.get("code", "00")))
        except Refused as error:
            if by_page:
                return Response(render_template("unionpay.html", refusal=error.message), 409)
            return refused(error.code, error.message, 404 if error.code == "34" else 409)
        if "paid" in row:
            key = f"{row['orderId']}/{row['txnTime']}"
            postman.send("unionpay.payment", "PAID", key, row["backUrl"], row["mer_id"])
        if by_page:
            return _bank_page(row, box.acquired[row["mer_id"]])
        return jsonify({name: row[name] for name in ("out_trade_no", "txnAmt", "code")})

    postman.route("unionpay.payment", Route(PROVIDER, "notify", _writer(box, book, "payment"), _taken))
    postman.route("unionpay.refund", Route(PROVIDER, "notify_refund", _writer(box, book, "refund"), _taken))
    return blue


def _taken(status: int, _body: bytes) -> bool:
    """200 and nothing else ends a notification."""
    return status == 200


def _bank_page(row: Record, merchant: Acquired | None = None) -> Response:
    """What the card's owner sees; when it is paid, the way back is a form with the signed result."""
    front = signed(merchant, told(row, "payment"), {}) if merchant and "paid" in row else {}
    page = render_template(
        "unionpay.html",
        row=row,
        yuan=f"{int(row['txnAmt']) / 100:.2f}",
        until=beijing(row["deadline"], "%H:%M"),
        front=front,
    )
    return Response(page)


def _writer(box: Box, book: Book, kind: str) -> Any:
    def write(record: Record, knobs: dict[str, Knob]) -> Letter | None:
        row = box.store.get(PROVIDER, kind, f"{record['mchid']}/{record['key']}")
        if row is None or (kind == "refund" and not book.settled(row)):
            return None
        said = told(row, kind)
        if "alter" in knobs:
            said = merge(said, knobs["alter"].value)
        headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
        return headers, letter(box.acquired[record["mchid"]], said, knobs)

    return write
