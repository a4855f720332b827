"""Exam faults as functions: each gives the number of violations; its twin takes the guard out and tells whether the
experiment then fails, as it must."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from threading import Barrier, BrokenBarrierError, local
from typing import Any
from unittest.mock import patch

import requests

from app.core import db
from app.core.errors import Problem
from app.exam import closing, hot, queries, service
from app.exam.audit import audit_attempts
from app.exam.models import Attempt
from app.exam.scoring import Answer
from app.exam.status import Status
from tests.exam.rooms import SECRET, Candidate, a_candidate
from tests.factories import auth
from tests.world import World

ALL = range(1, 51)


# --- E1: the server is killed ------------------------------------------------------------------------------------


@contextmanager
def _server(world: World, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The application in a process of its own, over this world's database."""
    environ = os.environ | {
        "DATA_DIR": str(world.data_dir),
        "DATABASE_URL": world.settings.database_url,
        "REDIS_URL": world.settings.redis_url,
        "SANDBOX_URL": world.settings.sandbox_url,
        "LOG_LEVEL": "ERROR",
    }
    command = [sys.executable, "-m", "tests.faults.web", *options]
    process = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process, f"http://127.0.0.1:{process.stdout.readline().strip()}/api/v1"
    finally:
        process.kill()
        process.wait()


def e1(world: World, tries: int, *options: str) -> int:
    """`tries` servers, each SIGKILLed right after it acknowledged an answer: every acknowledged answer is there, and
    the deadline is the same."""
    candidate = a_candidate()
    attempt = candidate.start()
    headers = auth(candidate.person)
    acknowledged: dict[int, str] = {}
    for round_ in range(tries):
        with _server(world, *options) as (process, base):
            for number in range(round_ * 5 + 1, round_ * 5 + 4):
                choice = candidate.right(number)
                url = f"{base}/attempts/{attempt.id}/answers/{number}"
                answer = requests.put(url, json={"choice": choice, "version": 0}, headers=headers, timeout=20)
                if answer.status_code == 200:
                    acknowledged[number] = choice
            process.send_signal(signal.SIGKILL)
            process.wait()
    paper = service.open_paper(attempt.id, candidate.person.id, now=candidate.now)
    lost = sum(candidate.saved(number).mask == 0 for number in acknowledged)
    short = tries * 3 - len(acknowledged)
    return lost + short + (paper.attempt.deadline != attempt.deadline) + len(audit_attempts())


def e1_twin(world: World) -> bool:
    """A server that acknowledges first and writes later."""
    return e1(world, 1, "--acknowledge-first") > 0


# --- E2: two tabs ------------------------------------------------------------------------------------------------


def e2(world: World, tries: int) -> int:
    """Two tabs that have seen the same version write the same question, `tries` times: one wins, the other is told
    the current answer; answers to other questions are not lost either."""
    candidate = a_candidate()
    candidate.start()
    violations = 0
    for number in range(1, tries + 1):
        candidate.save(number, "A")
        try:
            candidate.save(number, "B", 0)
            violations += 1
        except Problem as problem:
            violations += problem.code != "answer_conflict" or problem.extra["answer"]["choice"] != "A"
        violations += candidate.saved(number) != (1, 1)
    return violations + len(audit_attempts())


def e2_twin(world: World) -> bool:
    """Without the version."""
    with patch.object(service, "_changed", lambda before, mask, version: Answer(before.version + 1, mask)):
        return e2(world, 1) > 0


def e2_parallel(world: World, tries: int) -> int:
    """Two tabs save answers to different questions at the same moment: both are there."""
    violations = 0
    for _ in range(tries):
        candidate = a_candidate()
        candidate.start()
        with _together(2):
            _in_parallel([partial(candidate.save, number, "A") for number in (1, 2)])
        violations += candidate.saved(1).mask != 1 or candidate.saved(2).mask != 1
        candidate.hand_in()
    return violations


def e2_parallel_twin(world: World) -> bool:
    """Without comparing the revision."""
    with patch.object(hot, "save", _save_without_comparing):
        return e2_parallel(world, 2) > 0


# --- E3: around the deadline -------------------------------------------------------------------------------------


