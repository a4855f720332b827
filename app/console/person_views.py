"""People: found by what they say on the telephone, one page each, and what support does for them there."""

from __future__ import annotations

from flask import Response, request

from app.account import person_pages
from app.console import people
from app.console.pages import blueprint, go, is_htmx, page
from app.core.access import Role, access, request_now, staff
from app.core.errors import Problem
from app.enrol import service as enrol


@blueprint.get("/people")
@access(Role.STAFF, rights=person_pages.HISTORY)
def find_people() -> Response:
    """Where people are looked for."""
    return page("people.html", found=None, finders=_finders())


@blueprint.post("/people")
@access(Role.STAFF, rights=person_pages.HISTORY)
def search_people() -> Response:
    """Who is found; one alone is opened. What was typed stands in no address, and in no log."""
    found = people.search(staff().staff, request.form.get("text", ""))
    if len(found.cards) == 1:
        return go(f"/console/people/{found.cards[0].id}")
    return page("people.html", found=found, finders=_finders())


def _finders() -> list[str]:
    return [finder.title for one in person_pages.every() for finder in one.finders]


@blueprint.get("/people/<person_id>")
@access(Role.STAFF, rights=person_pages.HISTORY)
def show_person(person_id: str) -> Response:
    """One person: how they stand, what can be done, everything that happened."""
    seen = people.look_at(staff().staff, person_id)
    if seen.person.id != person_id:
        return go(f"/console/people/{seen.person.id}")
    return _show(seen)


def _show(seen: people.Seen, said: str = "") -> Response:
    shown = people.portrait(staff().staff, seen, now=request_now())
    return page("_person.html" if is_htmx() else "person.html", person=shown, said=said, tone="good")


def _refused(seen: people.Seen, key: str, problem: Problem) -> Response:
    """The person's page with what is wrong: in the form as it was filled in, where that can still be done."""
    shown, form = people.portrait(staff().staff, seen, now=request_now()), request.form
    pressed = next(
        (one for one in shown.buttons if (one.help.key, one.offer.target) == (key, form.get("target"))), None
    )
    response = page(
        "_person.html" if is_htmx() else "person.html",
        200 if is_htmx() else problem.kind.status,
        person=shown,
        said=problem.detail,
        tone="bad",
        pressed=pressed,
        typed=form,
    )
    if pressed is not None:
        response.headers["HX-Reswap"] = "outerHTML"  # the page stays where the form is
    return response


@blueprint.get("/people/<person_id>/history")
@access(Role.STAFF, rights=person_pages.HISTORY)
def person_history(person_id: str) -> Response:
    """The next page of the history."""
    seen = people.look_at(staff().staff, person_id)
    found = people.history(staff().staff, seen, request.args.get("after"), now=request_now())
    card = people.card_of(staff().staff, seen)
    return page("_history.html" if is_htmx() else "history.html", history=found, card=card)


@blueprint.post("/people/<person_id>/help/<key>")
@access(Role.STAFF, rights=person_pages.HISTORY)
def help_person(person_id: str, key: str) -> Response:
    """Press a button; the answer is the person's page as it is then, what was typed and refused still in its form."""
    who, form = staff().staff, request.form
    seen = people.look_at(who, person_id)
    try:
        said = people.do(
            who,
            person_id,
            key,
            form.get("target", ""),
            reason=form.get("reason", ""),
            note=form.get("note", ""),
            said={name: value for name, value in form.items() if name.startswith("say_")},
            now=request_now(),
        )
    except Problem as problem:
        if problem.kind.status == 404:
            raise
        return _refused(people.look_at(who, seen.person.id), key, problem)
    return _show(people.look_at(who, seen.person.id), said)


@blueprint.post("/people/<person_id>/unmask")
@access(Role.STAFF, rights=person_pages.HISTORY)
def unmask_person(person_id: str) -> Response:
    """The person's data in the clear, for a reason."""
    who = staff().staff
    seen = people.look_at(who, person_id)
    clear = enrol.unmask(
        who,
        request.form.get("programme", ""),
        seen.person.id,
        ("name", "id_number", "phone"),
        reason=request.form.get("reason", ""),
        now=request_now(),
    )
    back = f"/console/people/{seen.person.id}"
    return page("_clear.html" if is_htmx() else "clear.html", clear=clear, back=back)
