"""Subscribe messages: one leave, one message, once; what does not arrive for certain goes by SMS."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from unittest import mock

import pytest
from werkzeug.test import TestResponse

from app.account.models import Person
from app.core import db, outbox
from app.core.clock import utcnow
from app.notify.kinds import KINDS
from app.notify.models import Sms
from app.notify.service import tell
from app.policy import load
from app.wechat import messages, service
from app.wechat.models import Binding, MessageLeave
from app.wechat.providers import client
from tests import factories
from tests.wechat.phones import a_bound_person, bind
from tests.world import World

TEMPLATE_ID = "sandbox-exam-passed"
NOON = utcnow().replace(hour=4, minute=0)  # in Shanghai: at night nobody is woken, by WeChat neither


@pytest.fixture(autouse=True)
def short_timeouts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "TIMEOUT", (0.5, 0.5))


@pytest.fixture
def person(world: World) -> Person:
    """Somebody whose WeChat is "oPhone"."""
    for kind in ("message", "grant"):
        world.sandbox.box.store.clear("wechat", kind)
    world.sandbox.box.store.put("wechat", "user", "oPhone", {"at": 0})
    return a_bound_person(world, "oPhone")


def allow(world: World, person: Person, request_id: str = "question-1", *accepted: str) -> TestResponse:
    """The phone reports what the person allowed (by default: to be told that the exam is passed)."""
    body = {"request_id": request_id, "accepted": list(accepted) or ["exam_passed"]}
    headers = factories.auth(person)
    return world.app.test_client().post("/api/v1/wechat/subscriptions", json=body, headers=headers)


def grant(world: World, times: int = 1, openid: str = "oPhone") -> None:
    """WeChat knows of as many leaves."""
    world.sandbox.box.store.put("wechat", "grant", f"{openid}/{TEMPLATE_ID}", {"times": times})


def sent(world: World) -> list[dict[str, Any]]:
    """What WeChat delivered."""
    return [message for _, message in world.sandbox.box.store.all("wechat", "message", 100)]


def standing(answer: TestResponse) -> int:
    return next(item["standing"] for item in answer.get_json()["items"] if item["template"] == "exam_passed")


def say(person: Person, key: str = "exam:1") -> None:
    tell(person_id=person.id, programme="yunnan", template="exam_passed", params=["塔机司机"], key=key, now=NOON)


def work() -> None:
    """The jobs' work: what waits is sent, events are delivered."""
    service.send_taken(now=NOON)
    outbox.sweep(now=NOON)


def sms() -> list[tuple[str, str]]:
    return [(row.template, row.key) for row in Sms.select().where(Sms.template == "exam_passed")]


# --- leave -------------------------------------------------------------------------------------------------------


def test_the_phone_learns_what_it_may_ask_for(world: World, person: Person) -> None:
    answer = world.app.test_client().get("/api/v1/wechat/subscriptions", headers=factories.auth(person))
    items = {item["template"]: item for item in answer.get_json()["items"]}
    assert items["exam_passed"] == {"template": "exam_passed", "template_id": TEMPLATE_ID, "standing": 0}
    assert "payment_succeeded" not in items  # "none" in the programme's file


def test_an_answer_counts_once_however_often_it_is_reported(world: World, person: Person) -> None:
    assert [standing(allow(world, person)) for _ in range(3)] == [1, 1, 1]
    assert standing(allow(world, person, "question-2")) == 2
    assert standing(allow(world, person, "question-3", "hours_passed", "nonsense")) == 2


def test_nobody_saves_up_more_than_ten(world: World, person: Person) -> None:
    assert [standing(allow(world, person, f"question-{n}")) for n in range(12)][-1] == 10


def test_without_a_binding_there_is_nothing_to_allow(world: World) -> None:
    answer = allow(world, factories.a_person())
    assert (answer.status_code, answer.get_json()["code"]) == (409, "wechat_not_bound")


# --- sending -----------------------------------------------------------------------------------------------------


