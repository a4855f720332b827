"""The Lua scripts against a model in plain Python, through any order of beats, plays, flushes, purges, losses of
Redis, and a clock that goes both ways."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.core import redis as redis_clients
from app.study import flush, heartbeat, service, store
from app.study.models import Learner, LessonProgress
from tests.factories import an_enrolment
from tests.faults.heartbeats import H3_GUARD
from tests.study.phones import (
    NOW,
    Clock,
    Phone,
    a_clock,
    a_learner,
    a_lesson_of,
    changed,
    chunks_of,
    clear_study,
    in_sql,
    play,
)
from tests.world import World

CHUNKS = 13
LAST_MS = 5_000  # the lesson is 125 s long
CAP_MS = 60_000
RULES = {
    in_order: heartbeat.Rules(chunk_seconds=10, rate=1.0, cap_ms=CAP_MS, in_order=in_order, lesson_percent=100)
    for in_order in (0, 1)
}


@dataclass
class Model:
    """What the scripts are meant to do, written down a second time."""

    in_order: int
    at: int
    balance: int = 0
    credited: set[int] = field(default_factory=set)
    durable: set[int] = field(default_factory=set)
    epoch: int = 0
    session: str = ""
    device: str = ""
    seen: int = 0
    saved: dict[str, Any] = field(default_factory=dict)  # the bucket in SQL

    def beat(self, session: str, epoch: int, chunks: set[int], now: int) -> tuple[str, list[int]]:
        if session != self.session:
            return "kicked", sorted(chunks)
        if epoch != self.epoch:
            return "kicked", sorted(chunks)
        self.seen = now = max(now, self.at)
        self.balance = min(CAP_MS, self.balance + now - self.at)
        self.at = now
        refused, empty = [], False
        for chunk in sorted(chunks - self.credited):
            first_gap = next(number for number in range(CHUNKS + 1) if number not in self.credited)
            cost = LAST_MS if chunk == CHUNKS - 1 else 10_000
            if empty or (self.in_order and chunk > first_gap):
                refused.append(chunk)
            elif cost > self.balance:
                empty = True
                refused.append(chunk)
            else:
                self.balance -= cost
                self.credited.add(chunk)
        if len(self.credited) == CHUNKS:
            return "done", refused
        return ("wait" if empty else "go_on"), refused


class Machine(RuleBasedStateMachine):
    """Both, side by side."""

    @initialize(in_order=st.sampled_from([0, 1]))
    def begin(self, in_order: int) -> None:
        clear_study()
        self.before = heartbeat.rules_of
        heartbeat.rules_of = lambda *_: RULES[in_order]  # type: ignore[assignment]
        self.context = a_clock()
        self.clock: Clock = self.context.__enter__()
        self.learner = a_learner()
        self.enrolment = an_enrolment(self.learner, now=NOW)
        self.lesson = a_lesson_of(self.learner, seconds=125, enrolment_id=self.enrolment.id)
        self.model = Model(in_order, at=self._now())
        self.model.saved = {"at": self._now(), "balance": 0}
        self.phones: list[Phone] = []
        self._play("phone-a", False)

    def teardown(self) -> None:
        self.context.__exit__(None, None, None)
        heartbeat.rules_of = self.before

    def _now(self) -> int:
        return int(self.clock.now.timestamp() * 1000)

    def _play(self, device: str, take_over: bool) -> None:
        phone = play(self.learner, self.lesson, device=device, take_over=take_over)
        other = self.model.device not in ("", device) and self._now() - self.model.seen < 60_000
        if other and not take_over:
            assert isinstance(phone, store.Held)
            return
        assert isinstance(phone, Phone)
        self.model.session, self.model.device = phone.ticket.session, device
        self.model.seen = max(self._now(), self.model.seen)
        self.phones.append(phone)

    @rule(device=st.sampled_from(["phone-a", "phone-b"]), take_over=st.booleans())
    def press_play(self, device: str, take_over: bool) -> None:
        self._play(device, take_over)

    @rule(seconds=st.sampled_from([0.001, 1, 9.999, 10, 10, 10, 33, 70, 7200, -5, -300]))
    def time_passes(self, seconds: float) -> None:
        self.clock.forward(seconds)

    @rule(which=st.integers(0, 2), chunks=st.sets(st.integers(0, CHUNKS - 1)), straight=st.integers(0, CHUNKS))
    def beat(self, which: int, chunks: set[int], straight: int) -> None:
        phone = self.phones[-1 - which % len(self.phones)]
        chunks |= set(range(straight))
        answer = phone.send(chunks)
        expected = self.model.beat(phone.ticket.session, phone.ticket.epoch, chunks, self._now())
        assert (answer.next, answer.refused) == expected
        assert chunks_of(answer.credited) == self.model.credited
        assert chunks_of(answer.durable) == self.model.durable
        assert answer.percent == len(self.model.credited) * 100 // CHUNKS

    @rule()
    def flush(self) -> None:
        flush.flush(now=self.clock.now)
        self.model.durable = set(self.model.credited)
        learner = Learner.get_by_id(self.learner.id)
        self.model.saved = {"at": learner.bucket_at_ms, "balance": learner.bucket_ms}

    @rule()
    def redis_is_lost(self) -> None:
        redis_clients.heartbeat().flushdb()
        self.clock.set(self.clock.now)
        self.model.credited = set(self.model.durable)
        learner = Learner.get_by_id(self.learner.id)
        assert (learner.bucket_at_ms, learner.bucket_ms) == (self.model.saved["at"], self.model.saved["balance"])
        self.model.at, self.model.balance = learner.bucket_at_ms, learner.bucket_ms
        self.model.seen = self.model.at
        self.phones[-1].send([])  # the current session's next beat, whose rebuild the model follows
        self.model.beat(self.phones[-1].ticket.session, self.phones[-1].ticket.epoch, set(), self._now())

    @rule()
    def purge(self) -> None:
        service.purge(self.enrolment.id, actor="staff:1", reason="代学", now=self.clock.now)
        self.model.epoch += 1
        self.model.credited, self.model.durable = set(), set()
        self.model.at, self.model.balance = max(self._now(), self.model.at), 0
        self.model.saved = {"at": self._now(), "balance": 0}

    @invariant()
    def sql_has_what_is_called_durable(self) -> None:
        if self.phones:
            assert in_sql(self.phones[-1]) == self.model.durable
            assert LessonProgress.get().epoch == self.model.epoch


def run(*phases: Phase) -> None:
    run_state_machine_as_test(
        Machine,
        settings=settings(
            max_examples=20,
            stateful_step_count=25,
            deadline=timedelta(seconds=5),
            suppress_health_check=list(HealthCheck),
            database=None,
            derandomize=True,
            print_blob=False,
            phases=phases,
        ),
    )


def test_the_scripts_do_what_the_model_does(world: World) -> None:
    run(Phase.generate, Phase.shrink)


def test_the_model_notices_a_script_without_the_bucket(world: World) -> None:
    with changed(beat=H3_GUARD), pytest.raises(AssertionError):
        run(Phase.generate)
