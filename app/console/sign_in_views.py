"""Signing in and out: the password, the second factor, the link of an invitation."""

from __future__ import annotations

from flask import Response, current_app, request

from app.console.pages import HOME, SECOND_FACTOR, SIGN_IN, blueprint, go, own_path, page
from app.core.access import Role, access, client_address, request_now, require_own_page, staff, staff_cookie
from app.core.errors import Problem
from app.staff import service


def _with_cookie(response: Response, token: str) -> Response:
    """The cookie of a session: for this host alone, out of reach of scripts, sent by our own pages only."""
    name = staff_cookie()
    response.set_cookie(
        name, token, max_age=int(service.LIVES.total_seconds()), path="/",
        secure=name.startswith("__Host-"), httponly=True, samesite="Strict",
    )  # fmt: skip
    return response


@blueprint.get("/sign-in")
@access(Role.PUBLIC)
def sign_in_page() -> Response:
    """The first step."""
    return page("sign_in.html", back=own_path(request.args.get("back", "")), text=None)


@blueprint.post("/sign-in")
@access(Role.PUBLIC)
def sign_in() -> Response:
    """Account and password."""
    require_own_page()
    form, back = request.form, own_path(request.form.get("back", ""))
    try:
        token = service.enter_password(
            form.get("login", ""), form.get("password", ""), address=client_address(), now=request_now()
        )
    except Problem as problem:
        response = page("sign_in.html", problem.kind.status, back=back, text=problem.detail)
        response.headers.update(problem.headers)
        return response
    on = SECOND_FACTOR if back == HOME else f"{SECOND_FACTOR}?back={back}"
    return _with_cookie(go(on), token)


@blueprint.get("/second-factor")
@access(Role.STAFF_SIGNING_IN)
def second_factor_page() -> Response:
    """The second step; at the first sign-in with what is to be scanned."""
    return _second_factor(200, own_path(request.args.get("back", "")), None)


def _second_factor(status: int, back: str, text: str | None) -> Response:
    who = staff()
    if who.stage == "full":
        return go(back)
    enrolment = service.enrolment(who) if who.stage == "enrol" else None
    return page("second_factor.html", status, back=back, text=text, enrolment=enrolment)


@blueprint.post("/second-factor")
@access(Role.STAFF_SIGNING_IN)
def second_factor() -> Response:
    """A code of the authenticator, or a recovery code."""
    who, back = staff(), own_path(request.form.get("back", ""))
    if who.stage == "full":
        return go(back)
    try:
        token, recovery = service.enter_code(
            who, request.form.get("code", ""), address=client_address(), now=request_now()
        )
    except Problem as problem:
        response = _second_factor(problem.kind.status, back, problem.detail)
        response.headers.update(problem.headers)
        return response
    return _with_cookie(page("recovery.html", codes=recovery) if recovery else go(back), token)


@blueprint.post("/sign-out")
@access(Role.STAFF_SIGNING_IN)
def sign_out() -> Response:
    """End this session."""
    service.sign_out(staff(), now=request_now())
    response = go(SIGN_IN)
    name = staff_cookie()
    response.delete_cookie(name, path="/", secure=name.startswith("__Host-"), httponly=True, samesite="Strict")
    return response


@blueprint.get("/welcome/<token>")
@access(Role.TICKET)
def welcome_page(token: str) -> Response:
    """Where the link of an invitation leads: a password is set."""
    return page("welcome.html", member=service.invited(token, now=request_now()), text=None)


@blueprint.post("/welcome/<token>")
@access(Role.TICKET)
def welcome(token: str) -> Response:
    """Set the password, once."""
    require_own_page()
    member, form = service.invited(token, now=request_now()), request.form
    if form.get("password") != form.get("again"):
        return page("welcome.html", 422, member=member, text="两次输入的密码不一样，请重新输入。")
    try:
        opened = service.accept(token, form.get("password", ""), now=request_now())
    except Problem as problem:
        return page("welcome.html", problem.kind.status, member=member, text=problem.detail)
    return _with_cookie(go(SECOND_FACTOR), opened)


def link_of(token: str) -> str:
    """The address of an invitation."""
    return f"{current_app.config['SETTINGS'].public_url}/console/welcome/{token}"
