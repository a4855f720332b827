"""The head of every answer: what browsers may do with it, and who may keep it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.core import web
from app.core.access import Role, role_of
from tests.core.test_routes import path_of, rules
from tests.factories import a_person, auth
from tests.world import World

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
NOBODYS = (
    "/assets/",
    "/static/",
    "/service-worker.js",
    "/style/",
    "/verify/style.css",
    "/face/return.css",
    "/pay/assets/",
    "/api/v1/client",
    "/api/v1/programmes",
    "/api/v1/texts/",
)  # the same for everybody: a browser may keep it
FORBIDDEN = ("unsafe-inline", "unsafe-eval", "http:", "https:", " *")


def every_answer(world: World, client: FlaskClient) -> Iterator[tuple[str, TestResponse]]:
    """What every route says to somebody signed in, to a stranger, and to a stranger's browser; and addresses that
    are no route."""
    person = a_person()
    for method, rule in rules(world):
        path = path_of(world, rule)
        for headers in (auth(person), {}, BROWSER):
            yield f"{method} {path}", client.open(path, method=method, headers=headers, json={})
    for path in ("/nowhere", "/api/v1/nowhere", "/style/pages.css", "/style/icon.svg"):
        for headers in ({}, BROWSER):
            yield f"GET {path}", client.get(path, headers=headers)
    yield "DELETE /", client.delete("/")
    yield "OPTIONS", client.options("/api/v1/login", headers={"Origin": "https://elsewhere.example"})


def test_every_answer_says_what_browsers_may_do_with_it(world: World, client: FlaskClient) -> None:
    seen = 0
    for what, answer in every_answer(world, client):
        seen += 1
        for name, value in web.SECURITY.items():
            assert answer.headers[name] == value, (what, name)
        policy = answer.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'"), what
        assert "frame-ancestors 'none'" in policy, what
        assert not [word for word in FORBIDDEN if word in policy], what
        if (answer.mimetype or "").endswith("json"):
            assert "script-src" not in policy, what
    assert seen > 150


def test_nothing_that_is_somebodys_own_is_kept_by_a_browser_or_a_proxy(world: World, client: FlaskClient) -> None:
    for what, answer in every_answer(world, client):
        path = what.split()[-1]
        if not (path == "/" or path.startswith(NOBODYS)) or answer.status_code >= 400:
            assert answer.headers["Cache-Control"] == "no-store", what


def test_no_other_host_may_read_an_answer_and_no_cookie_is_set(world: World, client: FlaskClient) -> None:
    for what, answer in every_answer(world, client):
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")], what
        assert "Set-Cookie" not in answer.headers, what


def test_pages_hold_nothing_inline(world: World, client: FlaskClient) -> None:
    pages = 0
    for what, answer in every_answer(world, client):
        if answer.mimetype == "text/html":
            pages += 1
            text = answer.text.lower()
            for inline in ("<style", " style=", "javascript:", "<script>", " onclick=", " onload="):
                assert inline not in text, what
    assert pages > 10


@pytest.mark.parametrize("https", [True, False])
def test_browsers_are_told_to_stay_with_https_where_the_product_is_reached_by_it(world: World, https: bool) -> None:
    bare = APIFlask("bare", docs_path=None, spec_path=None)
    expected = "max-age=31536000" if https else None
    try:
        web.init_app(bare, https=https)
        assert bare.test_client().get("/nowhere").headers.get("Strict-Transport-Security") == expected
        assert web.data_headers().get("Strict-Transport-Security") == expected
    finally:
        web.init_app(APIFlask("again"), https=False)


def test_only_named_views_let_their_answer_be_kept(world: World) -> None:
    """Public routes and links are the only ones that could: whatever needs a session is somebody's own."""
    kept = {rule.rule for _, rule in rules(world) if rule.rule == "/" or rule.rule.startswith(NOBODYS)}
    for _, rule in rules(world):
        if rule.rule in kept:
            assert role_of(world.app.view_functions[rule.endpoint]) is Role.PUBLIC
