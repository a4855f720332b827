"""Faults of getting in, as functions: each gives the number of violations; its twin says whether the experiment fails
once the guard is off, as it must."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from threading import Barrier
from typing import Any
from unittest import mock

from app.account import activation, limits, login, passwords, sessions
from app.account import service as account_service
from app.account.models import Person, Session, VerificationCode
from app.account.people import id_number_index
from app.core import passwords as hashing
from app.core import tokens
from app.core.db import database
from app.core.ids import new_id
from app.face import queries as faces
from app.face.models import FaceCheck
from app.policy.schema import Programme
from app.wechat import providers, service
from app.wechat.providers.protocol import WeChat
from tests import matrix
from tests.account.screens import FIRST, Clock, Screens, sms_code
from tests.factories import PASSWORD, a_person, a_roster_entry, an_id_number
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


# --- fixation ----------------------------------------------------------------------------------------------------


def l3(world: World, tries: int) -> int:
    """A stranger who knows a first password opens a session, and has the owner go on in it (the token was planted).
    The owner proves who they are: the token that they get is another one, and the planted one opens nothing more."""
    violations = 0
    for number in range(tries):
        person = a_person(activated=False)
        planted = Screens(world, f"10.3.{number >> 8 & 255}.{number & 255}")
        planted.login(person.id_number, FIRST)
        owner = Screens(world, planted.address, planted.token)
        owner.post("/activation/code")
        answer = owner.post("/activation", code=sms_code(person.id_number, "activation"))
        owner.token = answer.get_json()["token"]
        owner.post("/password", new_password=PASSWORD)
        for kind in ("agreement", "face"):
            owner.post("/consents", kind=kind, version="1", agreed=True)
        violations += owner.call("GET", "/home").status_code != 200
        violations += owner.token == planted.token
        violations += planted.call("GET", "/home").status_code != 401
        again = Screens(world, planted.address, owner.token)
        again.login(person.id_number)  # and so at each sign-in: whatever token came with it
        violations += again.token == owner.token
    return violations


def l3_twin(world: World) -> bool:
    """The session that asked is made a full one, instead of a new one."""

    def in_place(person_id: str, _programme: str, _channel: str, *, proved: bool, **_more: object) -> login.SignedIn:
        session = Session.select().where(Session.person_id == person_id).order_by(Session.id.desc()).get()
        Session.update(proved=proved, ended_at=None).where(Session.id == session.id).execute()
        token = tokens.sign(sessions.PURPOSE, session.id, expires=session.expires_at)
        return login.SignedIn(token, "password", full=False, must_change_password=True)

    with mock.patch.object(activation, "sign_in", in_place):
        return l3(world, 1) > 0


# --- who is known ------------------------------------------------------------------------------------------------


def work_of(world: World, id_number: str, address: str) -> tuple[list[tuple[int, str]], int, list[str]]:
    """What a wrong password at `id_number` answers, how many passwords are verified for it, and which sorts of
    statements are run: counted, not timed."""
    verified: list[int] = []
    told: list[str] = []
    hasher, execute = hashing._hasher, database.obj.execute_sql

    class Counting:
        def verify(self, stored: str, password: str) -> bool:
            verified.append(1)
            return hasher.verify(stored, password)

        def hash(self, password: str) -> str:
            return hasher.hash(password)

    def listen(sql: str, *values: Any) -> Any:
        words = sql.split()
        told.append(words[0] if words[0] in ("SAVEPOINT", "RELEASE", "ROLLBACK") else " ".join(words[:3]))
        return execute(sql, *values)

    here = Screens(world, address)
    with mock.patch.object(hashing, "_hasher", Counting()), mock.patch.object(database.obj, "execute_sql", listen):
        answers = [here.login(id_number, "Falsch-2026") for _ in range(7)]  # the last are paused
    bodies = [answer.get_json() | {"request_id": "", "retry_after": ""} for answer in answers]
    return [(a.status_code, str(b)) for a, b in zip(answers, bodies, strict=True)], len(verified), told


def l5(world: World, tries: int) -> int:
    """Somebody who has signed in, somebody with a first password, somebody of another programme, and nobody: the same
    answers for the same work."""
    hashing._nobodys()  # made once a process
    violations = 0
    for number in range(tries):
        other = a_person()
        a_roster_entry(other, programme="yunnan-legacy")
        people = (a_person().id_number, a_person(activated=False).id_number, other.id_number, an_id_number())
        seen = [work_of(world, each, f"10.5.{number % 250}.{place}") for place, each in enumerate(people)]
        violations += any(each != seen[0] for each in seen) or seen[0][1] == 0
    return violations


def l5_twin(world: World) -> bool:
    """No password is verified where there is nobody."""
    real = passwords.matches

    def quick(programmes: Sequence[Programme], person: Person | None, password: str) -> bool:
        return person is not None and real(programmes, person, password)

    with mock.patch.object(passwords, "matches", quick):
        return l5(world, 1) > 0


# --- what is another's -------------------------------------------------------------------------------------------


def l7(world: World, tries: int) -> int:
    """Every route, every caller: what is refused, leaked or changed, against the table."""
    violations = 0
    for _ in range(tries):
        found = matrix.walk(world)
        for text in found.wrong:
            print(f"  {text}", flush=True)
        written = matrix.TABLE.read_text(encoding="utf-8").splitlines()
        violations += len(found.wrong) + (matrix.text_of(found).splitlines() != written)
    return violations


def l7_twin(world: World) -> bool:
    """Nobody looks whose face check it is."""

    def anybodys(check_id: str, _person_id: str) -> FaceCheck:
        check: FaceCheck = FaceCheck.get_by_id(check_id)
        return check

    with mock.patch.object(faces, "own_check", anybodys):
        return len(matrix.walk(world).wrong) > 0
