"""What is measured: each row gives the requests of one round. Arranged with the tests' factories."""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle, islice

from app.account.models import Person
from app.core.clock import utcnow
from bench.load import request
from sandbox.wechatpay_wire import notification, signed_headers
from tests.exam.rooms import a_candidate, a_course
from tests.factories import a_person, a_session, an_enrolment
from tests.study.phones import a_phone
from tests.world import World

EMPTY = "empty authenticated view, one read"
UPSERT = "one SQL upsert per beat"
PEOPLE = 40
FULL_ALLOWANCE = 1800  # seconds of yunnan's bucket: so many chunks can be credited at once


@dataclass(frozen=True)
class Row:
    """`requests(count)` makes the requests of one round; `to` names the row it is compared with."""

    name: str
    to: str
    goal: float | None
    count: int
    requests: Callable[[int], list[bytes]]


def people() -> list[tuple[Person, str]]:
    """Trainees who study, each with the token of a session."""
    found = []
    a_course()
    for _ in range(PEOPLE):
        person = a_person(now=utcnow())
        an_enrolment(person, "studying", now=utcnow())
        found.append((person, a_session(person)))
    return found


def _repeat(one_each: list[bytes]) -> Callable[[int], list[bytes]]:
    return lambda count: list(islice(cycle(one_each), count))


def beats() -> Iterator[bytes]:
    """Beats with one new chunk each, of learners whose buckets are full; new learners when they are used up."""
    while True:
        phones = [a_phone(seconds=FULL_ALLOWANCE, saved_up=FULL_ALLOWANCE, now=utcnow()) for _ in range(PEOPLE)]
        for chunk in range(FULL_ALLOWANCE // 10):
            for phone in phones:
                yield request("POST", "/api/v1/heartbeat", phone.body([chunk]))


def _answers(count: int) -> list[bytes]:
    """Answers saved one by one, of candidates who sit the exam: one question after the other, each once."""
    found: list[bytes] = []
    while len(found) < count:
        candidate = a_candidate()
        candidate.start()
        token = a_session(candidate.person)
        for number in range(1, 51):
            body = json.dumps({"choice": candidate.right(number), "version": 0}).encode()
            found.append(request("PUT", f"/api/v1/attempts/{candidate.attempt_id}/answers/{number}", body, token))
    # the answers of one attempt do not overlap: neighbours in the list are of different attempts
    return [found[place] for start in range(50) for place in range(start, len(found), 50)][:count]


def _hand_ins(count: int) -> list[bytes]:
    """Hand-ins that bring 50 answers not sent before: scored, with history and outbox rows."""
    found = []
    for _ in range(count):
        candidate = a_candidate()
        candidate.start()
        answers = [{"number": n, "choice": candidate.right(n), "version": 0} for n in range(1, 51)]
        body = json.dumps({"answers": answers}).encode()
        path = f"/api/v1/attempts/{candidate.attempt_id}/hand-in"
        found.append(request("POST", path, body, a_session(candidate.person)))
    return found


def notifications(world: World) -> Callable[[int], list[bytes]]:
    """Signed notifications, each a new one: verified, committed to the inbox, answered. They name a payment that is
    not ours, so that applying them (by a worker, not measured here) ends at once."""
    (merchant,) = world.sandbox.box.merchants.values()
    path = f"/api/v1/callbacks/wechatpay/{merchant.authority}.wechatpay"
    said = {"out_trade_no": "T0000000000000000", "trade_state": "SUCCESS"}

    def make(count: int) -> list[bytes]:
        found = []
        for _ in range(count):
            body = notification(
                merchant, secrets.token_hex(16), time.time(), "TRANSACTION.SUCCESS", "transaction", "支付成功", said
            )
            headers = [f"{name}: {value}" for name, value in signed_headers(merchant, body, {}).items()]
            found.append(request("POST", path, body, headers=headers))
        return found

    return make


def rows(world: World) -> list[Row]:
    """All rows, the empty view first."""
    known = people()
    empty = [request("GET", "/bench/empty", token=token) for _, token in known]
    upserts = [request("POST", "/bench/upsert", b'{"seconds": 10, "position": 1200}', token) for _, token in known]
    homes = [request("GET", "/api/v1/home", token=token) for _, token in known]
    some = beats()
    return [
        Row(EMPTY, EMPTY, None, 500, _repeat(empty)),
        Row(UPSERT, EMPTY, None, 250, _repeat(upserts)),
        Row("heartbeat", EMPTY, 0.5, 1000, lambda count: list(islice(some, count))),
        Row("heartbeat", UPSERT, 0.12, 1000, lambda count: list(islice(some, count))),
        Row("answer save", EMPTY, 3.5, 200, _answers),
        Row("hand-in of 50 answers", EMPTY, 4.0, 50, _hand_ins),
        Row("home screen, warm", EMPTY, 1.15, 500, _repeat(homes)),
        Row("payment notification", EMPTY, None, 125, notifications(world)),
    ]