def test_who_allowed_it_is_told_by_wechat_and_not_by_sms(world: World, person: Person) -> None:
    allow(world, person)
    grant(world)
    for _ in range(2):
        say(person)
        work()
    (message,) = sent(world)
    assert (message["openid"], message["template_id"]) == ("oPhone", TEMPLATE_ID)
    assert message["data"] == {"thing1": {"value": "塔机司机"}}
    assert sms() == []
    (leave,) = MessageLeave.select()
    assert (leave.status, leave.params_sealed) == ("sent", None)


def test_who_did_not_is_told_by_sms(world: World, person: Person) -> None:
    say(person)
    work()
    assert (sent(world), sms()) == ([], [("exam_passed", "exam:1")])


def test_one_leave_is_one_message_and_the_next_goes_by_sms(world: World, person: Person) -> None:
    allow(world, person)
    grant(world)
    say(person, "exam:1")
    say(person, "exam:2")
    work()
    assert (len(sent(world)), sms()) == (1, [("exam_passed", "exam:2")])


def test_where_wechat_knows_of_no_leave_an_sms_goes_and_the_other_leaves_end(world: World, person: Person) -> None:
    allow(world, person, "question-1")
    allow(world, person, "question-2")
    say(person)
    work()
    work()
    assert (sent(world), sms()) == ([], [("exam_passed", "exam:1")])
    assert sorted(row.status for row in MessageLeave.select()) == ["refused", "void"]
    assert [row.params_sealed for row in MessageLeave.select()] == [None, None]


@pytest.mark.parametrize(
    ("kind", "value"), [("error", 502), ("garbage", None), ("reset_after", None), ("reset", None)]
)
def test_a_lost_answer_is_unknown_never_sent_again_and_an_sms_goes_once(
    world: World, person: Person, kind: str, value: object
) -> None:
    allow(world, person)
    grant(world, times=5)
    world.sandbox.box.knobs.add("wechat", "subscribe", kind, value)
    say(person)
    for _ in range(3):
        work()
    assert MessageLeave.get().status == "unknown"
    assert world.sandbox.box.journal.count("wechat", "subscribe") <= 1
    assert sms() == [("exam_passed", "exam:1")]


def test_a_worker_that_died_while_sending_leaves_it_unknown(world: World, person: Person) -> None:
    allow(world, person)
    say(person)
    MessageLeave.update(status="sending", began_at=NOON - timedelta(seconds=61)).execute()
    work()
    assert MessageLeave.get().status == "unknown"
    assert sms() == [("exam_passed", "exam:1")]


def test_many_workers_at_once_send_it_once(world: World, person: Person) -> None:
    assert at_once(world, person) == 1


