"""What a heartbeat costs Redis, and what a record takes there, with few records and with many."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

import redis

from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.study import heartbeat
from app.study.tickets import PlayTicket
from bench.flush import ROWS
from bench.learners import CHUNKS, LESSONS, SESSION, fill_redis, watched
from bench.places import a_redis
from bench.results import Result

FEW = 10_000
BEATS, ROUNDS = 10_000, 5


@contextmanager
def _bound(client: redis.Redis) -> Iterator[None]:
    before = redis_clients._clients["heartbeat"]
    redis_clients._clients["heartbeat"] = client
    try:
        yield
    finally:
        redis_clients._clients["heartbeat"] = before


def _cpu(client: Any) -> float:
    found = client.info("cpu")
    return float(found["used_cpu_user"]) + float(found["used_cpu_sys"])


class _Crowd:
    """A Redis with so many records, and learners who go on watching."""

    def __init__(self, url: str, records: int):
        self.client: Any = redis.Redis.from_url(url)
        empty = self._memory()
        fill_redis(url, records // LESSONS, dirty=False)
        self.bytes_a_record = (self._memory() - empty) / records
        lessons = list(watched(records // LESSONS))
        self._lessons = random.Random(1).sample(lessons, min(len(lessons), 200_000))
        self._next = {each.progress_id: each.seen for each in self._lessons}
        self.costs: list[float] = []

    def _memory(self) -> int:
        return int(self.client.info("memory")["used_memory"])

    def round(self) -> None:
        """Beats of one new chunk each, of learners drawn anew, and what they cost Redis."""
        now, chance = utcnow(), random.Random()
        with _bound(self.client):
            before = _cpu(self.client)
            for _ in range(BEATS):
                each = chance.choice(self._lessons)
                chunk = self._next[each.progress_id]
                self._next[each.progress_id] = (chunk + 1) % CHUNKS
                ticket = PlayTicket(
                    each.person_id, each.progress_id, SESSION, 0, CHUNKS * 10, "yunnan", "2021-02-01", 0
                )
                heartbeat.credit(ticket, [chunk], chunk * 10.0, now=now)
            self.costs.append((_cpu(self.client) - before) / BEATS * 1e6)


def cost() -> list[Result]:
    """Redis' CPU per beat with many records compared with few, in alternating rounds; bytes per record. Policy and
    clients of the product must be there (`bench.flush.product`)."""
    with a_redis() as few_url, a_redis() as many_url:
        few, many = _Crowd(few_url, FEW), _Crowd(many_url, ROWS)
        for number in range(ROUNDS + 1):
            few.round()
            many.round()
            if number == 0:
                few.costs.clear()
                many.costs.clear()
    compared = [more / less for more, less in zip(many.costs, few.costs, strict=True)]
    size = round(many.bytes_a_record, 1)
    return [
        Result(f"Redis CPU per beat, {FEW:,} records", round(median(few.costs), 2), "µs CPU", 0, runs=ROUNDS),
        Result(
            f"Redis CPU per beat, {ROWS:,} records",
            round(median(many.costs), 2),
            "µs CPU",
            round(median(compared), 3),
            f"with {FEW:,}",
            1.3,
            low=round(min(compared), 3),
            high=round(max(compared), 3),
            runs=ROUNDS,
        ),
        Result("a lesson's record in Redis", size, "bytes", size, goal=150),
    ]
