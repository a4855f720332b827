"""What the enrol routes take and give. Days are ISO dates, moments RFC 3339 in Shanghai's time."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Date, Function, Integer, List, Nested, String
from apiflask.validators import Length, Regexp

from app.core.clock import iso

_ID = Regexp(r"^[0-9a-z]{16}$", error="编号不对，请刷新页面后重试。")
_IDS = Length(min=1, max=20, error="请勾选 1 至 20 项。")


def _moment(name: str) -> Function:
    def read(row: Any) -> str | None:
        moment = getattr(getattr(row, "enrolment", row), name)
        return iso(moment) if moment else None

    return Function(read, required=True, metadata={"type": "string", "format": "date-time", "nullable": True})


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
    code = String(required=True)
    sentence = String(required=True)


class OfferOut(Schema):
    roster_entry_id = String(attribute="entry.id", required=True)
    kind_code = String(attribute="entry.kind_code", required=True)
    kind_title = String(required=True)
    certificate_no = String(attribute="entry.certificate_no", required=True)
    issued_on = Date(attribute="entry.issued_on", allow_none=True, required=True)
    expires_on = Date(attribute="entry.expires_on", allow_none=True, required=True)
    refusal = Nested(HintOut, allow_none=True, required=True)
    warning = Nested(HintOut, allow_none=True, required=True)
    enrolment_id = Function(_enrolment_id, metadata={"type": "string", "nullable": True}, required=True)


class SignUpsOut(Schema):
    programme = String(attribute="programme.key", required=True)
    programme_title = String(attribute="programme.title", required=True)
    fee_fen = Function(_fee, metadata={"type": "integer", "nullable": True}, required=True)
    contact = String(attribute="programme.authority.contacts.sign_up", required=True)
    offers = List(Nested(OfferOut), required=True)
    notice = Nested(HintOut, allow_none=True, required=True)


class EnrolmentOut(Schema):
    id = String(attribute="enrolment.id", required=True)
    programme = String(attribute="enrolment.programme", required=True)
    programme_title = String(attribute="programme.title", required=True)
    version = String(attribute="enrolment.version", required=True)
    kind_code = String(attribute="enrolment.kind_code", required=True)
    kind_title = String(required=True)
    certificate_no = String(required=True)
    expires_on = Date(attribute="enrolment.certificate_expires_on", allow_none=True, required=True)
    status = String(attribute="enrolment.status", required=True)
    warning = Nested(HintOut, allow_none=True, required=True)
    order_id = String(attribute="enrolment.order_id", allow_none=True, required=True)
    fee_fen = Function(_fee, metadata={"type": "integer", "nullable": True}, required=True)
    contact = String(required=True)
    signed_up_at = _moment("signed_up_at")
    paid_at = _moment("paid_at")
    study_deadline = _moment("study_deadline")
    passed_at = _moment("passed_at")
    completed_at = _moment("completed_at")


class EnrolmentsOut(Schema):
    enrolments = List(Nested(EnrolmentOut), required=True)


class TillQuery(Schema):
    enrolment_id = String(validate=_ID, metadata={"description": "报名编号；不给时为最近一项未缴费的报名"})


class TillOut(Schema):
    programme = String(attribute="programme.key", required=True)
    programme_title = String(attribute="programme.title", required=True)
    contact = String(attribute="programme.authority.contacts.payment", required=True)
    enrolments = List(Nested(EnrolmentOut), attribute="cards", required=True)
    prices_fen = List(Integer(), required=True, metadata={"description": "缴 1 项、2 项……的总价（分），供提交前显示"})
    terms = List(String(), required=True, metadata={"description": "缴费前须知，逐句显示"})
    retype = Boolean(required=True, metadata={"description": "提交时要再次填写付款人并核对"})


class CheckoutOut(Schema):
    order_id = String(required=True)
    status = String(required=True)
    amount_fen = Integer(required=True)
    expires_at = _moment("expires_at")
