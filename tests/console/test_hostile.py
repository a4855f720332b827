"""Faults A2 and A3: whatever people are called, every page of the console shows it as text; and a guessed id of
another programme is not there."""

from __future__ import annotations

import pytest

from app.core.clock import utcnow
from app.core.staff import EVERYWHERE, Right
from tests import factories
from tests.console.desks import a_photo_case
from tests.faults import names
from tests.staffroom import a_member, at_desk
from tests.world import World


@pytest.mark.parametrize("name", names.NAMES)
def test_a_hostile_name_is_text_on_every_page(world: World, name: str) -> None:
    assert names.live_pages(world, name) == []


def test_twin_without_the_escape_or_with_another_policy_the_walk_tells(world: World) -> None:
    assert names.a3_twin(world)


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
