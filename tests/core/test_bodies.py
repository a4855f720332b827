"""What a request may not decide (fault A4), and what may be uploaded."""

from __future__ import annotations

from io import BytesIO

import pytest

from app.core.access import kind_of
from app.core.rates import Kind
from tests import factories, matrix
from tests.core.test_routes import is_problem
from tests.faults import bodies
from tests.world import World

HOSTILE = {
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
    "html": b"<!doctype html><script>alert(1)</script>",
    "gif": b"GIF89a/*<script>*/=1;",
    "zip": b"PK\x03\x04" + b"\0" * 200,
    "pdf": b"%PDF-1.7\n1 0 obj\n<</S/JavaScript>>",
    "nothing": b"",
    "text": "价格".encode() * 500,
}


def test_a_price_a_role_or_an_owner_in_a_body_has_no_effect(world: World) -> None:
    assert bodies.a4(world, 1) == 0


def test_it_has_where_fields_are_let_through(world: World) -> None:
    assert bodies.a4_twin(world)


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_every_route_that_takes_a_file_refuses_what_is_no_picture(world: World, kind: str) -> None:
    estate = matrix.an_estate(world)
    seen = 0
    for method, rule in matrix.rules(world):
        if kind_of(world.app.view_functions[rule.endpoint], method) is not Kind.UPLOAD:
            continue
        if rule.rule.startswith("/console/"):  # tables and films, for staff only: each with tests of its own
            continue
        seen += 1
        path = rule.rule.replace("<check_id>", estate.ids["check_id"])
        files = {name: (BytesIO(HOSTILE[kind]), f"a.{kind}", "image/jpeg") for name in ("photo", "picture")}
        answer = world.app.test_client().open(
            path,
            method=method,
            headers=factories.auth(estate.person),
            data=files | {"nonce": matrix.NONCE, "client_id": "0123456789abcdef"},
            content_type="multipart/form-data",
        )
        assert 400 <= answer.status_code < 500, (rule.rule, kind)
        assert is_problem(answer), (rule.rule, kind)
        assert answer.get_json()["code"].startswith("photo_"), (rule.rule, kind, answer.get_json()["code"])
    # PUT and POST of the photo are one view
    assert seen == 5, "a new one says here how it is bounded and written anew"
