"""How often a person and an address may call (docs/decisions/0028)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import redis
from flask.testing import FlaskClient

from app.core import rates
from app.core import redis as redis_clients
from app.core.access import kind_of
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.rates import RATES, Counter, Kind
from app.study.tickets import PlayTicket, sign_play
from config.settings import SettingsError, load
from tests.core.test_routes import is_problem, rules
from tests.factories import a_person, auth
from tests.world import World

NOW = datetime(2021, 3, 1, 2, 0, tzinfo=UTC)


@pytest.fixture
def still(world: World, client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A client of a server whose clock stands, and which takes 5 requests a person and 20 an address."""
    now = utcnow()
    for place in ("app.core.access.utcnow", "app.study.heartbeat.utcnow"):
        monkeypatch.setattr(place, lambda: now)
    for kind in Kind:
        monkeypatch.setitem(RATES, kind, rates.Rate(person=5, address=20))
    return client


def times_until_refused(kind: Kind, address: str, *, now: datetime = NOW, most: int = 20_000) -> int:
    """How many requests an address gets through before the first refusal."""
    for number in range(most):
        try:
            rates.check_address(kind, address, now=now)
        except Problem:
            return number
    raise AssertionError("never refused")


def test_an_address_is_refused_after_its_rate_and_told_when_to_come_back(world: World) -> None:
    assert times_until_refused(Kind.SIGN_IN, "10.0.0.1") == RATES[Kind.SIGN_IN].address
    with pytest.raises(Problem) as refused:
        rates.check_address(Kind.SIGN_IN, "10.0.0.1", now=NOW)
    wait = refused.value.extra["retry_after"]
    assert refused.value.code == "too_many_requests"
    assert refused.value.headers == {"Retry-After": str(wait)}
    assert 1 <= wait <= 60
    rates.check_address(Kind.SIGN_IN, "10.0.0.1", now=NOW + timedelta(seconds=wait))
    rates.check_address(Kind.SIGN_IN, "10.0.0.2", now=NOW)
    rates.check_address(Kind.READ, "10.0.0.1", now=NOW)


def test_five_hundred_phones_of_a_building_site_share_an_address(world: World) -> None:
    """In one minute each signs in, opens ten screens, writes five times, sends a photo, and beats six times."""
    for phone in range(500):
        for kind, times in (
            (Kind.SIGN_IN, 2),
            (Kind.READ, 10),
            (Kind.WRITE, 5),
            (Kind.UPLOAD, 1),
            (Kind.HEARTBEAT, 6),
        ):
            for _ in range(times):
                rates.check_address(kind, "10.0.0.1", now=NOW)
                rates.check_person(kind, f"person-{phone}", now=NOW)


def test_a_person_is_counted_over_all_their_sessions_and_loses_nothing(still: FlaskClient) -> None:
    person = a_person()
    answers = [still.get("/api/v1/me", headers=auth(person)) for _ in range(9)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429] * 4
    for refused in answers[5:]:
        assert is_problem(refused)
        assert 1 <= int(refused.headers["Retry-After"]) <= 60
        assert refused.get_json()["retry_after"] == int(refused.headers["Retry-After"])
    assert still.get("/api/v1/me", headers=auth(a_person())).status_code == 200


def test_bad_tokens_are_counted_at_their_address(still: FlaskClient) -> None:
    bad = {"Authorization": "Bearer x.y"}
    statuses = [still.get("/api/v1/me", headers=bad).status_code for _ in range(30)]
    assert statuses == [401] * 20 + [429] * 10


def test_addresses_that_are_no_route_are_counted_too(still: FlaskClient) -> None:
    statuses = [still.get("/nowhere").status_code for _ in range(30)]
    assert statuses == [404] * 20 + [429] * 10


def test_heartbeats_have_a_rate_of_their_own(still: FlaskClient) -> None:
    answers = [still.post("/api/v1/heartbeat", json={"ticket": "x"}) for _ in range(30)]
    assert [answer.status_code for answer in answers] == [answers[0].status_code] * 20 + [429] * 10
    for refused in answers[20:]:
        assert is_problem(refused)
        assert "Retry-After" in refused.headers
    assert still.get("/api/v1/me").status_code == 401


