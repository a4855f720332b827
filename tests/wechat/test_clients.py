"""WeChat's clients over real HTTP: the shared token, and what each call makes of trouble."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest
import redis

from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.wechat import providers
from app.wechat.providers import client as clients
from app.wechat.providers import mini_program
from app.wechat.providers.access_token import AccessToken
from app.wechat.providers.mini_program import MiniProgram
from app.wechat.providers.official_account import OfficialAccount
from app.wechat.providers.protocol import CodeRefused, NoSubscription, ProviderUnavailable, Refused
from tests.wechat.phones import a_code, a_phone_code
from tests.world import World


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clients, "TIMEOUT", (0.5, 1.0))


def a_client(world: World) -> MiniProgram:
    """Yunnan's client, new and cold, over HTTP to the sandbox."""
    secret = world.settings.secrets.get
    return MiniProgram(
        appid=secret("yunnan.wechat.appid"), secret=secret("yunnan.wechat.secret"), base=world.sandbox.url
    )


@pytest.fixture
def wechat(world: World) -> MiniProgram:
    return a_client(world)


def fetches(world: World) -> int:
    return world.sandbox.box.journal.count("wechat", "token")


def cold_clients_at_once(world: World, count: int = 8) -> set[str]:
    """Each client asks for the token at the same moment; what they got."""
    world.sandbox.box.knobs.add("wechat", "token", "delay", 0.2, times=None)
    made = [a_client(world) for _ in range(count)]
    barrier = threading.Barrier(count)

    def ask(client: MiniProgram) -> str:
        barrier.wait()
        return client.access_token

    with ThreadPoolExecutor(count) as pool:
        return set(pool.map(ask, made))


