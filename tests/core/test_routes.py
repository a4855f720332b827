"""Every route of the URL map: who may call it, and what it says to nobody, to strangers and to nonsense."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.routing import Rule
from werkzeug.test import TestResponse

from app.core.access import Role, role_of
from app.core.errors import TABLE
from tests.factories import a_person, auth
from tests.world import World

TABLE_FILE = Path(__file__).parent / "routes.txt"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
PAGES = ("/verify/", "/face/return", "/console/")  # these answer with a page, errors too
BROWSERS = {  # what they say of a page that somebody opens
    "chromium": "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8,"
    "application/signed-exchange;v=b3;q=0.7",
    "firefox": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "bare": "text/html",
}


def rules(world: World) -> Iterator[tuple[str, Rule]]:
    """(method, rule) of every route, but HEAD and OPTIONS, which Flask answers itself."""
    for rule in sorted(world.app.url_map.iter_rules(), key=str):
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            yield method, rule


def path_of(world: World, rule: Rule, value: str = "0123456789abcdef") -> str:
    """The route's path with `value` in every variable (a number where it must be one)."""
    with world.app.test_request_context():
        converters = rule._converters
        values = {
            name: 1 if type(converters[name]).__name__ == "IntegerConverter" else value for name in rule.arguments
        }
        return world.app.url_map.bind("localhost").build(rule.endpoint, values)


def is_problem(answer: TestResponse) -> bool:
    """True for problem+json with a code of the table and a Chinese sentence."""
    body: dict[str, Any] = answer.get_json(silent=True, force=True) or {}
    return (
        answer.content_type.startswith("application/problem+json")
        and body.get("code") in TABLE
        and body.get("status") == answer.status_code
        and bool(CHINESE.search(body.get("detail", "")))
    )


def description(client: FlaskClient) -> dict[str, Any]:
    """The API's description."""
    found: dict[str, Any] = client.get("/api/openapi.json").get_json()
    return found


def test_every_route_is_in_the_table_with_the_role_that_may_call_it(world: World) -> None:
    """A new route is denied until a role is named in its view and a line is written in routes.txt."""
    found = {
        f"{method:<6} {rule.rule:<60} {role_of(world.app.view_functions[rule.endpoint])}"
        for method, rule in rules(world)
    }
    written = {line for line in TABLE_FILE.read_text(encoding="utf-8").splitlines() if line}
    assert found == written, f"only in the code: {found - written}; only in the table: {written - found}"


def test_a_view_that_names_no_role_is_refused(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    view = world.app.view_functions["health.healthz"]
    monkeypatch.delattr(view, "_access_role")
    answer = world.app.test_client().get("/healthz")
    assert answer.status_code == 403
    assert is_problem(answer)


def guarded(world: World, *roles: Role) -> Iterator[tuple[str, str]]:
    for method, rule in rules(world):
        if role_of(world.app.view_functions[rule.endpoint]) in roles:
            yield method, path_of(world, rule)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer x.y", "Basic abc", "Bearer " + "a" * 5000])
def test_signed_in_routes_refuse_whoever_is_not(world: World, client: FlaskClient, authorization: str) -> None:
    for method, path in guarded(world, Role.TRAINEE, Role.ACTIVATING):
        answer = client.open(path, method=method, headers={"Authorization": authorization}, json={})
        assert answer.status_code == 401, (method, path)
        assert is_problem(answer), (method, path)


def test_a_session_that_is_not_a_full_one_opens_no_trainee_route(world: World, client: FlaskClient) -> None:
    headers = auth(a_person(activated=False), activated=False)
    for method, path in guarded(world, Role.TRAINEE):
        answer = client.open(path, method=method, headers=headers, json={})
        assert answer.status_code == 403, (method, path)
        assert answer.get_json()["code"] == "sign_in_unfinished", (method, path)
        assert is_problem(answer), (method, path)


HALF_A_PAIR = b'{"subject":"\\ud800","purpose":"study","method":"picture","nonce":"\\ud800"}'
NONSENSE: list[dict[str, Any]] = [
    {"data": b"{", "content_type": "application/json"},
    {"data": b"\xff\xfe\x00", "content_type": "application/json"},
    {"data": b"[" * 5000, "content_type": "application/json"},
    {"data": b"[" * 20000},
    {"data": b'{"x":' + b"9" * 6000 + b"}", "content_type": "application/json"},
    {
        "data": b'{"subject":"\\ud800","purpose":"study","method":"picture","nonce":"\\ud800"}',
        "content_type": "application/json",
    },
    {"data": b"x" * 70000},
    {"json": []},
    {"json": "text"},
    {"json": None},
    {"json": {"unknown": {"deep": [1, 2, {"x": "\u0000"}]}}},
    {"data": b"a=1", "content_type": "application/x-www-form-urlencoded"},
    {"data": b"<x/>", "content_type": "text/xml"},
    {"data": b"--b\r\nnonsense", "content_type": "multipart/form-data; boundary=b"},
    {"data": b"", "content_type": "multipart/form-data"},
]


@pytest.mark.parametrize("number", range(len(NONSENSE)))
def test_nonsense_gets_a_problem_and_never_a_5xx(world: World, client: FlaskClient, number: int) -> None:
    person = a_person()
    for method, rule in rules(world):
        path = path_of(world, rule)
        answer = client.open(path, method=method, headers=auth(person), **NONSENSE[number])
        if path == "/readyz":
            continue  # it tells of processes that a test does not have
        assert answer.status_code < 500, (method, path, answer.text[:300])
        if answer.status_code >= 400 and not path.startswith(PAGES):
            assert is_problem(answer), (method, path, answer.status_code, answer.text[:300])


@pytest.mark.parametrize("value", ["x" * 300, "%00", "..%2F..%2Fetc", "💥", "'; DROP TABLE person; --"])
def test_hostile_ids_in_a_path_are_not_found(world: World, client: FlaskClient, value: str) -> None:
    headers = auth(a_person())
    for method, rule in rules(world):
        if not rule.arguments or "int:" in rule.rule:
            continue
        path = re.sub(r"<[^>]+>", value, rule.rule)
        answer = client.open(path, method=method, headers=headers, json={})
        assert 400 <= answer.status_code < 500, (method, path, answer.status_code)


def test_a_large_body_is_refused_before_it_is_read(world: World, client: FlaskClient) -> None:
    person = a_person()
    refused: set[str] = set()
    for method, rule in rules(world):
        if method == "GET":
            continue
        view: Any = world.app.view_functions[rule.endpoint]
        size = view._access_max_body + 1
        answer = client.open(
            path_of(world, rule),
            method=method,
            headers=auth(person),  # a new session each time: one of the routes ends it
            content_type="multipart/form-data; boundary=b" if is_upload(rule.rule) else "application/json",
            environ_overrides={"wsgi.input": Unreadable(), "CONTENT_LENGTH": str(size)},
        )
        # a view that takes no body may answer without looking at it
        assert answer.status_code == 413 or answer.status_code < 500, (method, rule.rule)
        if answer.status_code == 413:
            refused.add(rule.rule)
            is_page = answer.mimetype == "text/html" and bool(CHINESE.search(answer.text))
            assert is_page if rule.rule.startswith(PAGES) else is_problem(answer)
    spec = description(client)["paths"]
    with_body = {
        path
        for path, operations in spec.items()
        if any("requestBody" in operation for operation in operations.values() if isinstance(operation, dict))
    }
    assert with_body <= {re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule) for rule in refused}


