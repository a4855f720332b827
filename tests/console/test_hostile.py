"""Faults A2 and A3: whatever people are called, every page of the console shows it as text; and a guessed id of
another programme is not there."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest

from app.cases.models import Case
from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from app.support import service as support
from tests import factories, staff_matrix
from tests.console.desks import a_photo_case
from tests.staffroom import a_member, at_desk
from tests.support.tickets import a_ticket
from tests.world import World

NAMES = [
    "<svg onload=alert(1)>",
    '"><script src=//x></script>',
    "=cmd|' /C calc'!A0",
    "{{ 7*7 }}{% raw %}",
    "\u202e三张\u2066",
    "' onmouseover='alert(1)",
    "&lt;b&gt;",
]
# what no answer may hold: a tag or an attribute that we did not write, a template that was worked out
LIVE = re.compile(r"<svg onload|<script src=//x|onmouseover='alert", re.IGNORECASE)


def pages(world: World) -> list[str]:
    """Every page of the console that needs no id."""
    rules = [rule for method, rule in staff_matrix.staff_rules(world) if method == "GET"]
    return [rule.rule for rule in rules if not rule.arguments]


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_text_on_every_page(world: World, name: str) -> None:
    person = factories.a_person(name=name)
    factories.an_enrolment(person)
    case = a_photo_case(person)
    ticket = a_ticket(person, name)
    letter: Any = Case.get(Case.subject == support.subject_of(ticket.id))
    desk = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE), name=name))
    named = [f"/console/cases/{case.id}", f"/console/cases/{letter.id}", "/console/queues/face.photo"]
    named += [f"/console/people?q={name[:20]}", f"/console/people/{person.id}", "/console/figures?days=365"]
    for path in [*pages(world), *named]:
        answer = desk.get(path)
        assert answer.status_code < 500, path
        if answer.mimetype != "text/html":
            continue
        assert not LIVE.search(answer.text), path
        policy = answer.headers["Content-Security-Policy"]
        assert "unsafe-inline" not in policy, path
        assert "unsafe-eval" not in policy, path
    shown = desk.get(f"/console/cases/{case.id}")
    clear = desk.hx(f"/console/cases/{case.id}/unmask", {"reason": "核对来电人的身份"})
    assert shown.status_code == clear.status_code == 200
    assert not LIVE.search(clear.text), "also in the clear"


def test_without_the_escape_the_walk_would_find_it(world: World) -> None:
    """The twin: the name does stand on the page, and nothing but the escape keeps it from being alive."""
    ticket = a_ticket(factories.a_person(), NAMES[0])
    letter: Any = Case.get(Case.subject == support.subject_of(ticket.id))
    page = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE))).get(f"/console/cases/{letter.id}").text
    assert not LIVE.search(page)
    assert LIVE.search(html.unescape(page))


def test_a_guessed_id_of_another_programme_is_not_there(world: World) -> None:
    """Every right, in another programme: what is of yunnan is 404 on each route, to look at and to change."""
    case = a_photo_case(now=utcnow())
    for right in Right:
        desk = at_desk(world, a_member((right, "henan")))
        for what in ("", "/pictures/photo"):
            assert desk.get(f"/console/cases/{case.id}{what}").status_code == 404
        for verb in ("claim", "release", "decide", "confirm", "send-back", "unmask"):
            answer = desk.post(f"/console/cases/{case.id}/{verb}", {"decision": "confirm", "reason": "核对来电人"})
            assert answer.status_code == 404, (right, verb)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/console/films", {"title": "一\0二"}),
        ("/console/courses", {"title": "一\0二", "programme": "yunnan"}),
        ("/console/invoices", {"since": "0001-01-01"}),
        ("/console/invoices", {"until": "9999-12-31"}),
        ("/console/announcements", {"title": "停机", "text": "今晚停机维护。", "starts_at": "0001-01-01T00:00"}),
        ("/console/announcements", {"title": "停机", "text": "今晚停机维护。", "ends_at": "9999-12-31T23:59"}),
    ],
)
def test_a_text_or_a_day_that_no_database_can_count_is_refused(world: World, path: str, form: dict[str, str]) -> None:
    desk = at_desk(
        world, a_member((Right.ADMINISTRATOR, EVERYWHERE), (Right.FINANCE, EVERYWHERE), (Right.TEACHING, EVERYWHERE))
    )
    desk.get("/console/figures")
    assert desk.post(path, form).status_code in (400, 422)


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31", "1999-12-31", "2101-01-01"])
def test_a_day_that_nobody_means_is_not_there(world: World, day: str) -> None:
    desk = at_desk(world, a_member((Right.FINANCE, EVERYWHERE)))
    assert desk.get(f"/console/reconciliation/{day}").status_code == 404


def test_json_with_a_nul_is_refused_and_an_escaped_backslash_before_u0000_is_not(world: World) -> None:
    headers = factories.auth(factories.a_person())
    ticket = {"client_id": "my-phone-0001", "topic": "payment", "text": "缴费后不能学习", "pictures": []}
    ask = world.app.test_client().post
    for hostile in ({"pictures": ["\0"]}, {"text": "缴费\0后"}, {"pictures": ["../../etc"]}):
        answer = ask("/api/v1/help-tickets", json=ticket | hostile, headers=headers)
        assert answer.status_code in (400, 422), hostile
    assert (
        ask("/api/v1/help-tickets", json=ticket | {"text": "路径 C:\\u0000 打不开"}, headers=headers).status_code
        == 201
    )
    assert ask("/api/v1/help-tickets?a=%00", json=ticket, headers=headers).status_code == 400