def test_a_beat_counts_for_the_person_of_its_ticket(still: FlaskClient) -> None:
    ticket = PlayTicket("person", "progress", "session", 0, 600, "yunnan", "2021-02-01", 0)
    signed = sign_play(ticket, expires=utcnow() + timedelta(hours=1))
    statuses = [still.post("/api/v1/heartbeat", json={"ticket": signed}).status_code for _ in range(9)]
    assert 429 not in statuses[:5]
    assert statuses[5:] == [429] * 4


def test_what_is_dear_is_counted_over_all_processes(world: World) -> None:
    half = RATES[Kind.UPLOAD].person // 2
    for _ in range(half):
        rates.check_person(Kind.UPLOAD, "a", now=NOW)
    rates.forget()  # another process knows nothing of these
    for _ in range(RATES[Kind.UPLOAD].person - half):
        rates.check_person(Kind.UPLOAD, "a", now=NOW)
    with pytest.raises(Problem):
        rates.check_person(Kind.UPLOAD, "a", now=NOW)


def test_without_redis_each_process_holds_the_limit_by_itself(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    away = redis_clients.Hints(redis.Redis.from_url("unix:///nowhere/redis.sock"))
    monkeypatch.setattr(redis_clients, "_hints", [away])
    assert times_until_refused(Kind.UPLOAD, "10.0.0.1") == RATES[Kind.UPLOAD].address


def test_redis_forgets_its_counts_by_itself(world: World) -> None:
    rates.check_address(Kind.UPLOAD, "10.0.0.1", now=NOW)
    (key,) = redis_clients.queue().keys("rate:*")
    assert 0 < redis_clients.queue().ttl(key) <= 2 * rates.WINDOW


def test_a_million_addresses_take_no_more_room_than_a_few(world: World) -> None:
    counter = Counter(room=1000)
    for number in range(100_000):
        counter.add(f"10.0.{number}", 1)
    assert len(counter) == 1000


def test_strangers_at_many_addresses_do_not_push_out_a_persons_count(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "_addresses", Counter(room=100))
    for _ in range(RATES[Kind.WRITE].person):
        rates.check_person(Kind.WRITE, "a", now=NOW)
    for number in range(1000):
        rates.check_address(Kind.WRITE, f"10.9.{number}", now=NOW)
    with pytest.raises(Problem):
        rates.check_person(Kind.WRITE, "a", now=NOW)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "10.0.0.1", True),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("10.0.0.1", "10.0.0.2", False),
    ],
)
def test_the_64_bits_of_one_line_are_one_address(one: str, other: str, same: bool) -> None:
    assert (rates.network(one) == rates.network(other)) is same


def test_an_address_that_is_none_is_bounded() -> None:
    assert len(rates.network(":" * 10_000)) <= 64


def test_each_route_falls_under_one_kind(world: World) -> None:
    kinds = {
        f"{method} {rule.rule}": kind_of(world.app.view_functions[rule.endpoint], method)
        for method, rule in rules(world)
    }
    assert kinds["POST /api/v1/heartbeat"] is Kind.HEARTBEAT
    assert kinds["PUT /api/v1/photo"] is Kind.UPLOAD
    assert kinds["POST /api/v1/login"] is Kind.SIGN_IN
    assert kinds["POST /api/v1/sign-ups"] is Kind.WRITE
    assert kinds["GET /api/v1/home"] is Kind.READ
    assert kinds["POST /api/v1/callbacks/<kind>/<merchant>"] is Kind.CALLBACK


def test_the_setting_multiplies_all_limits_and_is_a_whole_number(world: World) -> None:
    assert load({"RATE_LIMITS": "3"}).rate_limits == 3
    for wrong in ("0", "-1", "x", "1.5"):
        with pytest.raises(SettingsError, match="RATE_LIMITS"):
            load({"RATE_LIMITS": wrong})


def test_live_wants_to_be_told_how_many_proxies_stand_in_front() -> None:
    live = {"PROVIDERS": "live", "PUBLIC_URL": "https://peixun.example"}
    with pytest.raises(SettingsError, match="TRUSTED_PROXIES"):
        load(live)
    assert load(live | {"TRUSTED_PROXIES": "0"}).trusted_proxies == 0
    assert load(live | {"TRUSTED_PROXIES": "1"}).trusted_proxies == 1
