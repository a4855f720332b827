"""Paying in WeChat's browser: whose WeChat the page is open in, and what somebody else's code or state is worth."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from app.account.models import Person
from app.core.clock import utcnow
from app.wechat import service
from app.wechat.models import Authorisation, PayerOpenid
from tests.factories import a_person, auth
from tests.wechat.phones import post
from tests.wechat.scanning import code_of
from tests.world import World

BACK = "/#/pages/order/index?id=6afrxkcma9meej52"


@pytest.fixture
def person(world: World) -> Person:
    return a_person()


def the_user(world: World, openid: str) -> None:
    """WeChat's browser is on this user's phone from now on."""
    world.sandbox.box.store.put("wechat", "web_user", "now", {"openid": openid})


def begin(world: World, headers: dict[str, str], **body: Any) -> Any:
    return post(world, "/api/v1/wechat/authorise", {"programme": "yunnan", "back": BACK, **body}, headers)


def go(url: str) -> dict[str, str]:
    """Follow WeChat's page as a browser does; gives what came back in the address."""
    answer = requests.get(url, allow_redirects=False, timeout=5)
    assert answer.status_code == 302, answer.text
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}


def finish(world: World, came: dict[str, str], headers: dict[str, str]) -> Any:
    body = {"code": came["code"], "state": came["state"]}
    return post(world, "/api/v1/wechat/authorised", body, headers)


def openid_of(world: World, person: Person) -> str | None:
    return service.payer_openid(person.id, world.settings.secrets.get("yunnan.wechat_official.appid"))


def test_the_page_goes_to_wechat_and_comes_back_with_the_payer(world: World, person: Person) -> None:
    the_user(world, "o-mine")
    headers = auth(person)
    url = begin(world, headers).json["url"]
    assert url.startswith(f"{world.sandbox.url}/connect/oauth2/authorize?")
    assert url.endswith("#wechat_redirect")
    came = go(url)
    assert came["wechat"] == "return"
    answer = finish(world, came, headers)
    assert (answer.status_code, answer.json) == (200, {"back": BACK})
    assert openid_of(world, person) == "o-mine"
    assert "o-mine" not in str(list(PayerOpenid.select().dicts())), "it is sealed"


def test_the_last_one_stands_and_opens_no_account(world: World, person: Person) -> None:
    headers = auth(person)
    for openid in ("o-first", "o-second"):
        the_user(world, openid)
        assert finish(world, go(begin(world, headers).json["url"]), headers).status_code == 200
    assert openid_of(world, person) == "o-second"
    assert PayerOpenid.select().count() == 1
    state = world.app.test_client().get("/api/v1/settings", headers=headers).get_json()["wechat"]
    assert state["bound"] is False


def test_a_code_and_a_state_work_once(world: World, person: Person) -> None:
    headers = auth(person)
    came = go(begin(world, headers).json["url"])
    assert finish(world, came, headers).status_code == 200
    assert code_of(finish(world, came, headers)) == (409, "authorisation_over")
    fresh = go(begin(world, headers).json["url"])
    used = {**fresh, "code": came["code"]}
    assert code_of(finish(world, used, headers)) == (409, "authorisation_over")
    assert code_of(finish(world, fresh, headers)) == (409, "authorisation_over"), "its state is used up"


def of_another_person(world: World, person: Person, came: dict[str, str], headers: dict[str, str]) -> Any:
    return finish(world, came, auth(a_person()))


def of_another_session(world: World, person: Person, came: dict[str, str], headers: dict[str, str]) -> Any:
    return finish(world, came, auth(person))


def too_late(world: World, person: Person, came: dict[str, str], headers: dict[str, str]) -> Any:
    Authorisation.update(created_at=utcnow() - timedelta(minutes=10)).execute()
    return finish(world, came, headers)


def invented(world: World, person: Person, came: dict[str, str], headers: dict[str, str]) -> Any:
    return finish(world, {**came, "state": "0123456789abcdef"}, headers)


@pytest.mark.parametrize("bring", [of_another_person, of_another_session, too_late, invented])
def test_a_state_is_good_for_the_session_that_asked_and_for_ten_minutes(
    world: World, person: Person, bring: Callable[..., Any]
) -> None:
    headers = auth(person)
    came = go(begin(world, headers).json["url"])
    calls = world.sandbox.box.journal.count("wechat", "web_openid")
    assert code_of(bring(world, person, came, headers)) == (409, "authorisation_over")
    assert world.sandbox.box.journal.count("wechat", "web_openid") == calls, "WeChat is not even asked"
    assert PayerOpenid.select().count() == 0


def test_of_twenty_at_one_moment_one_asks_wechat(world: World, person: Person) -> None:
    headers = auth(person)
    came = go(begin(world, headers).json["url"])
    calls = world.sandbox.box.journal.count("wechat", "web_openid")
    with ThreadPoolExecutor(20) as crowd:
        answers = list(crowd.map(lambda _: finish(world, came, headers).status_code, range(20)))
    assert sorted(answers) == [200] + [409] * 19
    assert world.sandbox.box.journal.count("wechat", "web_openid") == calls + 1


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("error", "40226", (403, "wechat_blocked")),
        ("error", "-1", (503, "wechat_unavailable")),
        ("error", "40013", (503, "wechat_unavailable")),
    ],
)
def test_wechats_trouble_is_told_and_a_new_beginning_works(
    world: World, person: Person, kind: str, value: str, code: tuple[int, str]
) -> None:
    headers = auth(person)
    came = go(begin(world, headers).json["url"])
    world.sandbox.box.knobs.add("wechat", "web_openid", kind, value)
    assert code_of(finish(world, came, headers)) == code
    assert finish(world, go(begin(world, headers).json["url"]), headers).status_code == 200


@pytest.mark.parametrize(
    "back", ["//elsewhere.example", "https://elsewhere.example", "", "javascript:alert(1)", "/\\elsewhere.example"]
)
def test_the_way_back_stays_on_our_site(world: World, person: Person, back: str) -> None:
    assert begin(world, auth(person), back=back).status_code == 422


def test_a_programme_without_an_official_account_says_so(world: World, person: Person) -> None:
    assert code_of(begin(world, auth(person), programme="atlantis")) == (409, "wechat_not_offered")


def test_nobody_begins_more_than_ten_a_minute(world: World, person: Person) -> None:
    headers = auth(person)
    for _ in range(10):
        assert begin(world, headers).status_code == 200
    assert begin(world, headers).status_code == 429


def test_what_was_begun_is_forgotten(world: World, person: Person) -> None:
    begin(world, auth(person))
    assert service.forget(now=utcnow() + timedelta(days=1)) == 0
    assert service.forget(now=utcnow() + timedelta(days=3)) == 1
