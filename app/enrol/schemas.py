"""What the enrol routes take and give. Days are ISO dates, moments RFC 3339 in Shanghai's time."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Date, Function, Integer, List, Nested, String
from apiflask.validators import Length, Regexp

from app.core.clock import iso

_ID = Regexp(r"^[0-9a-z]{16}$", error="编号不对，请刷新页面后重试。")
_IDS = Length(min=1, max=20, error="请勾选 1 至 20 项。")


def _moment(name: str) -> Function:
    def read(row: Any) -> str | None:
        moment = getattr(getattr(row, "enrolment", row), name)
        return iso(moment) if moment else None

    return Function(read, metadata={"type": "string", "format": "date-time", "nullable": True})


def _fee(page: Any) -> int | None:
    """The fee of a certificate, in fen; None where nothing is paid."""
    return page.programme.fee.amount_fen if page.programme.fee else None


def _enrolment_id(offer: Any) -> str | None:
    return offer.enrolment.id if offer.enrolment else None


class SignUpsQuery(Schema):
    programme = String(required=True, validate=Length(1, 32), metadata={"example": "yunnan"})
    kind = String(validate=Length(1, 32), metadata={"description": "only this kind of certificate (its code)"})


class SignUpsIn(Schema):
    roster_entry_ids = List(String(validate=_ID), required=True, validate=_IDS)


class CheckoutIn(Schema):
    enrolment_ids = List(String(validate=_ID), required=True, validate=_IDS)
    payer_name = String(required=True, validate=Length(1, 100, error="请填写姓名。"))
    payer_number = String(required=True, validate=Length(1, 30, error="请填写身份证号。"))


class HintOut(Schema):
    code = String()
    sentence = String()


class OfferOut(Schema):
    roster_entry_id = String(attribute="entry.id")
    kind_code = String(attribute="entry.kind_code")
    kind_title = String()
    certificate_no = String(attribute="entry.certificate_no")
    issued_on = Date(attribute="entry.issued_on", allow_none=True)
    expires_on = Date(attribute="entry.expires_on", allow_none=True)
    refusal = Nested(HintOut, allow_none=True)
    warning = Nested(HintOut, allow_none=True)
    enrolment_id = Function(_enrolment_id, metadata={"type": "string", "nullable": True})


class SignUpsOut(Schema):
    programme = String(attribute="programme.key")
    programme_title = String(attribute="programme.title")
    fee_fen = Function(_fee, metadata={"type": "integer", "nullable": True})
    contact = String(attribute="programme.authority.contacts.sign_up")
    offers = List(Nested(OfferOut))
    notice = Nested(HintOut, allow_none=True)


class EnrolmentOut(Schema):
    id = String(attribute="enrolment.id")
    programme = String(attribute="enrolment.programme")
    programme_title = String(attribute="programme.title")
    version = String(attribute="enrolment.version")
    kind_code = String(attribute="enrolment.kind_code")
    kind_title = String()
    certificate_no = String()
    expires_on = Date(attribute="enrolment.certificate_expires_on", allow_none=True)
    status = String(attribute="enrolment.status")
    warning = Nested(HintOut, allow_none=True)
    order_id = String(attribute="enrolment.order_id", allow_none=True)
    fee_fen = Function(_fee, metadata={"type": "integer", "nullable": True})
    contact = String()
    signed_up_at = _moment("signed_up_at")
    paid_at = _moment("paid_at")
    study_deadline = _moment("study_deadline")
    passed_at = _moment("passed_at")
    completed_at = _moment("completed_at")


class EnrolmentsOut(Schema):
    enrolments = List(Nested(EnrolmentOut))


class CheckoutOut(Schema):
    order_id = String()
    status = String()
    amount_fen = Integer()
    expires_at = _moment("expires_at")
