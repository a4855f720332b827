"""Faults of getting in, as functions: each gives the number of violations; its twin says whether the experiment fails
once the guard is off, as it must."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Barrier
from unittest import mock

from app.account import limits
from app.account import service as account_service
from app.account.models import Person, Session, VerificationCode
from app.account.people import id_number_index
from app.core.ids import new_id
from app.wechat import providers, service
from app.wechat.providers.protocol import WeChat
from tests.account.screens import Clock, Screens, sms_code
from tests.factories import PASSWORD, a_person
from tests.wechat.phones import a_bound_person, a_code, log_in
from tests.world import World

PHONES = 50


class Forgetful:
    """WeChat as it must not be relied on: it takes a used code again and again."""

    def __init__(self, world: World, real: WeChat):
        self._world, self._real = world, real
        self.asked = 0

    @property
    def appid(self) -> str:
        return self._real.appid

    def openid_of(self, code: str) -> str:
        """The real answer of the real client, for a code that is good once more."""
        self.asked += 1
        store, openid = self._world.sandbox.box.store, code[1:-16]
        again = self._world.sandbox.box.clock.now() + 300
        with store.changing():
            store.put("wechat", "login_code", code, {"openid": openid, "appid": self.appid, "until": again})
        return self._real.openid_of(code)


@contextmanager
def _forgetful(world: World) -> Iterator[Forgetful]:
    real = providers.for_authority("yunnan.wechat")
    broken = Forgetful(world, real)
    with mock.patch.dict(providers._clients, {"yunnan.wechat": broken}):
        yield broken


def l2(world: World, tries: int) -> int:
    """A WeChat code brought 50 times at once, and once more afterwards: one session, and WeChat is asked once."""
    openid = f"o{new_id()}"
    person = a_bound_person(world, openid)
    violations = 0
    for number in range(tries):
        Session.delete().where(Session.person_id == person.id).execute()
        code, address = a_code(world.sandbox, openid), f"10.{number // 60000}.{number // 250 % 240}.{number % 250}"
        barrier = Barrier(PHONES)

        def bring(code: str = code, address: str = address, barrier: Barrier = barrier) -> int:
            barrier.wait()
            return log_in(world, code, address).status_code

        with _forgetful(world) as wechat:
            with ThreadPoolExecutor(PHONES) as pool:
                statuses = [future.result() for future in [pool.submit(bring) for _ in range(PHONES)]]
            statuses.append(log_in(world, code, address).status_code)
        sessions = Session.select().where(Session.person_id == person.id).count()
        violations += sessions != 1 or wechat.asked != 1 or sorted(set(statuses)) != [200, 409]
    return violations


def l2_twin(world: World) -> bool:
    """Without the row that claims a code."""
    real = service.claim_code

    def unguarded(programme: str, appid: str, code: str, address: str, **more: object) -> str | None:
        return real(programme, appid, code + new_id(), address, **more)  # type: ignore[arg-type]

    with mock.patch.object(service, "claim_code", unguarded):
        return l2(world, 1) > 0


# --- guessing ----------------------------------------------------------------------------------------------------


def use_up_the_codes(world: World, person: Person, clock: Clock) -> None:
    """Strangers ask for codes for hours, each from an address of their own, as often as they please."""
    for number in range(20):
        path = ("/login/code", "/password-reset/code")[number % 2]
        stranger = Screens(world, f"10.77.{number}.1")
        stranger.post(path, programme="yunnan", id_number=person.id_number)
        clock.wait(minutes=10)


def l1(world: World, tries: int) -> int:
    """Guesses at one account, each from an address of its own, the right password among them (at least 30 tries): no
    hit. The owner gets in all the same: from an address of theirs, and anywhere with a code to the phone. Then
    strangers use up the phone's codes: from an address of theirs the owner still gets one, and a new password."""
    clock = Clock()
    with mock.patch("app.core.access.utcnow", clock.now):
        return _l1(world, tries, clock)


def _l1(world: World, tries: int, clock: Clock) -> int:
    person = a_person()
    home = Screens(world, "192.0.2.1")
    violations = int(home.login(person.id_number).status_code != 200)
    for number in range(tries):
        guess = PASSWORD if number == tries // 2 else f"Guess-{number:06d}"
        stranger = Screens(world, f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}")
        violations += stranger.login(person.id_number, guess).status_code not in (401, 403, 429)
    violations += home.login(person.id_number).status_code != 200
    away = Screens(world, "198.51.100.7")
    away.post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    body = {"programme": "yunnan", "id_number": person.id_number, "new_password": "Neues-Wort-27"}
    violations += away.post("/password-reset", code=sms_code(person.id_number, "reset"), **body).status_code != 200
    violations += away.login(person.id_number, "Neues-Wort-27").status_code != 200
    use_up_the_codes(world, person, clock)
    home.post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    body["new_password"] = "Noch-Eines-28"
    code = newest_code(person.id_number, "reset", clock.now())
    violations += code is None or home.post("/password-reset", code=code, **body).status_code != 200
    violations += home.login(person.id_number, "Noch-Eines-28").status_code != 200
    return violations


def newest_code(id_number: str, purpose: str, now: datetime) -> str | None:
    """The newest code that the phone was sent for this, if it is still good."""
    index = id_number_index(id_number)
    rows = VerificationCode.select().where(
        VerificationCode.subject_index == index,
        VerificationCode.purpose == purpose,
        VerificationCode.person_id.is_null(False),
        VerificationCode.expires_at > now,
    )
    row = rows.order_by(VerificationCode.created_at.desc()).first()
    message = account_service.code_message(row.id) if row else None
    return message.params[0] if message else None


def l1_codes_twin(world: World) -> bool:
    """Without the reserve of a phone for who is known."""

    def nobody_is_known(account: str, address: str, *, now: datetime) -> bool:
        return False

    with mock.patch.object(limits, "knows", nobody_is_known):
        return l1(world, 30) > 0


def l1_twin(world: World) -> bool:
    """Counting by address alone."""

    def unguarded(key: str, now: datetime) -> bool:
        return True

    with mock.patch.object(limits, "_count_account", unguarded):
        return l1(world, 30) > 0