def e3(world: World, tries: int) -> int:
    """Hand-ins at T−1, T, T+grace, T+grace+1 s, each with an answer not sent before: the last is refused, what was
    saved is scored; the finish time is never after T."""
    violations = 0
    for _ in range(tries):
        for seconds, in_time in ((-1, True), (0, True), (5, True), (6, False)):
            candidate = a_candidate()
            attempt = candidate.start()
            candidate.save(1, candidate.right(1))
            brought = candidate.bring(range(2, 3))
            moment = candidate.after_deadline(seconds)
            try:
                result, _ = service.hand_in(attempt.id, candidate.person.id, brought, now=moment)
                violations += not in_time or result.score != 4 or result.status != Status.HANDED_IN
            except Problem as problem:
                found = problem.extra["result"]
                violations += in_time or problem.code != "exam_time_over" or found["score"] != 2
            violations += candidate.row().finished_at != min(moment, attempt.deadline)
    return violations + len(audit_attempts())


def e3_twin(world: World) -> bool:
    """With a deadline that is never looked at."""
    with patch.object(service, "close_if_due", lambda row, *, now: row):
        return e3(world, 1) > 0


# --- E4: parallel and repeated hand-ins --------------------------------------------------------------------------


def e4(world: World, tries: int, parallel: int = 6) -> int:
    """`parallel` hand-ins of one attempt at the same moment, `tries` times, then one more: one score, one ending, and
    everyone is told the same."""
    violations = 0
    for _ in range(tries):
        candidate = a_candidate()
        candidate.start()
        attempt_id, person_id = candidate.attempt_id, candidate.person.id
        brought = candidate.bring(range(1, 41))
        hand_in = partial(service.hand_in, attempt_id, person_id, brought, now=candidate.now)
        with _together(parallel):
            results = _in_parallel([hand_in] * parallel)
        results.append(service.hand_in(attempt_id, person_id, brought, now=candidate.later(60)))
        violations += len({(result.score, result.finished_at) for result, _ in results}) != 1
    return violations + len(audit_attempts())


def e4_twin(world: World) -> bool:
    """Without comparing status and revision."""
    with patch.object(hot, "close", _close_without_comparing):
        return e4(world, 1) > 0


# --- E6: nobody was there at T -----------------------------------------------------------------------------------


def e6(world: World, tries: int) -> int:
    """The server was down at T: the next read closes, or the job does within its first run; finish time T, scored
    from what was saved."""
    readers: list[Callable[[Candidate, datetime], object]] = [
        lambda one, now: service.status(one.enrolment, now=now),
        lambda one, now: service.alive(one.attempt_id, one.person.id, now=now),
        lambda _, now: service.close_due(now=now),
    ]
    violations = 0
    for _ in range(tries):
        for read in readers:
            candidate = a_candidate()
            attempt = candidate.start()
            candidate.save(1, candidate.right(1))
            read(candidate, candidate.after_deadline(3 * 3600))
            row = candidate.row()
            violations += (row.status, row.finished_at, row.score) != (Status.TIMED_OUT, attempt.deadline, 2)
    return violations + len(audit_attempts())


# --- E7: a crowd -------------------------------------------------------------------------------------------------


def e7(world: World, people: int) -> int:
    """`people` hand in over HTTP, eight at a time, each twice: all scored once, no 5xx."""
    crowd = [a_candidate() for _ in range(people)]
    calls = []
    for candidate in crowd:
        candidate.start()
        answers = [
            {"number": each.number, "choice": each.choice, "version": 0} for each in candidate.bring(range(1, 36))
        ]
        calls.append(
            (f"/api/v1/attempts/{candidate.attempt_id}/hand-in", {"answers": answers}, auth(candidate.person))
        )

    def hand_in(call: tuple[str, dict[str, Any], dict[str, str]]) -> tuple[int, int]:
        url, body, headers = call
        answer = world.app.test_client().post(url, json=body, headers=headers)
        return answer.status_code, (answer.json or {}).get("score", -1)

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(hand_in, calls * 2))
    return sum(each != (200, 70) for each in found) + len(audit_attempts())


# --- E8: no key before the hand-in -------------------------------------------------------------------------------


