"""Lists as files: asked for here, made by a worker, fetched here."""

from __future__ import annotations

import secrets

from flask import Response, request

from app.console.pages import attachment, blueprint, go, is_htmx, page
from app.console.words import place
from app.core.access import Role, access, request_now, staff
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right
from app.core.table_file import TYPES
from app.reports import service as reports
from app.reports.service import LISTS, Asked

STATES = {
    "asked": "排队中",
    "making": "生成中",
    "ready": "可以下载",
    "failed": "没有生成，请重试",
    "gone": "已过期删除",
}


def _exports(status: int = 200, text: str = "", asked: Asked | None = None) -> Response:
    who, now = staff().staff, request_now()
    offered = {name: one for name, one in LISTS.items() if reports.places(who, one)}
    since, until = reports.default_period(now)
    return page(
        "_exports.html" if is_htmx() else "exports.html",
        status,
        lists=LISTS,
        offered=offered,
        programmes=[EVERYWHERE, *sorted(set().union(*(reports.places(who, one) for one in offered.values())))],
        clears=bool(who.programmes(Right.SUPPORT)),
        exports=reports.mine(who),
        busy=reports.under_way(who),
        states=STATES,
        asked=asked or Asked("", "xlsx", EVERYWHERE, since.isoformat(), until.isoformat(), False, ""),
        token=secrets.token_urlsafe(16),
        now=now,
        text=text,
    )


@blueprint.get("/exports")
@access(Role.STAFF)
def exports() -> Response:
    """What I asked for, and what can be asked for; a piece of the page asks again while one is being made."""
    return _exports()


@blueprint.post("/exports")
@access(Role.STAFF)
def ask_export() -> Response:
    """Ask for a list."""
    form = request.form
    asked = Asked(
        what=form.get("what", ""),
        format=form.get("format", ""),
        programme=form.get("programme", ""),
        since=form.get("since", ""),
        until=form.get("until", ""),
        clear=form.get("clear") == "yes",
        reason=form.get("reason", ""),
    )
    try:
        reports.ask(staff().staff, asked, token=form.get("token", ""), now=request_now())
    except Problem as problem:
        return _exports(problem.kind.status, problem.detail, asked)
    return go("/console/exports")


@blueprint.get("/exports/<export_id>/file")
@access(Role.STAFF)
def export_file(export_id: str) -> Response:
    """The file, for whoever asked for it."""
    export, data = reports.fetch(staff().staff, export_id, now=request_now())
    name = f"{LISTS[export.what].title}-{place(export.programme)}-{export.since}-{export.until}.{export.format}"
    response = Response(data, content_type=TYPES[export.format])
    response.headers["Content-Disposition"] = attachment(name)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
