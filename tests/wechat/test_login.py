from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog

from app import wiring
from app.account import service as account
from app.account.models import Notice, Person, Session
from app.core import crypto
from app.core.clock import utcnow
from app.core.db import database
from app.core.errors import Problem
from app.core.ids import new_id
from app.wechat import service
from app.wechat.models import Binding, LoginCode
from app.wechat.providers import client
from app.wechat.providers.mini_program import MiniProgram
from app.wechat.providers.protocol import AccountBlocked, CodeRefused, ProviderUnavailable
from tests import factories
from tests.account.screens import Screens, sms_code
from tests.faults import login
from tests.wechat.phones import a_bound_person, a_code, bind, log_in, post, unbind
from tests.world import World

NEW_PASSWORD = "Neues-Wort-27"


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", (0.5, 0.5))


@pytest.fixture
def wechat(world: World) -> MiniProgram:
    """Yunnan's client over HTTP to the sandbox."""
    secret = world.settings.secrets.get
    return MiniProgram(
        appid=secret("yunnan.wechat.appid"), secret=secret("yunnan.wechat.secret"), base=world.sandbox.url
    )


# --- the client --------------------------------------------------------------------------------------------------


def test_a_code_gives_its_openid_and_no_access_token_is_fetched(world: World, wechat: MiniProgram) -> None:
    assert wechat.openid_of(a_code(world.sandbox, "oPhone")) == "oPhone"
    journal = world.sandbox.box.journal
    assert (journal.count("wechat"), journal.count("wechat", "code2session")) == (1, 1)


def test_a_used_and_an_unknown_code_are_refused(world: World, wechat: MiniProgram) -> None:
    code = a_code(world.sandbox, "oPhone")
    wechat.openid_of(code)
    for bad in (code, "neverheardof"):
        with pytest.raises(CodeRefused):
            wechat.openid_of(bad)


def test_a_blocked_user_is_told_apart(world: World, wechat: MiniProgram) -> None:
    world.sandbox.box.knobs.add("wechat", "code2session", "error", "40226")
    with pytest.raises(AccountBlocked):
        wechat.openid_of(a_code(world.sandbox, "oPhone"))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("error", 500),
        ("error", "-1"),
        ("error", "45011"),
        ("error", "40001"),
        ("error", "40125"),
        ("garbage", None),
        ("reset", None),
        ("reset_after", None),
        ("hang", 2),
    ],
)
def test_other_trouble_is_unavailable_after_one_request_and_tells_no_secret(
    world: World, wechat: MiniProgram, kind: str, value: object
) -> None:
    world.sandbox.box.knobs.add("wechat", "code2session", kind, value)
    code = a_code(world.sandbox, "oPhone")
    with pytest.raises(ProviderUnavailable) as caught:
        wechat.openid_of(code)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert code not in str(caught.value)
    assert world.settings.secrets.get("yunnan.wechat.secret") not in str(caught.value)
    # the trouble was for one request: a second one would have succeeded
    assert world.sandbox.box.journal.count("wechat") <= 1