def is_upload(path: str) -> bool:
    return path in ("/api/v1/photo", "/api/v1/photo/check") or path.endswith(("/picture", "/help-tickets/pictures"))


class Unreadable:
    """A body that must not be read."""

    def read(self, *_: int) -> bytes:
        raise AssertionError("the body was read")

    readline = read


def test_the_description_names_every_route_of_the_api(world: World, client: FlaskClient) -> None:
    spec = description(client)
    assert spec["openapi"].startswith("3.1")
    hidden = {"/api/openapi.json", "/api/docs"}
    wanted = {
        re.sub(r"<(?:[^:<>]+:)?([^<>]+)>", r"{\1}", rule.rule)
        for _, rule in rules(world)
        if rule.rule.startswith("/api/") and rule.rule not in hidden
    }
    assert wanted <= set(spec["paths"])
    for path, operations in spec["paths"].items():
        for method, operation in operations.items():
            if method in ("get", "post", "put", "delete"):
                assert operation.get("x-access"), (method, path)
                assert operation["responses"]["default"], (method, path)


def test_the_docs_page_asks_no_other_host(client: FlaskClient) -> None:
    for path in ("/", "/texts", "/api/docs"):
        page = client.get(path)
        assert page.status_code == 200
        assert not re.search(r"(?:src|href)=\"(?:https?:)?//", page.text)
        assert "script-src 'self'" in page.headers["Content-Security-Policy"]


def test_somebody_with_a_browser_gets_a_page_and_a_programme_a_problem(client: FlaskClient) -> None:
    browser = {"Accept": BROWSERS["firefox"]}
    page = client.get("/api/v1/proofs/0123456789abcdef.pdf", headers=browser)
    assert page.status_code in (401, 403, 404)
    assert page.content_type.startswith("text/html")
    assert CHINESE.search(page.text)
    assert is_problem(client.get("/nowhere"))


@pytest.mark.parametrize("accept", BROWSERS.values(), ids=BROWSERS)
def test_an_address_that_nobody_knows_is_a_page_with_a_way_home_in_every_browser(
    client: FlaskClient, accept: str
) -> None:
    page = client.get("/nowhere", headers={"Accept": accept})
    assert (page.status_code, page.mimetype) == (404, "text/html")
    assert CHINESE.search(page.text)
    assert 'href="/"' in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert not re.search(r"<script|style=|(?:src|href)=\"(?:https?:)?//", page.text)
    assert client.head("/nowhere", headers={"Accept": accept}).mimetype == "text/html"


def test_whoever_does_not_ask_for_a_page_gets_a_problem(client: FlaskClient) -> None:
    for accept in ("*/*", "application/json, text/html;q=0.9", "application/json, application/problem+json"):
        for path in ("/nowhere", "/api/v1/nowhere"):
            assert is_problem(client.get(path, headers={"Accept": accept})), accept
    assert is_problem(client.post("/nowhere", headers={"Accept": BROWSERS["chromium"]}))


def test_each_field_that_is_wrong_is_told_in_chinese(world: World, client: FlaskClient) -> None:
    person = a_person()
    told: list[str] = []
    for body in ({}, {"unknown": 1}, {"programme": 1, "id_number": [], "password": None, "kind": {}, "choice": 7}):
        for method, rule in rules(world):
            if method in ("POST", "PUT"):
                answer = client.open(path_of(world, rule), method=method, headers=auth(person), json=body)
                told += leaves((answer.get_json(silent=True) or {}).get("fields", {}))
    assert len(told) > 30
    assert [text for text in told if not CHINESE.search(text)] == []


def leaves(fields: Any) -> list[str]:
    """Every sentence of a problem's fields."""
    if isinstance(fields, dict):
        return [text for value in fields.values() for text in leaves(value)]
    return [text for value in fields for text in leaves(value)] if isinstance(fields, list) else [str(fields)]
