from __future__ import annotations

from datetime import timedelta

import pytest

from app.account import service
from app.account.models import Session
from app.core import tokens
from app.core.clock import utcnow
from app.core.db import database
from app.core.errors import Problem
from tests.account.screens import Screens
from tests.factories import a_person, a_session, password_hash
from tests.world import World


def test_a_token_names_its_person_until_it_is_over(world: World) -> None:
    person, now = a_person(), utcnow()
    token = a_session(person, now=now)
    who = service.authenticate(token, now=now)
    assert who is not None
    assert (who.person_id, who.activated) == (person.id, True)
    assert service.authenticate(token, now=now + timedelta(hours=25)) is None
    phone = a_session(person, channel="mini_program", now=now)
    assert service.authenticate(phone, now=now + timedelta(days=29)) is not None
    service.end_session(who.session_id, now=now)
    assert service.authenticate(token, now=now) is None
    assert service.authenticate(phone, now=now) is not None


def test_a_forged_token_never_reaches_the_database(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    token = a_session(a_person(), now=now)
    foreign = tokens.sign("play", "x", expires=now + timedelta(days=1))
    monkeypatch.setattr(database.obj, "execute_sql", lambda *_args: pytest.fail("asked the database"))
    for bad in (token[:-2] + "AA", "", "x", "名.名", f"{token}.x", foreign):
        assert service.authenticate(bad, now=now) is None


def test_authentication_is_one_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    now = utcnow()
    token = a_session(a_person(), now=now)
    asked = []
    real = database.obj.execute_sql

    def count(*args: object) -> object:
        asked.append(args)
        return real(*args)

    monkeypatch.setattr(database.obj, "execute_sql", count)
    assert service.authenticate(token, now=now) is not None
    assert len(asked) == 1


def test_a_session_becomes_full_by_proof_own_password_and_agreement_in_any_order(world: World) -> None:
    now = utcnow()
    person = a_person(activated=False)
    waiting, proved = a_session(person, activated=False, now=now), a_session(person, activated=True, now=now)

    def full(token: str) -> bool:
        who = service.authenticate(token, now=now)
        assert who is not None
        return who.activated

    assert not full(proved)
    person.password_hash = password_hash()
    person.save()
    assert not full(proved)
    service.give_consent(person.id, "face", "1", now=now)
    assert not full(proved)
    service.give_consent(person.id, "agreement", "1", now=now)
    assert full(proved)
    assert not full(waiting)


def test_sessions_end_by_channel_and_but_one(world: World) -> None:
    now, person = utcnow(), a_person()
    tokens_ = [a_session(person, channel=channel, now=now) for channel in ("web", "mini_program", "mini_program")]
    other = a_session(a_person(), channel="mini_program", now=now)
    kept = service.authenticate(tokens_[1], now=now)
    assert kept is not None
    assert service.end_sessions(person.id, now=now, keep=kept.session_id, channel="mini_program") == 1
    alive = [service.authenticate(token, now=now) is not None for token in [*tokens_, other]]
    assert alive == [True, True, False, True]
    assert service.end_sessions(person.id, now=now) == 2


def test_logging_out_ends_this_session_at_once(world: World, screens: Screens) -> None:
    person = a_person()
    screens.token = a_session(person)
    assert screens.call("POST", "/logout").status_code == 204
    assert screens.call("GET", "/me").status_code == 401
    assert screens.call("POST", "/logout").status_code == 401


def test_a_session_of_nobody_is_not_opened(world: World) -> None:
    with pytest.raises(Problem):
        service.open_session("nobody", "yunnan", "web", activated=True, now=utcnow())
    assert Session.select().count() == 0
