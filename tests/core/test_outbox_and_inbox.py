"""Effects and callbacks: exactly once, whatever is lost or killed in between."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Barrier, Thread

import pytest
from rq.timeouts import JobTimeoutException

from app.cases import service as cases
from app.core import db, inbox, outbox
from app.core import redis as redis_clients
from app.core.audit import AuditEntry
from app.core.audit import record as audit
from app.core.clock import utcnow
from app.core.inbox import InboxMessage
from app.core.outbox import OutboxMessage
from ops import manage
from tests.world import World

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.fixture
def effect(world: World, monkeypatch: pytest.MonkeyPatch) -> str:
    """An event 'test.happened' whose effect is a row of the audit log."""
    monkeypatch.setattr(outbox, "_subscribers", {})
    outbox.subscribe("test.happened", "audit", lambda payload, now: audit("system", "effect", payload["id"], now=now))
    return "test.happened"


def emit(event: str, key: str = "k") -> str:
    with db.transaction():
        outbox.emit(event, key, {"id": key}, now=NOW)
    return OutboxMessage.get(OutboxMessage.key == key).id


def effects() -> int:
    return AuditEntry.select().where(AuditEntry.action == "effect").count()


def test_an_event_outside_of_a_transaction_is_a_mistake(effect: str) -> None:
    with pytest.raises(RuntimeError):
        outbox.emit(effect, "k", {}, now=NOW)


def test_an_event_that_is_rolled_back_never_happened(effect: str) -> None:

    def rolled_back() -> None:
        with db.transaction():
            outbox.emit(effect, "k", {"id": "k"}, now=NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        rolled_back()
    assert OutboxMessage.select().count() == 0


def test_the_same_event_with_the_same_key_is_delivered_once(effect: str) -> None:
    emit(effect)
    emit(effect)
    assert outbox.sweep(now=NOW) == 1
    assert outbox.sweep(now=NOW) == 0
    assert effects() == 1


def test_twenty_workers_deliver_one_message_once(effect: str) -> None:
    message_id = emit(effect)
    barrier, won = Barrier(20), []

    def work() -> None:
        barrier.wait()
        with db.connection():
            won.append(outbox.deliver(message_id, now=NOW))

    threads = [Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert won.count(True) == 1
    assert effects() == 1


def test_without_the_claim_the_same_race_delivers_twice(effect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: with compare-and-set answering 'won' to everybody, the effect happens again and again."""
    message_id = emit(effect)
    monkeypatch.setattr(outbox, "compare_and_set", lambda *_: True)
    for _ in range(3):
        outbox.deliver(message_id, now=NOW)
    assert effects() == 3


def test_a_subscriber_that_fails_leaves_nothing_and_comes_again(effect: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def fails_once(payload: dict[str, str], now: datetime) -> None:
        audit("system", "effect", payload["id"], now=now)
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("first time")

    outbox.subscribe(effect, "audit", fails_once)
    emit(effect)
    assert outbox.sweep(now=NOW) == 0
    assert effects() == 0
    assert outbox.sweep(now=NOW + timedelta(seconds=1)) == 0, "not before its pause is over"
    assert outbox.sweep(now=NOW + timedelta(seconds=2)) == 1
    assert effects() == 1


def test_a_poison_message_ends_as_dead_and_the_others_go_on(effect: str) -> None:
    def poison(payload: dict[str, str], now: datetime) -> None:
        if payload["id"] == "bad":
            raise RuntimeError("never")
        audit("system", "effect", payload["id"], now=now)

    outbox.subscribe(effect, "audit", poison)
    emit(effect, "bad")
    emit(effect, "good")
    moment = NOW
    for _ in range(outbox.MAX_ATTEMPTS):
        outbox.sweep(now=moment)
        moment += timedelta(seconds=601)
    assert outbox.counts() == {"dead": 1, "done": 1}
    assert effects() == 1


def test_a_claim_of_a_killed_worker_is_taken_over_after_a_minute(effect: str) -> None:
    message_id = emit(effect)
    OutboxMessage.update(status="claimed", available_at=NOW + outbox.CLAIM).execute()
    assert not outbox.deliver(message_id, now=NOW + timedelta(seconds=59))
    assert outbox.deliver(message_id, now=NOW + timedelta(seconds=60))


def test_a_flushed_redis_loses_no_effect(effect: str) -> None:
    emit(effect)
    redis_clients.queue().flushdb()
    assert outbox.sweep(now=NOW) == 1
    assert effects() == 1


def test_a_callback_is_recorded_once_and_its_body_is_not_readable(world: World) -> None:
    assert inbox.record("test", "id-1", '{"name":"张三"}', now=NOW)
    assert not inbox.record("test", "id-1", '{"name":"张三"}', now=NOW)
    row = InboxMessage.get()
    assert row.body == '{"name":"张三"}'
    assert "张三" not in row.body_sealed


def test_a_callback_whose_applying_fails_comes_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox, "_appliers", {})
    seen: list[str] = []

    def apply(body: str, now: datetime) -> None:
        seen.append(body)
        if len(seen) == 1:
            raise ConnectionError("provider is away")

    inbox.applier("test", apply)
    inbox.record("test", "id-1", "body", now=NOW)
    assert inbox.sweep(now=NOW) == 0
    assert inbox.sweep(now=NOW + timedelta(seconds=2)) == 1
    assert inbox.sweep(now=NOW + timedelta(days=1)) == 0
    assert seen == ["body", "body"]


