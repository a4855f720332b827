"""What every page of the console shares: the blueprint, the frame, the style and script, and how a refusal looks.

Nothing stands inline; htmx comes from our own host and evaluates nothing (docs/decisions/0054)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from apiflask import APIBlueprint
from flask import Response, g, make_response, redirect, render_template, request, send_from_directory

from app.account import person_pages
from app.console import words
from app.core import web
from app.core.access import Role, StaffIdentity, access
from app.core.errors import NOT_FOUND, SIGN_IN_FIRST, SIGN_IN_UNFINISHED, Problem
from app.core.money import yuan
from app.core.staff import EVERYWHERE, Right, Staff
from app.pay.transfers import queries as transfers
from app.pay.transfers.queries import Account
from app.policy import load as policy
from config.settings import ROOT

blueprint = APIBlueprint(
    "console", __name__, url_prefix="/console", template_folder="templates", enable_openapi=False
)

HTMX = ROOT / "node_modules" / "htmx.org" / "dist"
ASSETS = frozenset({"console.css", "console.js", "teaching.css", "films.js"})
HOME = "/console/"
SIGN_IN = "/console/sign-in"
SECOND_FACTOR = "/console/second-factor"

blueprint.add_app_template_filter(words.moment, "moment")
blueprint.add_app_template_filter(words.full_moment, "full_moment")
blueprint.add_app_template_filter(words.age, "age")
blueprint.add_app_template_filter(words.right, "right_title")
blueprint.add_app_template_filter(words.place, "place_title")
blueprint.add_app_template_filter(words.action, "action_title")
blueprint.add_app_template_filter(yuan, "yuan")


def accounts_of(staff: Staff) -> list[Account]:
    """The centre's accounts whose statements they import."""
    return transfers.accounts({one.key for one in policy.open_programmes() if staff.may(Right.FINANCE, one.key)})


def is_htmx() -> bool:
    """Whether a piece of a page is asked for."""
    return request.headers.get("HX-Request") == "true"


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page, or a piece of one."""
    who: StaffIdentity | None = g.get("staff")
    frame = {
        "who": who,
        "csrf": who.csrf if who is not None else "",
        "helps": who is not None and any(who.staff.programmes(right) for right in person_pages.HISTORY),
        "transfers": who is not None and bool(accounts_of(who.staff)),
        "administers_all": who is not None and who.staff.may(Right.ADMINISTRATOR, EVERYWHERE),
        "teaches": who is not None and bool(who.staff.programmes(Right.TEACHING)),
        "administers": who is not None and bool(who.staff.programmes(Right.ADMINISTRATOR)),
        "keeps_money": who is not None and bool(who.staff.programmes(Right.FINANCE)),
    }
    return make_response(render_template(f"console/{template}", **frame, **values), status)


def go(path: str) -> Response:
    """On to another page, also from a piece of one."""
    if is_htmx():
        return Response("", headers={"HX-Redirect": path})
    response: Response = redirect(path, 303)  # type: ignore[assignment]
    return response


def attachment(name: str) -> str:
    """What a file's answer says of its name: a header holds no Chinese but in this spelling (RFC 6266)."""
    return f"attachment; filename*=UTF-8''{quote(name)}"


def own_path(path: str) -> str:
    """A page of the console that a form names; the first one for anything else."""
    return path if path.startswith(HOME) and "\\" not in path and "//" not in path else HOME


def refused(problem: Problem) -> Response:
    """What is refused or broken, said where it was asked for: in the page, in its message line, or by the sign-in."""
    if problem.kind.status >= 500:
        g.pop("staff", None)  # the frame reads what may be what is broken: a bare page
    if is_htmx():
        if problem.kind is SIGN_IN_FIRST:
            return Response("", 401, headers={"HX-Redirect": SIGN_IN})
        response = page("_message.html", problem.kind.status, text=problem.detail, tone="bad")
        response.headers.update({"HX-Retarget": "#message", "HX-Reswap": "outerHTML"} | problem.headers)
        return response
    if problem.kind is SIGN_IN_FIRST:
        back = request.path if request.method == "GET" else HOME
        return page("sign_in.html", 401, back=back, text=None)
    on = SECOND_FACTOR if problem.kind is SIGN_IN_UNFINISHED else HOME
    response = page("refused.html", problem.kind.status, problem=problem, on=on)
    response.headers.update(problem.headers)
    return response


blueprint.record_once(lambda state: web.frame(state.app, HOME, refused))


@blueprint.get("/<path:rest>")
@access(Role.STAFF)
def nowhere(rest: str) -> Response:
    """An address that is none: after the sign-in like every other, then with the way back."""
    raise NOT_FOUND()


@blueprint.get("/assets/<name>")
@access(Role.PUBLIC)
def asset(name: str) -> Response:
    """The console's style and script, and htmx."""
    if name == "htmx.min.js":
        return send_from_directory(HTMX, name, max_age=0)  # asked again, answered 304
    if name not in ASSETS:
        raise NOT_FOUND()
    return send_from_directory(f"{blueprint.root_path}/static", name, max_age=0)
