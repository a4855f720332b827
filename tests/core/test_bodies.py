"""What a request may not decide (fault A4), and what may be uploaded."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO

import pytest
from werkzeug.test import TestResponse

from app.core.access import kind_of
from app.core.rates import Kind
from sandbox.faces import make_face
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


def uploads(
    world: World, data: bytes, name: str, texts: dict[str, str] | None = None
) -> Iterator[tuple[str, TestResponse]]:
    """What each route that takes a file answers to `data` as a file called `name` beside `texts`."""
    estate = matrix.an_estate(world)
    for method, rule in matrix.rules(world):
        if kind_of(world.app.view_functions[rule.endpoint], method) is not Kind.UPLOAD:
            continue
        if rule.rule.startswith("/console/"):  # tables and films, for staff only: each with tests of its own
            continue
        files = {field: (BytesIO(data), name, "image/jpeg") for field in ("photo", "picture")}
        yield (
            rule.rule,
            world.app.test_client().open(
                rule.rule.replace("<check_id>", estate.ids["check_id"]),
                method=method,
                headers=factories.auth(estate.person),
                data=files | {"nonce": matrix.NONCE, "client_id": "0123456789abcdef"} | (texts or {}),
                content_type="multipart/form-data",
            ),
        )


@pytest.mark.parametrize("kind", sorted(HOSTILE))
def test_every_route_that_takes_a_file_refuses_what_is_no_picture(world: World, kind: str) -> None:
    answers = list(uploads(world, HOSTILE[kind], f"a.{kind}"))
    for rule, answer in answers:
        assert 400 <= answer.status_code < 500, (rule, kind)
        assert is_problem(answer), (rule, kind)
        assert answer.get_json()["code"].startswith("photo_"), (rule, kind, answer.get_json()["code"])
    # PUT and POST of the photo are one view
    assert len(answers) == 5, "a new one says here how it is bounded and written anew"


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("a.jpg", {"client_id": "0123456789abcde\0", "nonce": "a\0"}),
        ("a.jpg", {"client\0id": "0123456789abcdef"}),
        ("a\0.jpg", {}),
    ],
)
def test_a_nul_beside_a_picture_is_refused_as_everywhere(world: World, name: str, texts: dict[str, str]) -> None:
    answers = list(uploads(world, make_face(1), name, texts))
    assert len(answers) == 5
    assert {(answer.status_code, answer.get_json()["code"]) for _, answer in answers} == {(400, "bad_request")}