def test_session_key_is_in_no_answer_no_log_and_no_table(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    keys = []
    real = MiniProgram.openid_of

    def spy(self: MiniProgram, code: str) -> str:
        request = self.request

        def remember(method: str, path: str, **more: Any) -> Any:
            answer = request(method, path, **more)
            keys.append(answer["session_key"])
            return answer

        with monkeypatch.context() as patch:
            patch.setattr(self, "request", remember)
            return real(self, code)

    monkeypatch.setattr(MiniProgram, "openid_of", spy)
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    try:
        person = a_bound_person(world, "oPhone")
        answer = log_in(world, a_code(world.sandbox, "oPhone"))
    finally:
        root.setLevel(level)
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    output = capsys.readouterr()
    told = output.out + output.err + answer.get_data(as_text=True) + str(dict(answer.headers))
    stored = "".join(str(database.execute_sql(*model.select().sql()).fetchall()) for model in wiring.models())
    assert len(keys) == 2
    for secret in (*keys, "session_key", world.settings.secrets.get("yunnan.wechat.secret")):
        assert secret not in told + stored
    assert "oPhone" not in stored + answer.get_data(as_text=True)
    assert person.id in stored


# --- signing in --------------------------------------------------------------------------------------------------


def test_an_unknown_wechat_gets_a_ticket_and_no_session(world: World) -> None:
    answer = log_in(world, a_code(world.sandbox, "oNew"))
    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["bound"] is False
    assert answer.json["bind_ticket"]
    assert not answer.json.get("token")
    assert Session.select().count() == 0


def test_a_bound_wechat_gets_a_new_full_session(world: World) -> None:
    person = a_bound_person(world, "oPhone")
    tokens = set()
    for _ in range(2):
        answer = log_in(world, a_code(world.sandbox, "oPhone")).json
        assert answer is not None
        assert (answer["bound"], answer["activated"], answer["next"]) == (True, True, "home")
        tokens.add(answer["token"])
    assert len(tokens) == 2
    channels = [row.channel for row in Session.select().where(Session.person_id == person.id)]
    assert sorted(channels) == ["mini_program", "mini_program", "web"]
    client = world.app.test_client()
    for token in tokens:
        headers = {"Authorization": f"Bearer {token}"}
        assert client.get("/api/v1/me", headers=headers).status_code == 200


def test_l2_a_code_used_twice_or_fifty_times_at_once_opens_one_session(world: World) -> None:
    assert login.l2(world, 2) == 0


def test_l2_without_the_claimed_row_there_are_many(world: World) -> None:
    assert login.l2_twin(world)


def test_after_trouble_at_wechat_the_person_is_told_to_fetch_a_new_code(world: World) -> None:
    a_bound_person(world, "oPhone")
    world.sandbox.box.knobs.add("wechat", "code2session", "reset_after")
    code = a_code(world.sandbox, "oPhone")
    first, second = log_in(world, code), log_in(world, code)
    assert first.json is not None
    assert second.json is not None
    assert (first.status_code, first.json["code"]) == (503, "wechat_unavailable")
    assert (second.status_code, second.json["code"]) == (409, "wechat_code_refused")
    assert log_in(world, a_code(world.sandbox, "oPhone")).status_code == 200


def test_one_address_cannot_use_up_the_quota(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.wechat.service.CODES_A_MINUTE", 3)
    statuses = [log_in(world, f"guess{number}", "10.0.0.1").status_code for number in range(5)]
    assert statuses == [409, 409, 409, 429, 429]
    assert log_in(world, "guess", "10.0.0.2").status_code == 409
    assert world.sandbox.box.journal.count("wechat", "code2session") == 4


@pytest.mark.parametrize("programme", ["atlantis", "../../etc", "", "YUNNAN"])
def test_a_programme_without_wechat_says_so(world: World, programme: str) -> None:
    answer = post(world, "/api/v1/wechat/login", {"programme": programme, "code": "x"})
    assert answer.status_code in (409, 422)
    assert answer.content_type == "application/problem+json"


# --- binding -----------------------------------------------------------------------------------------------------


def test_binding_twice_with_the_same_ticket_is_one_binding(world: World) -> None:
    person = factories.a_person()
    headers = factories.auth(person)
    ticket = log_in(world, a_code(world.sandbox, "oPhone")).json["bind_ticket"]  # type: ignore[index]
    body = {"bind_ticket": ticket, "password": factories.PASSWORD}
    answers = [post(world, "/api/v1/wechat/bind", body, headers) for _ in range(2)]
    assert [answer.json for answer in answers] == [{"bound": True, "rebound": False}] * 2
    assert Binding.select().count() == 1


def test_binding_asks_for_the_password_and_a_wrong_one_binds_nothing(world: World) -> None:
    headers = factories.auth(factories.a_person())
    answer = bind(world, "oPhone", headers, password="Falsch-2026")
    assert answer.json is not None
    assert answer.status_code in (403, 422)
    assert answer.json["code"] == "password_wrong"
    assert Binding.select().count() == 0


def test_a_stolen_session_cannot_guess_the_password_here(world: World) -> None:
    headers = factories.auth(factories.a_person())
    codes = [bind(world, "oPhone", headers, password=f"Guess-{n:06d}").json["code"] for n in range(8)]  # type: ignore[index]
    assert codes[0] == "password_wrong"
    assert codes[-1] == "login_paused"


def test_l4_another_wechat_ends_the_old_sessions_and_the_owner_is_told(world: World) -> None:
    person = a_bound_person(world, "oOld")
    old = log_in(world, a_code(world.sandbox, "oOld")).json["token"]  # type: ignore[index]
    mine = factories.auth(person)
    assert bind(world, "oNew", mine, password="Falsch-2026").status_code in (403, 422)
    assert [row.kind for row in Notice.select()] == ["wechat_bound"]
    Notice.delete().execute()
    assert bind(world, "oNew", mine).json == {"bound": True, "rebound": True}
    client = world.app.test_client()
    old_answer = client.get("/api/v1/me", headers={"Authorization": f"Bearer {old}"})
    assert old_answer.status_code == 401
    assert [(row.person_id, row.kind, row.phone) for row in Notice.select()] == [
        (person.id, "wechat_rebound", person.phone)
    ]
    assert log_in(world, a_code(world.sandbox, "oOld")).json["bound"] is False  # type: ignore[index]
    assert log_in(world, a_code(world.sandbox, "oNew")).json["bound"] is True  # type: ignore[index]
    assert unbind(world, mine).status_code == 200


def test_a_wechat_of_another_person_is_not_taken_over(world: World) -> None:
    held = log_in(world, a_code(world.sandbox, "oPhone")).json["bind_ticket"]  # type: ignore[index]
    owner = a_bound_person(world, "oPhone")
    stranger = factories.a_person()
    body = {"bind_ticket": held, "password": factories.PASSWORD}
    answer = post(world, "/api/v1/wechat/bind", body, factories.auth(stranger))
    assert answer.json is not None
    assert (answer.status_code, answer.json["code"]) == (409, "wechat_bound_to_other")
    assert [row.person_id for row in Binding.select()] == [owner.id]


def test_unbinding_ends_what_the_wechat_had_opened_and_is_told(world: World) -> None:
    person = a_bound_person(world, "oPhone")
    phone = log_in(world, a_code(world.sandbox, "oPhone")).json["token"]  # type: ignore[index]
    mine = factories.auth(person)
    for _ in range(2):
        assert unbind(world, mine).json == {"bound": False, "rebound": False}
    assert sorted(row.kind for row in Notice.select()) == ["wechat_bound", "wechat_unbound"]
    answer = world.app.test_client().get("/api/v1/me", headers={"Authorization": f"Bearer {phone}"})
    assert answer.status_code == 401
    assert log_in(world, a_code(world.sandbox, "oPhone")).json["bound"] is False  # type: ignore[index]


def test_unbinding_asks_for_the_password(world: World) -> None:
    person = a_bound_person(world, "oPhone")
    mine = factories.auth(person)
    for body in ({}, {"password": "Falsch-2026"}):
        answer = post(world, "/api/v1/wechat/unbind", body, mine)
        assert answer.status_code == 422
    assert answer.json is not None
    assert answer.json["code"] == "password_wrong"
    assert log_in(world, a_code(world.sandbox, "oPhone")).json["bound"] is True  # type: ignore[index]


def reset_password(world: World, person: Person) -> None:
    """The owner forgot it, and sets `NEW_PASSWORD` by a code."""
    screens = Screens(world)
    screens.post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    body = {"programme": "yunnan", "id_number": person.id_number, "new_password": NEW_PASSWORD}
    assert screens.post("/password-reset", code=sms_code(person.id_number, "reset"), **body).status_code == 200


def change_password(world: World, person: Person) -> None:
    """The owner, signed in, sets `NEW_PASSWORD`."""
    screens = Screens(world, token=factories.a_session(person))
    answer = screens.post("/password", new_password=NEW_PASSWORD, old_password=factories.PASSWORD)
    assert answer.status_code == 200


@pytest.mark.parametrize("renew", [reset_password, change_password])
def test_a_wechat_bound_with_an_earlier_password_opens_nothing_until_the_new_one_confirms_it(
    world: World, renew: Callable[[World, Person], None]
) -> None:
    person = a_bound_person(world, "oPhone")
    renew(world, person)
    answer = log_in(world, a_code(world.sandbox, "oPhone")).json
    assert answer is not None
    assert (answer["bound"], answer.get("token")) == (False, None)
    screens = Screens(world)
    assert screens.login(person.id_number, NEW_PASSWORD).status_code == 200
    mine = {"Authorization": f"Bearer {screens.token}"}
    body = {"bind_ticket": answer["bind_ticket"], "password": factories.PASSWORD}
    assert post(world, "/api/v1/wechat/bind", body, mine).status_code == 422
    assert log_in(world, a_code(world.sandbox, "oPhone")).json["bound"] is False  # type: ignore[index]
    body["password"] = NEW_PASSWORD
    for _ in range(2):
        assert post(world, "/api/v1/wechat/bind", body, mine).json == {"bound": True, "rebound": False}
    assert log_in(world, a_code(world.sandbox, "oPhone")).json["bound"] is True  # type: ignore[index]


def test_after_a_reset_the_owner_binds_their_own_in_place_of_a_strangers(world: World) -> None:
    person = a_bound_person(world, "oStranger")
    reset_password(world, person)
    mine = factories.auth(person)
    assert bind(world, "oOwner", mine, NEW_PASSWORD).json == {"bound": True, "rebound": True}
    assert log_in(world, a_code(world.sandbox, "oOwner")).json["bound"] is True  # type: ignore[index]
    assert log_in(world, a_code(world.sandbox, "oStranger")).json["bound"] is False  # type: ignore[index]


def test_a_binding_that_was_on_its_way_while_the_password_was_reset_binds_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = factories.a_person()
    real = account.require_password

    def slow(person_id: str, password: str, *, now: datetime) -> Person:
        found = real(person_id, password, now=now)
        reset_password(world, person)
        return found

    monkeypatch.setattr(account, "require_password", slow)
    assert bind(world, "oStranger", factories.auth(person)).status_code == 409
    assert Binding.select().count() == 0


def test_a_ticket_of_another_purpose_or_time_binds_nothing(world: World) -> None:
    person = factories.a_person()
    token = factories.a_session(person)
    for ticket in (token, "x", "a.b", "名", "\ud800"):
        body = {"bind_ticket": ticket, "password": factories.PASSWORD}
        answer = post(world, "/api/v1/wechat/bind", body, {"Authorization": f"Bearer {token}"})
        assert answer.json is not None
        assert (answer.status_code, answer.json["code"]) == (409, "bind_ticket_over"), ticket


def test_a_session_that_is_not_full_binds_nothing(world: World) -> None:
    person = factories.a_person(activated=False)
    headers = factories.auth(person, activated=False)
    ticket = log_in(world, a_code(world.sandbox, "oPhone")).json["bind_ticket"]  # type: ignore[index]
    body = {"bind_ticket": ticket, "password": "12345678"}
    assert post(world, "/api/v1/wechat/bind", body, headers).status_code == 403
    assert post(world, "/api/v1/wechat/bind", body).status_code == 401


HOSTILE: list[object] = [
    None, [], {}, "text", 7, {"programme": 1, "code": 2}, {"programme": "yunnan"},
    {"programme": "yunnan", "code": ""},
    {"programme": "yunnan", "code": "x" * 5000}, {"programme": "yunnan", "code": "\ud800"},
    {"programme": "yunnan", "code": "a\nb"}, {"programme": "yunnan", "code": {"$ne": 1}},
    {"programme": "yunnan", "code": "x", "person_id": "y"}, {"bind_ticket": None, "password": None},
    {"bind_ticket": "x", "password": "\ud800" * 9}, {"bind_ticket": "x" * 70_000, "password": "y"},
]  # fmt: skip


@pytest.mark.parametrize("path", ["/api/v1/wechat/login", "/api/v1/wechat/bind", "/api/v1/wechat/unbind"])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_bodies_are_refused_in_words(world: World, path: str, body: object) -> None:
    answer = post(world, path, body, factories.auth(factories.a_person()))
    assert 400 <= answer.status_code < 500
    assert answer.content_type == "application/problem+json"
    assert answer.json is not None
    assert answer.json["code"]
    assert Binding.select().count() == 0
    assert LoginCode.select().count() == 0


def test_a_site_of_hundreds_behind_one_address_signs_in_and_a_crowd_without_end_does_not(world: World) -> None:
    now = utcnow()
    address = crypto.index("login_code.address", "10.4.0.1")
    rows = [
        {
            "id": new_id(),
            "code_index": f"{number:032d}",
            "programme": "yunnan",
            "appid": "wx",
            "address_index": address,
            "created_at": now,
        }
        for number in range(service.CODES_A_MINUTE - 1)
    ]
    assert len(rows) > 500
    LoginCode.insert_many(rows).execute()
    assert service.claim_code("yunnan", "wx", "the last of this minute", "10.4.0.1", now=now)
    with pytest.raises(Problem) as refused:
        service.claim_code("yunnan", "wx", "one more", "10.4.0.1", now=now)
    assert refused.value.code == "too_many_requests"
    assert service.claim_code("yunnan", "wx", "from elsewhere", "10.4.0.2", now=now)
    assert service.claim_code("yunnan", "wx", "later", "10.4.0.1", now=now + timedelta(minutes=1))