def e8(world: World) -> int:
    """Everything a person gets to see before the hand-in: no explanation, no key, no mark of what is right."""
    candidate = a_candidate()
    client, headers = world.app.test_client(), auth(candidate.person)
    base = f"/api/v1/enrolments/{candidate.enrolment.id}"
    answers = [client.post(f"{base}/attempts", json={"subject": "TJ"}, headers=headers)]
    candidate.attempt_id = (answers[0].json or {})["attempt_id"]
    attempt = f"/api/v1/attempts/{candidate.attempt_id}"
    answers += [
        client.get(attempt, headers=headers),
        client.get(f"{base}/exam", headers=headers),
        client.post(f"{attempt}/alive", headers=headers),
        client.put(f"{attempt}/answers/1", json={"choice": "A", "version": 0}, headers=headers),
        client.put(f"{attempt}/answers/1", json={"choice": "B", "version": 0}, headers=headers),
        client.post(
            f"{attempt}/hand-in", json={"answers": [{"number": 1, "choice": "B", "version": 0}]}, headers=headers
        ),
    ]
    allowed = {"number", "type", "score", "stem", "options"}
    violations = 0
    for answer in answers:
        violations += SECRET in answer.get_data(as_text=True)
        for question in (answer.json or {}).get("questions", []):
            violations += set(question) != allowed or any(
                set(each) != {"letter", "text"} for each in question["options"]
            )
    # the place of the right option tells nothing: not always the same letter
    violations += len({candidate.right(number) for number in range(1, 26)}) < 3
    return violations


def e8_twin(world: World) -> bool:
    """With the explanation in the stem."""
    original = queries.shown_paper

    def with_solutions(row: Attempt) -> list[queries.ShownQuestion]:
        return [
            queries.ShownQuestion(each.number, each.type, each.score, each.stem + SECRET, each.options)
            for each in original(row)
        ]

    with patch.object(queries, "shown_paper", with_solutions):
        return e8(world) > 0


# --- E9: the client crashes --------------------------------------------------------------------------------------


def e9(world: World, tries: int) -> int:
    """A page opened again within the crash grace: same paper, same deadline, nothing lost; one second later than the
    grace: used up, and 0."""
    violations = 0
    for _ in range(tries):
        for away, lost in ((1, False), (120, False), (121, True)):
            candidate = a_candidate()
            first = service.start(candidate.enrolment.id, candidate.person.id, "TJ", now=candidate.now)
            candidate.attempt_id = first.attempt.id
            candidate.save(1, candidate.right(1))
            candidate.later(away)
            try:
                again = candidate.open()
                same = again.questions == first.questions and again.attempt.deadline == first.attempt.deadline
                violations += lost or not same or again.answers[0].version != 1
            except Problem as problem:
                result = problem.extra["result"]
                violations += not lost or problem.code != "exam_left" or result["score"] != 0
                violations += result["attempts_left"] != 4
    return violations + len(audit_attempts())


def e9_twin(world: World) -> bool:
    """Without the leave rule."""
    with patch.object(service, "resume_by", lambda row: row.accepts_until):
        return e9(world, 1) > 0


# --- parts -------------------------------------------------------------------------------------------------------


def _save_without_comparing(row: Attempt, answers: bytes, *, now: datetime) -> bool:
    """The guard off: the last one wins."""
    return bool(Attempt.update(answers=answers).where(Attempt.id == row.id).execute())


def _close_without_comparing(row: Attempt, values: dict[str, Any]) -> bool:
    """The guard off: the last one wins."""
    return bool(Attempt.update(values).where(Attempt.id == row.id).execute())


@contextmanager
def _together(count: int) -> Iterator[None]:
    """The first read of each of `count` threads waits for the others' first: all act on the same state."""
    barrier, seen, original = Barrier(count), local(), closing.close_if_due

    def wait(row: Attempt, *, now: datetime) -> Attempt:
        found = original(row, now=now)
        if not getattr(seen, "waited", False):
            seen.waited = True
            with suppress(BrokenBarrierError):  # a thread came late: the others have gone on
                barrier.wait(timeout=5)
        return found

    with patch.object(service, "close_if_due", wait):
        yield


def _in_parallel(calls: list[Callable[[], Any]]) -> list[Any]:
    def run(call: Callable[[], Any]) -> Any:
        with db.connection():
            return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))