@pytest.fixture
def applied(world: World, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bodies that the provider 'test' was asked about; while 'away' is the last one, applying fails."""
    monkeypatch.setattr(inbox, "_appliers", {})
    seen: list[str] = ["away"]

    def apply(body: str, now: datetime) -> None:
        if seen[-1] == "away":
            raise ConnectionError("provider is away")
        seen.append(body)

    inbox.applier("test", apply)
    return seen


def fail(times: int) -> datetime:
    """Sweep `times` times, each when the pause is over; gives the time of the last."""
    moment = NOW
    for _ in range(times):
        moment += timedelta(seconds=600)
        inbox.sweep(now=moment)
    return moment


def test_a_callback_is_tried_until_the_provider_is_back_and_a_person_is_told_once(applied: list[str]) -> None:
    inbox.record("test", "id-1", "body", now=NOW)
    fail(inbox.STUCK_AFTER)
    assert cases.of_kind("inbox.stuck") == []
    later = fail(inbox.STUCK_AFTER + 20)
    assert [case.subject for case in cases.of_kind("inbox.stuck")] == [InboxMessage.get().id]
    applied.append("back")
    assert inbox.sweep(now=later + timedelta(seconds=600)) == 1
    assert applied[-1] == "body"


def test_a_callback_that_comes_again_is_applied_at_once(applied: list[str]) -> None:
    inbox.record("test", "id-1", "body", now=NOW)
    moment = fail(30)
    applied.append("back")
    moment += timedelta(seconds=1)
    assert inbox.sweep(now=moment) == 0, "its pause is not over"
    assert not inbox.record("test", "id-1", "body", now=moment)
    assert inbox.sweep(now=moment) == 1
    assert not inbox.record("test", "id-1", "body", now=moment)
    assert inbox.sweep(now=moment + timedelta(days=1)) == 0, "applied once"


def test_a_callback_that_comes_again_while_it_is_applied_is_left_alone(applied: list[str]) -> None:
    inbox.record("test", "id-1", "body", now=NOW)
    applied.append("back")
    InboxMessage.update(status="claimed", available_at=NOW + inbox.CLAIM).execute()
    inbox.record("test", "id-1", "body", now=NOW + timedelta(seconds=5))
    assert inbox.sweep(now=NOW + timedelta(seconds=5)) == 0


def test_a_sweep_of_callbacks_ends_with_its_time(applied: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    applied.append("back")
    for number in range(3):
        inbox.record("test", f"id-{number}", "body", now=NOW)
    answers = iter([False, True])
    monkeypatch.setattr("app.core.budget.Budget.spent", lambda _: next(answers))
    assert inbox.sweep(now=NOW) == 1


def test_a_job_whose_time_is_over_ends_and_its_messages_come_again(
    effect: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def slow(name: str) -> None:
        calls.append(name)
        if len(calls) <= 2:
            raise JobTimeoutException("over")

    monkeypatch.setattr(inbox, "_appliers", {"test": lambda body, now: slow("inbox")})
    outbox.subscribe(effect, "audit", lambda payload, now: slow("outbox"))
    emit(effect)
    inbox.record("test", "id-1", "body", now=NOW)
    for sweep in (outbox.sweep, inbox.sweep):
        with pytest.raises(JobTimeoutException):
            sweep(now=NOW)
    assert outbox.sweep(now=NOW + outbox.CLAIM) == inbox.sweep(now=NOW + inbox.CLAIM) == 1


def test_a_dead_message_is_a_case_and_can_be_revived(effect: str, capsys: pytest.CaptureFixture[str]) -> None:
    broken = [True]

    def subscriber(payload: dict[str, str], now: datetime) -> None:
        if broken[0]:
            raise RuntimeError("not yet")
        audit("system", "effect", payload["id"], now=now)

    outbox.subscribe(effect, "audit", subscriber)
    message_id = emit(effect)
    moment = NOW
    for _ in range(outbox.MAX_ATTEMPTS):
        assert cases.of_kind("outbox.dead") == []
        outbox.sweep(now=moment)
        moment += timedelta(seconds=601)
    assert [case.subject for case in cases.of_kind("outbox.dead")] == [message_id]
    assert outbox.undelivered(effect, before=moment) == ["k"]
    assert outbox.undelivered(effect, before=NOW) == []
    broken.clear()
    broken.append(False)
    assert outbox.sweep(now=moment + timedelta(days=1)) == 0
    options = manage.parser().parse_args(["revive", "--by", "王芳"])
    assert options.run(options) == 0
    assert capsys.readouterr().out == "1 messages are due again\n"
    moment = utcnow()
    assert outbox.sweep(now=moment) == 1
    assert outbox.undelivered(effect, before=moment) == []
    assert outbox.revive(actor="staff:王芳", now=moment) == 0
    assert AuditEntry.get(AuditEntry.action == "outbox.revived").actor == "staff:王芳"