def test_without_compare_and_set_they_send_it_again_and_again(
    world: World, person: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unguarded(model: Any, row_id: str, where: object, values: dict[str, object]) -> bool:
        return bool(model.update(values).where(model.id == row_id).execute())

    monkeypatch.setattr(messages, "compare_and_set", unguarded)
    assert at_once(world, person) > 1


def at_once(world: World, person: Person) -> int:
    """Eight workers have the same message; how many the person gets."""
    allow(world, person)
    grant(world, times=20)
    say(person)
    leave = MessageLeave.get()
    barrier = Barrier(8)
    seen = service.send_message.__globals__["_templates"]

    def all_look_first(*args: Any) -> Any:
        barrier.wait(10)
        return seen(*args)

    def send(_: int) -> None:
        with db.connection():
            service.send_message(leave.id, now=NOON)

    with mock.patch.object(messages, "_templates", all_look_first), ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    return len(sent(world))


def test_of_many_messages_at_once_each_leave_is_taken_by_one(world: World, person: Person) -> None:
    for number in range(2):
        allow(world, person, f"question-{number}")
    grant(world, times=20)
    barrier = Barrier(6)

    def run(number: int) -> None:
        with db.connection():
            barrier.wait()
            db.unit(lambda: say(person, f"exam:{number}"))

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    work()
    assert len(sent(world)) + len(sms()) == 6
    assert 1 <= len(sent(world)) <= 2


def test_the_same_message_told_by_many_at_once_is_one(world: World, person: Person) -> None:
    for number in range(4):
        allow(world, person, f"question-{number}")
    grant(world, times=20)
    barrier = Barrier(4)

    def run(_: int) -> None:
        with db.connection():
            barrier.wait()
            db.unit(lambda: say(person))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    work()
    assert (len(sent(world)), sms()) == (1, [])


def test_after_another_wechat_was_bound_the_old_leave_counts_for_nothing(world: World, person: Person) -> None:
    allow(world, person)
    grant(world)
    say(person, "exam:1")
    allow(world, person, "question-2")
    assert bind(world, "oNew", factories.auth(person)).get_json()["rebound"] is True
    answer = world.app.test_client().get("/api/v1/wechat/subscriptions", headers=factories.auth(person))
    assert standing(answer) == 0
    say(person, "exam:2")
    work()
    work()
    assert sent(world) == []
    assert sorted(sms()) == [("exam_passed", "exam:1"), ("exam_passed", "exam:2")]


def test_a_binding_made_with_an_earlier_password_gets_no_message(world: World, person: Person) -> None:
    allow(world, person)
    grant(world)
    Person.update(password_set_at=utcnow()).where(Person.id == person.id).execute()
    Binding.update(bound_at=utcnow() - timedelta(hours=1)).execute()
    say(person)
    work()
    assert (sent(world), sms()) == ([], [("exam_passed", "exam:1")])


def test_what_is_rolled_back_takes_no_leave(world: World, person: Person) -> None:
    allow(world, person)

    def fails() -> None:
        with db.transaction():
            say(person)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert MessageLeave.get().status == "standing"
    assert (sent(world), sms()) == ([], [])


def test_a_template_that_does_not_fit_takes_no_leave(world: World, person: Person) -> None:
    allow(world, person)
    with db.transaction():
        assert (
            messages.take(person.id, "yunnan", "exam_passed", ["one", "two"], "exam:9", urgent=True, now=NOON) is None
        )
    assert MessageLeave.get().status == "standing"


def test_every_template_fits_its_message(world: World) -> None:
    for programme in load.all_programmes():
        templates = programme.authority.wechat_templates
        for name in templates.__struct_fields__:
            template = getattr(templates, name)
            assert template is None or len(template.fields) == len(KINDS[name].says), (programme.key, name)


def test_used_leaves_are_forgotten_after_ninety_days(world: World, person: Person) -> None:
    allow(world, person)
    grant(world)
    say(person)
    work()
    service.forget(now=utcnow() + timedelta(days=89))
    assert MessageLeave.select().count() == 1
    service.forget(now=utcnow() + timedelta(days=91))
    assert MessageLeave.select().count() == 0


@pytest.mark.parametrize(("urgent", "rings"), [(False, 0), (True, 1)])
def test_what_was_taken_by_day_and_can_wait_does_not_ring_at_night(
    world: World, person: Person, urgent: bool, rings: int
) -> None:
    grant(world)
    allow(world, person)
    evening = NOON.replace(hour=12, minute=59)  # 20:59 in Shanghai, and the worker is away until two in the morning
    night = NOON.replace(hour=18)
    morning = NOON.replace(minute=0, second=0, microsecond=0) + timedelta(hours=20)
    with db.transaction():
        leave_id = messages.take(
            person.id, "yunnan", "exam_passed", ["塔机司机"], "exam:1", urgent=urgent, now=evening
        )
    assert leave_id is not None
    for moment in (night, night + timedelta(minutes=1)):
        service.send_taken(now=moment)
    assert len(sent(world)) == rings
    if not urgent:
        assert MessageLeave.get_by_id(leave_id).send_at == morning
        service.send_taken(now=morning)
        assert len(sent(world)) == 1
