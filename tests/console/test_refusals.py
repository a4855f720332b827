"""What the console answers where there is nothing, and where something is refused or broken: a page with a way on."""

from __future__ import annotations

from typing import Any

import peewee
import pytest

from app.core.access import SMALL_BODY
from app.core.staff import Right
from tests.staffroom import a_browser, a_member, at_desk
from tests.world import World

SUPPORT = (Right.SUPPORT, "yunnan")


def is_page(answer: Any, status: int, text: str) -> None:
    """A page of the console that says `text`."""
    assert (answer.status_code, answer.mimetype) == (status, "text/html")
    assert text in answer.text
    assert 'class="bar"' in answer.text
    assert "unsafe-inline" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["/console/nope", "/console/nope/nope", "/console/cases/", "/console/cases/x/nope"])
def test_an_unknown_address_is_a_page_with_the_menu_and_a_way_on(world: World, path: str) -> None:
    answer = at_desk(world, a_member(SUPPORT)).get(path)
    is_page(answer, 404, "没有找到这项内容")
    assert 'aria-label="主导航"' in answer.text
    assert '<a class="button main" href="/console/">回到我的队列</a>' in answer.text


def test_an_unknown_address_asks_a_stranger_to_sign_in_as_every_page_does(world: World) -> None:
    answer = a_browser(world).get("/console/nope")
    is_page(answer, 401, "工作人员登录")
    assert a_browser(world).get("/console/done").text == answer.text.replace("/console/nope", "/console/done")


def test_what_a_right_is_wanting_for_is_a_page(world: World) -> None:
    is_page(at_desk(world, a_member(SUPPORT)).get("/console/announcements"), 403, "您没有权限")
    is_page(at_desk(world, a_member(SUPPORT)).get("/console/reference/"), 403, "您没有权限")


def test_a_method_that_a_route_does_not_know_is_a_page(world: World) -> None:
    desk = at_desk(world, a_member(SUPPORT))
    is_page(desk.post("/console/figures"), 405, "这个操作不被支持")
    is_page(desk.post("/console/nope"), 405, "这个操作不被支持")


def test_a_body_that_is_too_large_is_a_page(world: World) -> None:
    answer = at_desk(world, a_member(SUPPORT)).post("/console/people", {"text": "x" * (SMALL_BODY + 1)})
    is_page(answer, 413, "内容太大了")


@pytest.mark.parametrize(
    ("broken", "status", "text"),
    [(RuntimeError("a bug"), 500, "系统出了点问题"), (peewee.OperationalError("gone"), 503, "系统正忙")],
)
def test_a_broken_page_is_a_bare_page_that_reads_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch, broken: Exception, status: int, text: str
) -> None:
    desk = at_desk(world, a_member(SUPPORT))

    def breaks(*_args: Any, **_more: Any) -> None:
        raise broken

    monkeypatch.setattr("app.cases.queries.queues", breaks)
    answer = desk.get("/console/")
    is_page(answer, status, text)
    assert 'aria-label="主导航"' not in answer.text


def test_the_api_answers_json_as_ever(world: World) -> None:
    answer = a_browser(world).get("/api/v1/nope")
    assert (answer.status_code, answer.mimetype) == (404, "application/problem+json")
