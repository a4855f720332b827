"""Who may call what: the table of every route and every caller, and fault L7."""

from __future__ import annotations

from datetime import timedelta

from app.core import access, tokens
from app.core.clock import utcnow
from app.core.ids import new_id
from tests import factories, matrix
from tests.faults import login
from tests.world import World


def test_everybody_gets_on_each_route_what_the_table_says_and_nothing_of_anothers(world: World) -> None:
    """A new route is denied until it is listed: `python -m tests.matrix` measures it and writes the line."""
    found = matrix.walk(world)
    assert found.wrong == []
    written = matrix.TABLE.read_text(encoding="utf-8")
    assert matrix.text_of(found).splitlines() == written.splitlines()


def test_what_is_owned_is_reached_by_its_owner_and_nobody_else() -> None:
    """Reading the table: no stranger gets in where somebody owns something."""
    lines = [line.split() for line in matrix.TABLE.read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    owned = [cells for cells in lines if cells[-2] == "own"]
    assert len(owned) > 15
    assert {(cells[-4], cells[-1]) for cells in owned} == {("401", "404")}
    missed = {cells[1] for cells in lines if "_id>" in cells[1] and cells[-2] not in ("own", "403")}
    others = ("/api/v1/scan-tickets/", "/console/")  # the console's: tests/core/staff_matrix.txt
    assert {path for path in missed if not path.startswith(others)} == set(), "give the estate one"


def test_without_the_check_of_ownership_the_walk_tells(world: World) -> None:
    assert login.l7_twin(world)


def test_a_token_made_for_another_purpose_opens_nothing(world: World) -> None:
    """Tokens of staff, tickets and links are signed for their purpose: none is a session."""
    person = factories.a_person()
    session = tokens.verify("session", factories.a_session(person), utcnow())
    for purpose in ("staff session", "study.play", "study.video", "proof.pdf", "wechat bind"):
        token = tokens.sign(purpose, *session, expires=utcnow() + timedelta(hours=1))
        headers = {"Authorization": f"Bearer {token}"}
        for method, rule in matrix.rules(world):
            role = access.role_of(world.app.view_functions[rule.endpoint])
            if role in (access.Role.TRAINEE, access.Role.ACTIVATING):
                answer = matrix.call(world, method, rule.rule, lambda _: new_id(), headers)
                assert answer.status_code == 401, (purpose, rule.rule)


def test_the_estate_is_really_reached(world: World) -> None:
    """The walk means something: its owner's own requests come to the rows."""
    estate = matrix.an_estate(world)
    headers = factories.auth(estate.person)
    client = world.app.test_client()
    for path in ("enrolments/{enrolment_id}", "orders/{order_id}", "attempts/{attempt_id}", "face-checks/{check_id}"):
        assert client.get(f"/api/v1/{path.format(**estate.ids)}", headers=headers).status_code == 200, path
