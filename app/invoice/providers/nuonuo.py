"""Nuonuo 诺诺 open platform, product 诺税通 SaaS. Wire facts: docs/providers.md, Nuonuo e-invoices.

A call is one signed POST; `method` in a header names it. The answers are not signed: HTTPS is what vouches for them.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

from app.core.clock import shanghai
from app.core.money import fen, yuan
from app.core.outgoing import Line
from app.invoice.providers.protocol import (
    Answer,
    RedAnswer,
    RedRequest,
    Refused,
    Request,
    Unavailable,
    Unknown,
)

LIVE = "https://sdk.nuonuo.com"
PATH = "/open/v1/services"
FILE_HOSTS = (".nuonuo.com", ".jss.com.cn")  # where the documentation's examples have their files
PDF_BYTES = 2 * 1024 * 1024

ISSUE = "nuonuo.OpeMplatform.requestBillingNew"
QUERY = "nuonuo.OpeMplatform.queryInvoiceResult"
AGAIN = "nuonuo.OpeMplatform.reInvoice"
RED = "nuonuo.OpeMplatform.saveInvoiceRedConfirm"
QUERY_RED = "nuonuo.OpeMplatform.queryInvoiceRedConfirm"
REFRESH_RED = "nuonuo.OpeMplatform.refreshInvoiceRedConfirm"
GOOD, DUPLICATE, ABSENT = "E0000", "E9106", "E9500"
GATEWAY = "07"  # keys, signature, token, permission: nothing reached the invoicing service
STATES: dict[str, Any] = {
    "2": "issued",
    "20": "processing",
    "21": "processing",
    "22": "failed",
    "24": "unsealed",
    "3": "void",
    "31": "void",
}
SELLER = "0"
WHY = {"mistake": "2", "money_back": "3"}  # issued wrongly; the service ended
# of the form that asks the bureau for a red letter: nobody, or both, had to agree; the buyer has to; being entered
AGREED, BUYERS_TURN, ENTERING = ("01", "04"), ("02",), ("15",)
OVER = ("05", "06", "07", "08", "09", "10", "16")


@dataclass(frozen=True)
class Account:
    """Keys of an application of the seller's own whose token never ends (made so at the vendor), and the seller's
    facts that each request carries. `clerk`: the name of whoever signed in at the tax bureau for the vendor."""

    app_key: str
    app_secret: str
    access_token: str
    tax_number: str
    address: str
    phone: str
    clerk: str


def sign(account: Account, senid: str, nonce: str, timestamp: str, content: str) -> str:
    """The signature: HMAC-SHA1 over the parts of the path, the query and the body, in the vendor's order."""
    text = f"a=services&l=v1&p=open&k={account.app_key}&i={senid}&n={nonce}&t={timestamp}&f={content}"
    return base64.b64encode(hmac.digest(account.app_secret.encode(), text.encode(), "sha1")).decode()