@pytest.fixture
def no_redis(world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    away = redis_clients.Hints(redis_clients.quick_client(f"unix://{tmp_path}/nobody"))
    monkeypatch.setattr(redis_clients, "_hints", [away])


# --- the token ---------------------------------------------------------------------------------------------------


def test_eight_cold_clients_fetch_the_token_once(world: World) -> None:
    assert len(cold_clients_at_once(world)) == 1
    assert fetches(world) == 1


def test_without_the_lock_each_of_them_fetches_it(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AccessToken, "_alone", lambda _self: nullcontext())
    cold_clients_at_once(world)
    assert fetches(world) == 8


def test_the_token_lies_in_redis_sealed_and_only_until_wechat_hands_out_the_next(
    world: World, wechat: MiniProgram
) -> None:
    world.sandbox.box.store.clear("wechat", "current_token")  # what an earlier test was given lives on, for less long
    token = wechat.access_token
    store: redis.Redis = redis_clients.queue()
    (key,) = store.keys("wechat:token:*")
    assert token.encode() not in store.get(key)  # type: ignore[operator]
    assert 7200 - 300 - 5 <= int(store.ttl(key)) <= 7200 - 300  # type: ignore[arg-type]
    assert a_client(world).access_token == token
    store.set(key, "nonsense")
    assert a_client(world).access_token == token
    assert fetches(world) == 2


def test_while_redis_is_away_a_process_fetches_it_once_and_goes_on(world: World, no_redis: None) -> None:
    client = a_client(world)
    with ThreadPoolExecutor(8) as pool:
        assert len(set(pool.map(lambda _: client.access_token, range(8)))) == 1
    assert fetches(world) == 1
    assert client.code_picture("a", "pages/scan/index")


def test_a_lock_whose_holder_died_holds_nobody_up_for_long(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.wechat.providers.access_token.PATIENCE", 0.2)
    appid = world.settings.secrets.get("yunnan.wechat.appid")
    redis_clients.queue().set(f"wechat:token:{appid}:lock", "somebody")
    assert a_client(world).access_token


def test_those_who_waited_for_a_fetch_that_failed_do_not_try_one_after_the_other(
    world: World, wechat: MiniProgram
) -> None:
    world.sandbox.box.knobs.add("wechat", "token", "delay", 0.3, times=None)
    world.sandbox.box.knobs.add("wechat", "token", "error", 502, times=None)
    barrier = threading.Barrier(6)

    def ask(_: int) -> bool:
        barrier.wait()
        with pytest.raises(ProviderUnavailable):
            wechat.access_token
        return True

    with ThreadPoolExecutor(6) as pool:
        assert all(pool.map(ask, range(6)))
    assert fetches(world) <= 2


def test_a_token_that_wechat_refuses_is_renewed_once(world: World, wechat: MiniProgram) -> None:
    wechat.access_token
    world.sandbox.box.knobs.add("wechat", "qrcode", "error", "40001")
    assert wechat.code_picture("a", "pages/scan/index")
    assert (fetches(world), world.sandbox.box.journal.count("wechat", "qrcode")) == (2, 2)


def test_a_refusal_that_lasts_ends_after_the_second_call(world: World, wechat: MiniProgram) -> None:
    world.sandbox.box.knobs.add("wechat", "qrcode", "error", "40001", times=None)
    with pytest.raises(ProviderUnavailable):
        wechat.code_picture("a", "pages/scan/index")
    assert (fetches(world), world.sandbox.box.journal.count("wechat", "qrcode")) == (2, 2)


def test_of_many_with_the_same_refused_token_one_renews_it(world: World) -> None:
    made = [a_client(world) for _ in range(6)]
    token = made[0].access_token
    world.sandbox.box.knobs.add("wechat", "token", "delay", 0.2, times=None)
    fresh = world.sandbox.box.store
    with fresh.changing():  # WeChat has taken the old one back
        fresh.pop("wechat", "token", token)
        fresh.pop("wechat", "current_token", made[0].appid)
    with ThreadPoolExecutor(6) as pool:
        pictures = list(pool.map(lambda client: client.code_picture("a", "pages/scan/index"), made))
    assert all(pictures)
    assert fetches(world) == 2


@pytest.mark.parametrize(
    ("kind", "value"),
    [("error", "40125"), ("error", "40001"), ("error", 502), ("garbage", None), ("reset", None)],
)
def test_trouble_with_the_token_is_unavailable_and_tells_no_secret(
    world: World, wechat: MiniProgram, kind: str, value: object, capsys: pytest.CaptureFixture[str]
) -> None:
    world.sandbox.box.knobs.add("wechat", "token", kind, value)
    with pytest.raises(ProviderUnavailable) as caught:
        wechat.access_token
    told = str(caught.value) + capsys.readouterr().err
    assert world.settings.secrets.get("yunnan.wechat.secret") not in told
    assert wechat.access_token  # the trouble was for one request


def test_no_token_is_in_any_log(world: World, wechat: MiniProgram, capsys: pytest.CaptureFixture[str]) -> None:
    token = wechat.access_token
    for kind, value in (("reset", None), ("error", "40001"), ("error", 500), ("garbage", None)):
        world.sandbox.box.knobs.add("wechat", "subscribe", kind, value)
        with pytest.raises((ProviderUnavailable, Refused)):
            wechat.send_subscribed("oNobody", "template", "pages/home/index", {"thing1": "x"})
    told = capsys.readouterr()
    assert token not in told.err + told.out


# --- the phone number --------------------------------------------------------------------------------------------


def test_a_phone_code_gives_its_number_once(world: World, wechat: MiniProgram) -> None:
    code = a_phone_code(world.sandbox, "13800138000")
    assert wechat.phone_of(code, now=utcnow()) == "13800138000"
    with pytest.raises(CodeRefused):
        wechat.phone_of(code, now=utcnow())
    with pytest.raises(CodeRefused):
        wechat.phone_of("neverheardof", now=utcnow())


@pytest.mark.parametrize(
    "change",
    [
        {"watermark": {"appid": "wx0", "timestamp": 0}},
        {"watermark": {"timestamp": 1_600_000_000}},
        {"watermark": None},
        {"purePhoneNumber": None},
    ],
)
def test_an_answer_for_another_app_or_of_another_time_gives_no_number(
    world: World, wechat: MiniProgram, change: dict[str, object]
) -> None:
    world.sandbox.box.knobs.add("wechat", "phone", "alter", {"phone_info": change})
    with pytest.raises((ProviderUnavailable, CodeRefused)):
        wechat.phone_of(a_phone_code(world.sandbox, "13800138000"), now=utcnow())


def test_a_foreign_number_is_refused(world: World, wechat: MiniProgram) -> None:
    foreign = {"phone_info": {"countryCode": "852", "purePhoneNumber": "61234567"}}
    world.sandbox.box.knobs.add("wechat", "phone", "alter", foreign)
    with pytest.raises(CodeRefused):
        wechat.phone_of(a_phone_code(world.sandbox, "13800138000"), now=utcnow())


# --- pictures and messages ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "value"), [("garbage", None), ("error", "45009"), ("error", 500), ("reset", None)])
def test_a_picture_that_is_none_is_unavailable(world: World, wechat: MiniProgram, kind: str, value: object) -> None:
    world.sandbox.box.knobs.add("wechat", "qrcode", kind, value)
    with pytest.raises(ProviderUnavailable):
        wechat.code_picture("a", "pages/scan/index")


def test_a_message_without_a_subscription_is_told_apart(world: World, wechat: MiniProgram) -> None:
    wechat.openid_of(a_code(world.sandbox, "oPhone"))
    world.sandbox.box.store.put("wechat", "user", "oPhone", {"at": 0})
    with pytest.raises(NoSubscription):
        wechat.send_subscribed("oPhone", "template", "pages/home/index", {"thing1": "学习提醒"})
    world.sandbox.box.store.put("wechat", "grant", "oPhone/template", {"times": 1})
    wechat.send_subscribed("oPhone", "template", "pages/home/index", {"thing1": "学" * 25, "time2": "2026年1月1日"})
    ((_, message),) = world.sandbox.box.store.all("wechat", "message", 10)
    assert message["data"]["thing1"]["value"] == "学" * 19 + "…"
    assert message["data"]["time2"]["value"] == "2026年1月1日"
    with pytest.raises(Refused) as caught:
        wechat.send_subscribed("oNobody", "template", "pages/home/index", {"thing1": "x"})
    assert caught.value.code == "40003"


def test_values_fit_their_keys() -> None:
    assert mini_program._fit("phrase1", "审核没有通过") == "审核没有…"
    assert mini_program._fit("thing2", "短") == "短"
    assert mini_program._fit("time2", "2026年12月31日 23:59:59") == "2026年12月31日 23:59:59"


# --- the official account ----------------------------------------------------------------------------------------


@pytest.fixture
def account(world: World) -> OfficialAccount:
    """Yunnan's official account."""
    secret = world.settings.secrets.get
    appid, key = secret("yunnan.wechat_official.appid"), secret("yunnan.wechat_official.secret")
    return OfficialAccount(appid=appid, secret=key, base=world.sandbox.url)


def test_the_account_and_the_mini_program_have_a_token_each(
    world: World, wechat: MiniProgram, account: OfficialAccount
) -> None:
    assert wechat.access_token != account.access_token
    assert fetches(world) == 2
    assert providers.official("yunnan.wechat_official").appid == account.appid


def test_a_scene_becomes_a_url_that_is_drawn_as_a_code(world: World, account: OfficialAccount) -> None:
    assert account.scene_url("follow-0123456789abcdef", 120).startswith("http://weixin.qq.com/q/")
    _, made = world.sandbox.box.store.all("wechat", "scene", 1)[0]
    assert made["scene"] == "follow-0123456789abcdef"
    for scene, seconds in (("", 60), ("x" * 65, 60), ("x", 0), ("x", 2592001)):
        with pytest.raises(ValueError, match="scene"):
            account.scene_url(scene, seconds)
    world.sandbox.box.knobs.add("wechat", "scene", "alter", {"url": None})
    with pytest.raises(ProviderUnavailable):
        account.scene_url("x", 60)


def test_a_template_message_goes_to_followers_and_once_a_key(world: World, account: OfficialAccount) -> None:
    world.sandbox.box.store.clear("wechat", "message")
    with pytest.raises(NoSubscription):
        account.send_template("oFollower", "template", {"thing1": "x"}, key="key-1")
    world.sandbox.box.store.put("wechat", "follower", f"{account.appid}/oFollower", {})
    for _ in range(2):
        account.send_template("oFollower", "template", {"thing1": "学习提醒"}, key="key-1")
    ((_, message),) = world.sandbox.box.store.all("wechat", "message", 10)
    assert message["data"] == {"thing1": {"value": "学习提醒"}}
    for kind, value in (("error", 502), ("garbage", None), ("reset_after", None)):
        world.sandbox.box.knobs.add("wechat", "template", kind, value)
        with pytest.raises(ProviderUnavailable):
            account.send_template("oFollower", "template", {"thing1": "x"}, key="key-2")
