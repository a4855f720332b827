"""Routes of sign-up, enrolments and checkout."""

from __future__ import annotations

from typing import Any

from apiflask import APIBlueprint

from app.core.access import Role, access, person_id, request_now
from app.enrol import checkout as till
from app.enrol import queries, sign_up
from app.enrol.schemas import (
    CheckoutIn,
    CheckoutOut,
    EnrolmentOut,
    EnrolmentsOut,
    SignUpsIn,
    SignUpsOut,
    SignUpsQuery,
    TillOut,
    TillQuery,
)

bp = APIBlueprint("enrol", __name__, url_prefix="/api/v1", tag="报名")


@bp.get("/sign-ups")
@access(Role.TRAINEE)
@bp.input(SignUpsQuery, location="query")
@bp.output(SignUpsOut)
def list_sign_ups(query_data: dict[str, Any]) -> sign_up.Page:
    """可以报名的证书"""
    return sign_up.page(person_id(), query_data["programme"], kind=query_data.get("kind"), now=request_now())


@bp.post("/sign-ups")
@access(Role.TRAINEE)
@bp.input(SignUpsIn)
@bp.output(EnrolmentsOut)
def create_sign_ups(json_data: dict[str, Any]) -> dict[str, Any]:
    """报名"""
    rows = sign_up.sign_up(person_id(), json_data["roster_entry_ids"], now=request_now())
    return {"enrolments": queries.cards(rows, now=request_now())}


@bp.get("/enrolments")
@access(Role.TRAINEE)
@bp.output(EnrolmentsOut)
def list_enrolments() -> dict[str, Any]:
    """我的报名"""
    return {"enrolments": queries.cards(queries.of_person(person_id()), now=request_now())}


@bp.get("/enrolments/<enrolment_id>")
@access(Role.TRAINEE)
@bp.output(EnrolmentOut)
def show_enrolment(enrolment_id: str) -> queries.Card:
    """一项报名"""
    return queries.cards(queries.owned([enrolment_id], person_id()), now=request_now())[0]


@bp.get("/checkout")
@access(Role.TRAINEE)
@bp.input(TillQuery, location="query")
@bp.output(TillOut)
def show_till(query_data: dict[str, Any]) -> till.Till:
    """缴费前核对：待缴费的报名、金额与须知"""
    return till.till(person_id(), query_data.get("enrolment_id"), now=request_now())


@bp.post("/checkout")
@access(Role.TRAINEE)
@bp.input(CheckoutIn)
@bp.output(CheckoutOut)
def create_order(json_data: dict[str, Any]) -> till.Checkout:
    """确认缴费：生成订单"""
    return till.checkout(
        person_id(),
        json_data["enrolment_ids"],
        payer_name=json_data["payer_name"],
        payer_number=json_data["payer_number"],
        now=request_now(),
    )