class Nuonuo:
    """The account of one seller; `base` is where the vendor answers."""

    def __init__(self, account: Account, base: str = LIVE):
        self._account, self._base = account, base
        self._line = Line("nuonuo", Unknown)
        self._files = Line("nuonuo files", Unknown)  # other hosts: their trouble is not that of the invoicing

    def issue(self, request: Request) -> Answer:
        code, text, result = self._call(ISSUE, {"order": self._order(request)})
        if code == DUPLICATE:
            answer = self.query(request.serial)
            if answer.state != "failed":
                return answer
            code, text, result = self._call(AGAIN, {"orderno": request.serial})
            if code != GOOD:
                raise Refused(code, text)
            return Answer("processing")
        if code != GOOD:
            raise Refused(code, text)
        serial = result.get("invoiceSerialNum") if isinstance(result, dict) else None
        return Answer("processing", vendor_serial=str(serial) if serial else None)

    def query(self, serial: str) -> Answer:
        code, _, result = self._call(QUERY, {"orderNos": [serial], "isOfferInvoiceDetail": "0"})
        if code == ABSENT or (code == GOOD and not result):
            return Answer("absent")
        rows = [row for row in result if row.get("orderNo") == serial] if isinstance(result, list) else []
        if code != GOOD or len(rows) != 1 or str(rows[0].get("status")) not in STATES:
            raise Unknown(f"an answer that does not fit: {code}")
        state = STATES[str(rows[0]["status"])]
        if state == "unsealed":
            self._call(AGAIN, {"orderno": serial})  # bounded by the vendor: twenty a day
            state = "processing"
        return _answer(state, rows[0])

    def reverse(self, request: RedRequest) -> RedAnswer:
        form = {
            "billId": request.serial,
            "blueInvoiceLine": "pc",
            "applySource": SELLER,
            "blueElecInvoiceNumber": request.number,
            "sellerTaxNo": self._account.tax_number,
            "sellerName": "",  # may be left out where the seller asks
            "buyerTaxNo": request.buyer.taxpayer_number or "",
            "buyerName": request.buyer.title,
            "redReason": WHY[request.why],
            "autoInvoice": "1",
        }
        code, text, _ = self._call(RED, form)
        if code == GOOD:
            return RedAnswer("processing")
        known = self.query_red(request.serial)  # the code for a number that is known already is not documented
        if known.state == "absent":
            raise Refused(code, text)
        return known

    def query_red(self, serial: str) -> RedAnswer:
        form = self._form(serial)
        if form is not None and str(form.get("billStatus")) in BUYERS_TURN and form.get("billUuid"):
            # what the buyer does at the bureau comes to the vendor only when it is fetched from there
            self._call(REFRESH_RED, {"identity": SELLER, "billUuid": str(form["billUuid"])})
            form = self._form(serial)
        return RedAnswer("absent") if form is None else _red_answer(form)

    def _form(self, serial: str) -> dict[str, Any] | None:
        code, _, result = self._call(QUERY_RED, {"identity": SELLER, "billId": serial})
        if code == ABSENT:
            return None
        rows = result.get("list") if isinstance(result, dict) else None
        if code != GOOD or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            raise Unknown(f"an answer that does not fit: {code}")
        found = [row for row in rows if row.get("billId") == serial]
        if len(found) != len(rows) or len(found) > 1:
            raise Unknown("an answer about something else")
        return found[0] if found else None

    def download(self, url: str) -> bytes:
        if not self._ours(url):
            raise Unknown("a file from another host")
        answer = self._files.send("GET", url, headers={}, limit=PDF_BYTES)
        if answer.status != 200 or not answer.body.startswith(b"%PDF-"):
            raise Unknown(f"no PDF: status {answer.status}")
        return answer.body

    def _ours(self, url: str) -> bool:
        parts = urlsplit(url)
        if self._base != LIVE:
            return f"{parts.scheme}://{parts.netloc}" == self._base
        host = parts.hostname or ""
        return parts.scheme == "https" and parts.port in (None, 443) and host.endswith(FILE_HOSTS)

    def _call(self, method: str, payload: dict[str, Any]) -> tuple[str, str, Any]:
        """One signed call: the vendor's code, its text, its result."""
        content = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
        senid, nonce = uuid.uuid4().hex, str(10_000_000 + secrets.randbelow(90_000_000))
        timestamp = str(int(time.time()))
        account = self._account
        query = urlencode({"senid": senid, "nonce": nonce, "timestamp": timestamp, "appkey": account.app_key})
        headers = {
            "Content-Type": "application/json; charset=UTF-8",
            "X-Nuonuo-Sign": sign(account, senid, nonce, timestamp, content),
            "accessToken": account.access_token,
            "userTax": account.tax_number,
            "method": method,
        }
        # what may have arrived is not sent a second time, but asked for
        url, again = f"{self._base}{PATH}?{query}", method in (QUERY, QUERY_RED)
        answer = self._line.send("POST", url, data=content.encode(), headers=headers, again=again)
        if answer.status != 200:
            raise Unknown(f"status {answer.status}")
        try:
            said = json.loads(answer.body)
            code = str(said["code"])
        except (ValueError, TypeError, KeyError) as error:
            raise Unknown("no answer of the vendor's form") from error
        if code.startswith(GATEWAY):
            raise Unavailable(code)
        return code, str(said.get("describe") or ""), said.get("result")

    def _order(self, request: Request) -> dict[str, Any]:
        buyer, account = request.buyer, self._account
        return {
            "orderNo": request.serial,
            "invoiceDate": f"{shanghai(request.ordered_at):%Y-%m-%d %H:%M:%S}",
            "invoiceType": "1",  # blue
            "invoiceLine": "pc",  # fully digital, ordinary
            "salerTaxNum": account.tax_number,
            "salerTel": account.phone,
            "salerAddress": account.address,
            "clerk": account.clerk,
            "buyerName": buyer.title,
            "buyerTaxNum": buyer.taxpayer_number or "",
            "buyerTel": buyer.phone or "",
            "buyerAddress": buyer.address or "",
            "buyerAccount": buyer.bank or "",
            "naturalPersonFlag": "1" if buyer.natural else "0",
            "pushMode": "0" if buyer.email else "-1",  # by e-mail, or not at all
            "email": buyer.email or "",
            "buyerPhone": "",
            "remark": request.remark,
            "invoiceDetail": [
                {
                    "goodsName": line.goods_name,
                    "goodsCode": line.goods_code,
                    "withTaxFlag": "1",
                    "num": "1",
                    "price": yuan(line.amount.gross_fen),
                    "taxRate": f"{line.rate_permille / 1000:g}",
                    "taxExcludedAmount": yuan(line.amount.net_fen),
                    "tax": yuan(line.amount.tax_fen),
                    "taxIncludedAmount": yuan(line.amount.gross_fen),
                    "invoiceLineProperty": "0",
                }
                for line in request.lines
            ],
        }


