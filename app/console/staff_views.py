"""Administrators make and disable accounts, give roles, have a second factor set up anew."""

from __future__ import annotations

from flask import Response, request

from app.console.pages import blueprint, go, page
from app.console.sign_in_views import link_of
from app.console.words import ACTIONS, RIGHTS, STATES
from app.core import audit
from app.core.access import Role, access, request_now, staff
from app.core.errors import Problem
from app.core.staff import Right
from app.staff import service
from app.staff.errors import STAFF_INVALID

ADMINISTRATORS = (Right.ADMINISTRATOR,)


def _programmes() -> list[str]:
    """Where this administrator may give a right."""
    who = staff().staff
    return [place for place in service.known_programmes() if who.may(Right.ADMINISTRATOR, place)]


def _right() -> tuple[Right, str]:
    """The right that the form names. Raises `staff_invalid`."""
    chosen, programme = request.form.get("right", ""), request.form.get("programme", "")
    if chosen not in RIGHTS or not programme:
        raise STAFF_INVALID("请选择权限和项目，再提交。")
    return Right(chosen), programme


def _list(status: int = 200, text: str | None = None) -> Response:
    cards = service.cards(staff().staff)
    return page(
        "staff.html",
        status,
        cards=cards,
        rights=RIGHTS,
        states=STATES,
        programmes=_programmes(),
        text=text,
        typed=request.form,
    )


@blueprint.get("/staff")
@access(Role.STAFF, rights=ADMINISTRATORS)
def members() -> Response:
    """The accounts of my programmes."""
    return _list()


@blueprint.post("/staff")
@access(Role.STAFF, rights=ADMINISTRATORS)
def create_member() -> Response:
    """Make an account; the link is shown once, to be handed over."""
    form = request.form
    try:
        member_id, token = service.create(
            staff().staff, form.get("login", ""), form.get("name", ""), [_right()], now=request_now()
        )
    except Problem as problem:
        return _list(problem.kind.status, problem.detail)
    return _member(member_id, link=link_of(token))


@blueprint.get("/staff/<member_id>")
@access(Role.STAFF, rights=ADMINISTRATORS)
def member(member_id: str) -> Response:
    """One account."""
    return _member(member_id)


def _member(member_id: str, *, status: int = 200, link: str | None = None, text: str | None = None) -> Response:
    card = service.card(staff().staff, member_id)
    lines = audit.about((f"staff:{member_id}",), limit=30)
    names = service.names({line.actor for line in lines})
    return page(
        "member.html",
        status,
        card=card,
        rights=RIGHTS,
        states=STATES,
        programmes=_programmes(),
        link=link,
        text=text,
        history=[(line, names.get(line.actor, "系统"), ACTIONS.get(line.action, line.action)) for line in lines],
    )


@blueprint.post("/staff/<member_id>/rights")
@access(Role.STAFF, rights=ADMINISTRATORS)
def change_right(member_id: str) -> Response:
    """Give a right, or take one away."""
    right, programme = _right()
    change = service.take if request.form.get("what") == "take" else service.give
    change(staff().staff, member_id, right, programme, now=request_now())
    return go(f"/console/staff/{member_id}")


@blueprint.post("/staff/<member_id>/disable")
@access(Role.STAFF, rights=ADMINISTRATORS)
def disable_member(member_id: str) -> Response:
    """Nobody signs in to it any more, once `sure` says that this one was meant."""
    if request.form.get("sure") != "yes":
        return page("member_sure.html", card=service.to_disable(staff().staff, member_id))
    service.disable(staff().staff, member_id, now=request_now())
    return go(f"/console/staff/{member_id}")


@blueprint.post("/staff/<member_id>/enable")
@access(Role.STAFF, rights=ADMINISTRATORS)
def enable_member(member_id: str) -> Response:
    """It is open again."""
    service.enable(staff().staff, member_id, now=request_now())
    return go(f"/console/staff/{member_id}")


@blueprint.post("/staff/<member_id>/link")
@access(Role.STAFF, rights=ADMINISTRATORS)
def invite_member(member_id: str) -> Response:
    """A new link to set a password, shown once."""
    return _member(member_id, link=link_of(service.invite(staff().staff, member_id, now=request_now())))


@blueprint.post("/staff/<member_id>/second-factor")
@access(Role.STAFF, rights=ADMINISTRATORS)
def reset_second_factor(member_id: str) -> Response:
    """Ask for a new second factor: another administrator has to agree."""
    reason = request.form.get("reason", "")
    filed = service.ask_factor_reset(staff().staff, member_id, reason, now=request_now())
    said = "已提交，等待另一位管理员同意。" if filed else "之前的申请还在等待另一位管理员同意。"
    return _member(member_id, text=said)
