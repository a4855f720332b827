"""What the invoice routes take and give. Moments are RFC 3339 in Shanghai's time, amounts fen."""

from __future__ import annotations

import unicodedata
from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp
from marshmallow import ValidationError, post_load, validates_schema

from app.invoice.service import Details
from app.invoice.taxpayer import normalise

_MAYBE: dict[str, Any] = {"required": True, "allow_none": True}
_UNSEEN = ("Cc", "Cf", "Cs", "Co", "Zl", "Zp")  # control, direction, halves, private: nothing that is printed
_EMAIL = Regexp(r"^[!-?A-~]{1,40}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$", error="邮箱的格式不对，例如 name@example.com。")
_PHONE = Regexp(r"^\+?[0-9][0-9 ()-]{4,19}$", error="电话的格式不对，例如 0871-63120000。")
_ACCOUNT = Regexp(r"^[0-9][0-9 -]{5,39}$", error="银行账号只能是数字。")
_OPTIONAL: dict[str, Any] = {"load_default": None, "allow_none": True}
STATES = ["requestable", "planned", "held", "late", "problem", "correcting", "cancelled", "ready"]
ENTERPRISE_ONLY = ("title", "taxpayer_number", "phone", "address", "bank_name", "bank_account")


def _printed(text: str) -> None:
    """Raises `ValidationError` for characters that nobody sees and an invoice cannot hold."""
    if any(unicodedata.category(one) in _UNSEEN for one in text):
        raise ValidationError("这里有不能打印的字符，请删掉后重新输入。")


def _tidy(text: str) -> str:
    """Without blanks at the ends, and with one where there were several. Brackets stay as they were typed: the name
    on an invoice is the one on the licence."""
    return " ".join(text.split())


class PayerIn(Schema):
    """Details of a payer. A person's invoice is in their own name: only the e-mail is theirs to fill in."""

    kind = String(required=True, validate=OneOf(["person", "enterprise"]), metadata={"description": "个人或单位"})
    title = String(**_OPTIONAL, validate=[Length(max=100), _printed], metadata={"description": "单位名称（抬头）"})
    taxpayer_number = String(**_OPTIONAL, validate=Length(max=40), metadata={"description": "纳税人识别号"})
    email = String(**_OPTIONAL, validate=[Length(max=50), _EMAIL])
    phone = String(**_OPTIONAL, validate=_PHONE, metadata={"description": "单位电话"})
    address = String(**_OPTIONAL, validate=[Length(max=80), _printed], metadata={"description": "单位地址"})
    bank_name = String(**_OPTIONAL, validate=[Length(max=50), _printed], metadata={"description": "开户行"})
    bank_account = String(**_OPTIONAL, validate=_ACCOUNT, metadata={"description": "银行账号"})

    @validates_schema(skip_on_field_errors=False)  # whatever is wrong is said at once
    def _whole(self, data: dict[str, Any], **_: Any) -> None:
        wrong: dict[str, list[str]] = {}
        kind = data.get("kind")  # what did not pass by itself is not here, and is said already
        if kind == "person":
            wrong |= {name: ["个人发票不用填写这一项。"] for name in ENTERPRISE_ONLY if data.get(name)}
        elif kind == "enterprise":
            if "title" in data and len(_tidy(data["title"] or "")) < 2:
                wrong["title"] = ["请填写单位全称，与营业执照一致。"]
            if "taxpayer_number" in data and normalise(data["taxpayer_number"] or "") is None:
                wrong["taxpayer_number"] = ["纳税人识别号不对，请对照营业执照上的统一社会信用代码（18 位）核对。"]
            both = "bank_name" in data and "bank_account" in data
            if both and bool(data["bank_name"]) != bool(data["bank_account"]):
                missing = "bank_account" if data.get("bank_name") else "bank_name"
                wrong[missing] = ["开户行和银行账号要一起填写，或都不填。"]
        if wrong:
            raise ValidationError(wrong)

    @post_load
    def _details(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        filled = {name: _tidy(value) or None for name, value in data.items() if value is not None}
        number = normalise(filled.get("taxpayer_number") or "")
        rest = {name: filled.get(name) for name in ("email", "phone", "address", "bank_name", "bank_account")}
        return {"details": Details(data["kind"], filled.get("title") or "", number, **rest)}


class PayerOut(Schema):
    """The details that the next order will be confirmed with; the owner's own, in the clear, to be checked before
    paying. `saved`: false, as long as they are only proposed."""

    kind = String(required=True)
    title = String(required=True)
    taxpayer_number = String(**_MAYBE)
    email = String(**_MAYBE)
    phone = String(**_MAYBE)
    address = String(**_MAYBE)
    bank_name = String(**_MAYBE)
    bank_account = String(**_MAYBE)
    saved = Boolean(required=True)


class InvoiceOut(Schema):
    """A paid order and its invoice."""

    id = String(**_MAYBE, metadata={"description": "发票编号；还没有发票时为空"})
    order_id = String(required=True)
    programme_title = String(required=True)
    state = String(
        required=True,
        metadata={"enum": STATES},
    )
    sentence = String(required=True, metadata={"description": "给用户看的一句话"})
    contact = String(required=True)
    amount_fen = Integer(required=True, metadata={"description": "价税合计；还没有发票的，是订单金额"})
    due_from = String(**_MAYBE, metadata={"format": "date", "description": "预计开具：最早"})
    due_until = String(**_MAYBE, metadata={"format": "date", "description": "预计开具：最晚"})
    number = String(**_MAYBE, metadata={"description": "发票号码"})
    issued_on = String(**_MAYBE, metadata={"format": "date"})
    pdf_url = String(**_MAYBE, metadata={"description": "十分钟内有效"})


class InvoicesOut(Schema):
    invoices = List(Nested(InvoiceOut), required=True)
    zip_url = String(**_MAYBE, metadata={"description": "全部已开具的发票（ZIP），十分钟内有效；不足两张时为空"})


class MailIn(Schema):
    """Where to send an invoice."""

    email = String(required=True, validate=[Length(max=50), _EMAIL], metadata={"description": "邮箱"})


class MailOut(Schema):
    """How the last message stands."""

    email = String(required=True, metadata={"description": "邮箱，已打码"})
    state = String(required=True, metadata={"enum": ["on_its_way", "sent", "unknown", "failed"]})
    sentence = String(required=True)


class CorrectionIn(Schema):
    """Why an invoice is to be corrected. The details that it gets are those saved at `/payer`."""

    words = String(required=True, validate=[Length(min=2, max=100), _printed], metadata={"description": "更正原因"})


class InvoiceLineOut(Schema):
    name = String(required=True)
    gross_fen = Integer(required=True)
    net_fen = Integer(required=True)
    tax_fen = Integer(required=True)


class InvoiceDetailsOut(InvoiceOut):
    """One invoice with what stands on it."""

    title = String(required=True, metadata={"description": "购买方名称"})
    taxpayer_number = String(**_MAYBE)
    net_fen = Integer(required=True)
    tax_fen = Integer(required=True)
    tax_rate_permille = Integer(required=True)
    lines = List(Nested(InvoiceLineOut), required=True)
    email = String(**_MAYBE, metadata={"description": "开票信息中的邮箱，用于预填"})
    mail = Nested(MailOut, **_MAYBE)
    mailable = Boolean(required=True, metadata={"description": "能否发送到邮箱"})
    correctable = Boolean(required=True, metadata={"description": "能否申请更正"})