def _answer(state: Any, row: dict[str, Any]) -> Answer:
    try:
        said = {name: str(row[name]) for name in ("exTaxAmount", "taxAmount") if row.get(name) not in (None, "")}
        net, tax = (fen(said[name]) if name in said else None for name in ("exTaxAmount", "taxAmount"))
        moment = row.get("invoiceTime")
        return Answer(
            state,
            vendor_serial=str(row["serialNo"]) if row.get("serialNo") else None,
            number=str(row.get("allElectronicInvoiceNumber") or row.get("invoiceNo") or "") or None,
            gross_fen=net + tax if net is not None and tax is not None else None,
            tax_fen=tax,
            issued_at=datetime.fromtimestamp(int(moment) / 1000, UTC) if moment else None,
            pdf_url=str(row["pdfUrl"]) if row.get("pdfUrl") else None,
            reason=str(row.get("failCause") or row.get("statusMsg") or ""),
        )
    except (ValueError, TypeError, OverflowError, OSError) as error:
        raise Unknown("an answer that cannot be read") from error


def _red_answer(form: dict[str, Any]) -> RedAnswer:
    """A form is issued once its red letter has a number: agreed to, it still is on its way."""
    status, number = str(form.get("billStatus") or ""), str(form.get("redInvoiceNumber") or "") or None
    if status not in (*AGREED, *BUYERS_TURN, *ENTERING, *OVER):
        raise Unknown(f"a form of an unknown status: {status}")
    try:
        net, tax = (str(form.get(name) or "") for name in ("taxExcludedAmount", "taxAmount"))
        amount = -(fen(net) + fen(tax)) if net and tax else None
    except ValueError as error:
        raise Unknown("an answer that cannot be read") from error
    said = {"form_number": str(form.get("billNo") or "") or None, "amount_fen": amount}
    if status in OVER:
        reason = str(form.get("billMessage") or "")
        return RedAnswer("failed", reason=f"{status} {reason}".strip(), **said)  # type: ignore[arg-type]
    if status in AGREED and number is not None:
        return RedAnswer("issued", number=number, **said)  # type: ignore[arg-type]
    return RedAnswer("waiting" if status in BUYERS_TURN else "processing", **said)  # type: ignore[arg-type]
