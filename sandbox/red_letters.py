"""The forms of Nuonuo that ask the tax bureau for a red-letter invoice: a form is entered, agreed to where the buyer
has to, and the red letter comes by itself. Fields, codes and states: docs/providers.md, Nuonuo e-invoices.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from flask import Response

from sandbox.box import Box, Refused, merge, taken
from sandbox.store import Record

PROVIDER, FORM = "invoice", "red"
REQUIRED = ("blueInvoiceLine", "applySource", "blueElecInvoiceNumber", "sellerTaxNo", "buyerName", "redReason")
ENTERING, FREE, BUYERS_TURN, BOTH, DENIED, FAILED = "15", "01", "02", "04", "05", "16"


class RedLetters:
    """The forms of one sandbox. `issued(authority, number)` gives the invoice with the bureau's number and its sums,
    `reply` makes an answer."""

    def __init__(self, box: Box, issued: Callable[[str, str], Record | None], reply: Callable[..., Response]) -> None:
        self._box, self._issued, self._reply = box, issued, reply

    def apply_for(self, authority: str, data: dict[str, Any]) -> Response:
        """A new form."""
        for name in REQUIRED:
            if not data.get(name):
                raise Refused("E9105", f"{name} 不能为空")
        serial = str(data.get("billId") or secrets.token_hex(8))
        if len(serial) > 32 or len(str(data.get("orderNo") or "")) > 20:
            raise Refused("E9105", "申请号或开票单号超长")
        if data["sellerTaxNo"] != self._box.secret(f"{authority}.invoice.tax_number"):
            raise Refused("E9105", "销方税号与授权税号不一致")
        blue = self._issued(authority, str(data["blueElecInvoiceNumber"]))
        if blue is None:
            raise Refused("E9103", "未找到对应的蓝字发票")
        if blue["order"]["buyerName"] != data["buyerName"]:
            raise Refused("E9103", "购方名称与蓝字发票不一致")
        with self._box.store.changing():
            if self._box.store.get(PROVIDER, FORM, serial) is not None:
                raise Refused("E9999", "申请号重复")
            if any(self._stands(form, blue["number"]) for _, form in self._every()):
                raise Refused("E9103", "该发票不能重复冲红")
            now = self._box.clock.now()
            knobs = taken()
            form = {
                "authority": authority,
                "serial": serial,
                "blue": blue["number"],
                "net": blue["net"],
                "tax": blue["tax"],
                "reason": str(data["redReason"]),
                "form_number": f"99{secrets.randbelow(10**16):016d}",
                "uuid": secrets.token_hex(16),
                "number": f"{time.strftime('%y', time.gmtime(now))}{secrets.randbelow(10**18):018d}",
                "made": now,
                "fails": str(knobs["fails"].value or "该发票已入账，不能冲红") if "fails" in knobs else None,
                "buyer": "asked" if "asks_buyer" in knobs else "free",
                "told": "asked",
            }
            self._box.store.put(PROVIDER, FORM, serial, form)
        return self._reply("E0000", "成功", serial)

    def _every(self) -> list[tuple[str, Record]]:
        return self._box.store.all(PROVIDER, FORM, 10_000)

    def _stands(self, form: Record, blue: str) -> bool:
        """Whether the form takes this invoice back, or may still."""
        return bool(form["blue"] == blue and self._status(form) not in (FAILED, DENIED))

    def _status(self, form: Record) -> str:
        if self._box.clock.now() - form["made"] < self._box.invoice_seconds:
            return ENTERING
        if form["fails"]:
            return FAILED
        if form["buyer"] == "free":
            return FREE
        # what the buyer said at the bureau is known here once it was fetched
        return {"asked": BUYERS_TURN, "agreed": BOTH, "denied": DENIED}[form["told"]]

    def _shown(self, form: Record) -> dict[str, Any]:
        status = self._status(form)
        issued = status in (FREE, BOTH)
        said = {
            "billId": form["serial"],
            "billNo": form["form_number"],
            "billUuid": form["uuid"],
            "billStatus": status,
            "billMessage": form["fails"] or "" if status == FAILED else "",
            "applySource": 0,
            "taxExcludedAmount": f"{-Decimal(form['net']):.2f}",
            "taxAmount": f"{-Decimal(form['tax']):.2f}",
            "blueElecInvoiceNumber": form["blue"],
            "redReason": form["reason"],
            "invoiceSerialNum": f"red{form['form_number']}" if issued else None,
            "redInvoiceNumber": form["number"] if issued else None,
        }
        return merge(said, taken()["alter"].value) if "alter" in taken() else said

    def query(self, authority: str, data: dict[str, Any]) -> Response:
        """The form with a number of the caller's."""
        if data.get("identity") not in ("0", "1") or not data.get("billId"):
            raise Refused("E9105", "identity、billId 不能为空")
        form = self._box.store.get(PROVIDER, FORM, str(data["billId"]))
        found = [self._shown(form)] if form is not None and form["authority"] == authority else []
        return self._reply("E0000", "调用成功", {"total": len(found), "list": found})

    def refresh(self, authority: str, data: dict[str, Any]) -> Response:
        """Fetch from the bureau what the buyer did."""
        for serial, form in self._every():
            if form["uuid"] == data.get("billUuid") and form["authority"] == authority:
                with self._box.store.changing():
                    self._box.store.put(PROVIDER, FORM, serial, form | {"told": form["buyer"]})
                return self._reply("E0000", "成功")
        raise Refused("E9500", "未查询到红字确认单")

    def every(self) -> list[dict[str, Any]]:
        """All forms, the newest first."""
        return [self._shown(form) for _, form in self._every()]

    def buyer_says(self, serial: str, agrees: bool) -> dict[str, Any]:
        """The buyer agrees, or does not."""
        with self._box.store.changing():
            form = self._box.store.get(PROVIDER, FORM, serial)
            if form is None:
                return {"serial": serial, "buyer": None}
            buyer = "agreed" if agrees else "denied"
            self._box.store.put(PROVIDER, FORM, serial, form | {"buyer": buyer})
        return {"serial": serial, "buyer": buyer}
