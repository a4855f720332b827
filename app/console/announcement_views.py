"""Announcements: written, published, withdrawn by teaching staff; how many of those addressed have read them."""

from __future__ import annotations

from typing import Any

from flask import Response, request

from app.announce import queries
from app.announce import service as announce
from app.announce.service import Draft
from app.announce.status import Status
from app.console import teaching_words as words
from app.console.course_views import TEACHERS
from app.console.pages import blueprint, go, page
from app.core import audit
from app.core.access import Role, access, request_now, staff
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right
from app.staff import service as staff_service
from app.study.teaching import queries as teaching


def _places() -> list[str]:
    """To whose readers they may write."""
    who = staff().staff
    keys = [programme.key for programme in teaching.programmes(who)]
    return [*keys, EVERYWHERE] if who.may(Right.TEACHING, EVERYWHERE) else keys


@blueprint.get("/announcements")
@access(Role.STAFF, rights=TEACHERS)
def list_announcements() -> Response:
    """All of them, the newest first, with their readers."""
    now = request_now()
    return page("announcements.html", cards=queries.cards(staff().staff), phases=words.PHASES, now=now)


@blueprint.get("/announcements/new")
@access(Role.STAFF, rights=TEACHERS)
def new_announcement() -> Response:
    """An empty form; or one filled with the text of another (`like`)."""
    like = request.args.get("like")
    row = queries.visible(staff().staff, like) if like else None
    values = {"programme": row.programme, "title": row.title, "body": row.body} if row else {}
    return _form(values)


def _form(values: dict[str, Any], status: int = 200, problem: Problem | None = None, row: Any = None) -> Response:
    return page(
        "announcement_form.html",
        status,
        row=row,
        values=values,
        places=_places(),
        text=problem.detail if problem else None,
        stale=problem is not None and problem.kind.status == 409,
        title_most=announce.TITLE,
        body_most=announce.BODY,
        reach={place: queries.addressed(place) for place in _places()},
    )


def _draft() -> Draft:
    form = request.form
    return Draft(
        programme=form.get("programme", ""),
        title=form.get("title", ""),
        body=form.get("body", ""),
        starts_at=words.moment_of("starts_at") or request_now(),
        ends_at=words.moment_of("ends_at"),
    )


@blueprint.post("/announcements")
@access(Role.STAFF, rights=TEACHERS)
def write_announcement() -> Response:
    """Keep a draft."""
    try:
        made = announce.write(staff().staff, _draft(), now=request_now())
    except Problem as problem:
        if problem.kind.status != 422:
            raise
        return _form(dict(request.form), 422, problem)
    return go(f"/console/announcements/{made}")


@blueprint.get("/announcements/<announcement_id>")
@access(Role.STAFF, rights=TEACHERS)
def show_announcement(announcement_id: str) -> Response:
    """One announcement as its readers see it, with what can be done with it."""
    return _show(announcement_id)


def _show(announcement_id: str, status: int = 200, text: str | None = None) -> Response:
    card = queries.card(staff().staff, announcement_id)
    lines = audit.about((f"announcement:{announcement_id}",), limit=20)
    names = staff_service.names({line.actor for line in lines})
    return page(
        "announcement.html",
        status,
        card=card,
        row=card.row,
        phase=words.PHASES[card.phase(request_now())],
        history=lines,
        names=names,
        text=text,
    )


@blueprint.get("/announcements/<announcement_id>/edit")
@access(Role.STAFF, rights=TEACHERS)
def edit_announcement(announcement_id: str) -> Response:
    """The form of a draft."""
    row = queries.visible(staff().staff, announcement_id)
    times = {"starts_at": words.field_time(row.starts_at), "ends_at": words.field_time(row.ends_at)}
    return _form(
        {"programme": row.programme, "title": row.title, "body": row.body, "revision": row.revision, **times}, row=row
    )


def _seen() -> int:
    """Which revision the page showed; one that no announcement has, where it does not say."""
    told = request.form.get("revision", "")
    return int(told) if told.isdecimal() and len(told) < 10 else -1


def _too_late(announcement_id: str, problem: Problem) -> Response:
    """What was written stays in the form: over the colleague's draft, now that one knows of it; beside what is
    published already."""
    row = queries.visible(staff().staff, announcement_id)
    values = {**request.form, "revision": row.revision}
    return _form(values, 409, problem, row if row.status == Status.DRAFT else None)


@blueprint.post("/announcements/<announcement_id>")
@access(Role.STAFF, rights=TEACHERS)
def change_announcement(announcement_id: str) -> Response:
    """Write a draft anew, publish, withdraw, delete: `what` says which."""
    who, now, what = staff().staff, request_now(), request.form.get("what", "")
    row, seen = queries.visible(who, announcement_id), _seen()
    try:
        if what == "publish":
            announce.publish(who, announcement_id, seen=seen, now=now)
        elif what == "withdraw":
            announce.withdraw(who, announcement_id, now=now)
        elif what == "remove":
            announce.remove(who, announcement_id, seen=seen, now=now)
            return go("/console/announcements")
        else:
            announce.change(who, announcement_id, _draft(), seen=seen, now=now)
    except Problem as problem:
        if problem.kind.status not in (409, 422):
            raise
        if what:
            return _show(announcement_id, problem.kind.status, problem.detail)
        if problem.kind.status == 409:
            return _too_late(announcement_id, problem)
        return _form(dict(request.form), problem.kind.status, problem, row)
    return go(f"/console/announcements/{announcement_id}")
