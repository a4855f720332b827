from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from app.account import codes, service
from app.account.models import Consent, Person, Session
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from tests.account.screens import FIRST, Clock, Screens, another, problem_of, sms_code
from tests.factories import PASSWORD, a_person, a_session
from tests.world import World


def start(screens: Screens, person: Person) -> str:
    """Signed in with the first password, a code on the way; gives it."""
    screens.login(person.id_number, FIRST)
    answer = screens.call("POST", "/activation/code")
    assert answer.status_code == 200
    return sms_code(person.id_number, "activation")


def test_the_whole_way_in(screens: Screens) -> None:
    person = a_person(activated=False, phone="13812345678")
    screens.login(person.id_number, FIRST, "mini_program")
    sent = screens.call("POST", "/activation/code").get_json()
    assert (sent["phone"], sent["expires_in"], sent["wait_seconds"]) == ("138****5678", 300, 60)
    answer = screens.post("/activation", code=sms_code(person.id_number, "activation")).get_json()
    assert (answer["next"], answer["activated"], answer["must_change_password"]) == ("password", False, True)
    screens.token = answer["token"]
    unfinished = screens.post("/wechat/unbind", password=FIRST)
    assert problem_of(unfinished) == (403, "sign_in_unfinished")
    assert screens.post("/password", new_password="Gongdi-2026").get_json() == {"next": "consent"}
    assert screens.post("/consents", kind="agreement", version="1", agreed=True).get_json() == {"next": "home"}
    me = screens.me()
    assert (me["activated"], me["next"], me["channel"]) == (True, "home", "mini_program")
    assert me["consents"] == {"agreement": True, "face": False}
    actions = {row.action for row in AuditEntry.select()}
    assert actions >= {"login.succeeded", "person.activated", "password.set", "consent.given"}


def test_l3_the_activation_makes_a_new_token_and_the_old_one_ends(screens: Screens) -> None:
    person = a_person(activated=False)
    code = start(screens, person)
    old = screens.token
    new = screens.post("/activation", code=code).get_json()["token"]
    assert new != old
    assert service.authenticate(old, now=utcnow()) is None
    assert service.authenticate(new, now=utcnow()) is not None


def test_a_lost_answer_is_repeated_with_the_same_code_and_nothing_else(screens: Screens) -> None:
    person = a_person(activated=False)
    code = start(screens, person)
    first = screens.post("/activation", code=code).get_json()
    assert problem_of(screens.post("/activation", code=another(code))) == (422, "code_wrong")
    again = screens.post("/activation", code=code).get_json()
    assert again == first
    assert Session.select().where(Session.proved).count() == 1
    for path in ("/activation/code", "/logout", "/consents"):
        assert screens.post(path).status_code == 401, "the old token is good for nothing else"
    assert AuditEntry.select().where(AuditEntry.action == "activation.by_code").count() == 1
    service.end_sessions(person.id, now=utcnow())
    assert problem_of(screens.post("/activation", code=code)) == (401, "sign_in_first")


def test_a_used_code_is_not_guessed_without_end(screens: Screens) -> None:
    code = start(screens, a_person(activated=False))
    screens.post("/activation", code=code)
    for _ in range(codes.TRIES + codes.REPEATS):
        screens.post("/activation", code=another(code))
    assert problem_of(screens.post("/activation", code=code)) == (422, "code_wrong")


def test_who_logs_out_instead_cannot_come_back_by_the_code(screens: Screens) -> None:
    code = start(screens, a_person(activated=False))
    assert screens.call("POST", "/logout").status_code == 204
    assert screens.post("/activation", code=code).status_code == 401


def test_sent_twice_at_one_moment_it_is_one_session(world: World, screens: Screens) -> None:
    person = a_person(activated=False)
    code = start(screens, person)
    barrier = Barrier(8)

    def send(_: int) -> dict[str, str]:
        barrier.wait()
        answer: dict[str, str] = Screens(world, token=screens.token).post("/activation", code=code).get_json()
        return answer

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(8)))
    assert len({answer.get("token") for answer in answers if "token" in answer}) == 1
    assert Session.select().where(Session.proved).count() == 1
    assert {answer["code"] for answer in answers if "token" not in answer} <= {"code_wrong"}, "of five tries"


def test_a_wrong_code_opens_nothing(screens: Screens) -> None:
    person = a_person(activated=False)
    code = start(screens, person)
    assert problem_of(screens.post("/activation", code=another(code))) == (422, "code_wrong")
    assert Person.get_by_id(person.id).activated_at is None
    assert screens.post("/activation", code=code).status_code == 200


