"""Heartbeat faults as functions: each gives the number of violations; its twin says whether the experiment fails once
the guard is taken out of the script, as it must."""

from __future__ import annotations

import random

from app.study import flush, store
from app.study.audit import audit_progress
from app.study.models import Learner
from tests.study.phones import NOW, a_clock, a_phone, changed, chunks_of
from tests.world import World

# the bitmap: a chunk counts once
H1_GUARD = ("if not has(r.bits, chunk) then", "if true then")
# the token bucket: no more than the server's clock allows
H3_GUARD = ("elseif cost > balance then", "elseif false then")


def h1(world: World, tries: int) -> int:
    """The same beats again, shuffled, `tries` times: the credit does not change and the bucket is not charged."""
    dice = random.Random(1)
    with a_clock():
        phone = a_phone(saved_up=100)
        beats = [[0, 1], [2], [3, 4]]
        for chunks in beats:
            phone.send(chunks)
        before, _ = store.read(phone.ticket.person_id, [phone.ticket.progress_id])
        violations = 0
        for _ in range(tries):
            chunks = dice.choice(beats) + dice.choice(beats)
            dice.shuffle(chunks)
            answer = phone.send(chunks)
            good = chunks_of(answer.credited) == {0, 1, 2, 3, 4} and answer.percent == 8 and answer.refused == []
            violations += not good
        after, _ = store.read(phone.ticket.person_id, [phone.ticket.progress_id])
        violations += before is None or after is None or before.bucket_ms != after.bucket_ms
        flush.flush(now=NOW)
    return violations + len(audit_progress())


def h1_twin(world: World) -> bool:
    """Without the bitmap's check."""
    with changed(beat=H1_GUARD):
        return h1(world, 5) > 0


def h3(world: World, tries: int) -> int:
    """Reported at ten times the speed, `tries` times for a minute each: at most the time that passed is credited,
    plus one interval, and the learner is flagged."""
    violations = 0
    for _ in range(tries):
        with a_clock() as clock:
            phone = a_phone(seconds=3600)
            for beat in range(6):
                clock.forward(10)
                answer = phone.send(range(beat * 10, beat * 10 + 10))
            answer = phone.send(range(60))
            violations += len(chunks_of(answer.credited)) * 10 > 60 + 10
            flush.flush(now=clock.now)
            violations += Learner.get_by_id(phone.ticket.person_id).over_claimed == 0
    return violations + len(audit_progress())


def h3_twin(world: World) -> bool:
    """Without the bucket."""
    with changed(beat=H3_GUARD):
        return h3(world, 1) > 0