def test_no_phone_can_be_typed_in(screens: Screens) -> None:
    person = a_person(activated=False)
    screens.login(person.id_number, FIRST)
    answer = screens.post("/activation/code", phone="13900000000")
    assert answer.status_code == 200  # the body is not looked at
    assert answer.get_json()["phone"] == f"{person.phone[:3]}****{person.phone[-4:]}"
    assert Person.get_by_id(person.id).phone == person.phone


def test_without_a_phone_on_record_the_face_is_the_way(screens: Screens) -> None:
    person = a_person(activated=False, phone=None, phone_origin=None)
    screens.login(person.id_number, FIRST)
    assert screens.me()["activation_methods"] == ["face"]
    answer = screens.call("POST", "/activation/code")
    assert problem_of(answer) == (409, "no_phone_on_record")
    assert answer.get_json()["phone"] == "0871-63122229"


def test_who_is_active_is_told_so(screens: Screens) -> None:
    person = a_person()
    screens.login(person.id_number)
    assert problem_of(screens.call("POST", "/activation/code")) == (409, "already_activated")
    assert problem_of(screens.post("/activation", code="123456")) == (409, "already_activated")


def test_the_activating_session_is_short(screens: Screens, clock: Clock) -> None:
    person = a_person(activated=False)
    code = start(screens, person)
    clock.wait(minutes=31)
    assert screens.post("/activation", code=code).status_code == 401


def test_what_a_stranger_ticked_does_not_count(world: World, screens: Screens) -> None:
    person = a_person(activated=False)
    stranger = Screens(world, "10.9.0.1")
    stranger.login(person.id_number, FIRST)
    for kind in ("agreement", "face"):
        assert stranger.post("/consents", kind=kind, version="1", agreed=True).get_json() == {"next": "activate"}
    code = start(screens, person)
    screens.token = screens.post("/activation", code=code).get_json()["token"]
    assert screens.me()["consents"] == {"agreement": False, "face": False}
    assert stranger.call("GET", "/me").get_json()["next"] == "activate"


def test_what_the_owner_ticked_before_counts(screens: Screens) -> None:
    person = a_person(activated=False)
    code = start(screens, person)
    screens.post("/consents", kind="agreement", version="1", agreed=True)
    screens.token = screens.post("/activation", code=code).get_json()["token"]
    assert screens.post("/password", new_password="Gongdi-2026").get_json() == {"next": "home"}


def test_activating_twice_is_once(world: World) -> None:
    person = a_person(activated=False)
    assert service.activate(person.id, "face:1", now=utcnow())
    first = Person.get_by_id(person.id).activated_at
    assert not service.activate(person.id, "face:2", now=utcnow() + timedelta(hours=1))
    assert Person.get_by_id(person.id).activated_at == first
    assert [row.data for row in AuditEntry.select().where(AuditEntry.action == "person.activated")] == [
        '{"evidence": "face:1"}'
    ]


# --- consent ---


def test_consents_are_given_apart_and_once(screens: Screens) -> None:
    person = a_person(activated=False)
    screens.token = a_session(person, activated=False)
    for _ in range(2):
        assert screens.post("/consents", kind="face", version="1", agreed=True).status_code == 200
    assert [(row.kind, row.version) for row in Consent.select()] == [("face", "1")]
    service.require_consent(person.id, "face")
    with pytest.raises(Problem) as caught:
        service.require_consent(person.id, "agreement")
    assert (caught.value.code, caught.value.extra) == ("consent_needed", {"consent": "agreement"})


def test_an_old_text_cannot_be_agreed_to_and_a_new_one_is_asked_for(
    screens: Screens, monkeypatch: pytest.MonkeyPatch
) -> None:
    screens.token = a_session(a_person())
    monkeypatch.setitem(service.CONSENT_VERSIONS, "agreement", "2")
    me = screens.me()
    assert (me["next"], me["consent_versions"]["agreement"]) == ("consent", "2")
    phone = {"phone": "13911112222", "password": PASSWORD}
    assert problem_of(screens.post("/phone/code", **phone)) == (403, "sign_in_unfinished")
    assert problem_of(screens.post("/consents", kind="agreement", version="1", agreed=True)) == (
        409,
        "consent_outdated",
    )
    assert screens.post("/consents", kind="agreement", version="2", agreed=True).get_json() == {"next": "home"}
    assert screens.post("/phone/code", **phone).status_code == 200


@pytest.mark.parametrize("agreed", [False, None, "true", 0, "on"])
def test_only_a_plain_yes_is_a_yes(screens: Screens, agreed: object) -> None:
    screens.token = a_session(a_person(activated=False), activated=False)
    assert screens.post("/consents", kind="face", version="1", agreed=agreed).status_code == 422
    assert Consent.select().count() == 0
