"""`make soak MINUTES=10`: the whole product under a load like a working day's; writes build/soak.json and soak.svg.

A copy of its own (`ops.run`: web, worker, cron, flusher, Redis, sandbox) on a database of `BENCH_DATABASE_URL`. A
thousand phones report a chunk each ten seconds, people look at their first screen and their lessons, sit exams, and
one after the other walks the whole journey from the first login to the proof. Each minute: latencies, memory, open
files, connections. Whether it stays flat is judged by the last third of the run against the third before.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from threading import Event, Lock, Thread
from typing import Any

import requests

from app import wiring
from app.core import db, engines
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.enrol.models import Enrolment
from app.study import bitmap
from app.study.models import Lesson, LessonProgress, progress_id
from bench.load import connect, exchange, processes, request
from bench.picture import draw
from bench.places import SERVER_URL, a_database, kind
from bench.results import FOLDER
from config.settings import ROOT, load
from ops.stack import Stack
from tests.exam.rooms import a_candidate, a_course
from tests.factories import a_person, a_session, an_enrolment
from tests.study.phones import a_phone

PHONES = 1000
EACH = 10.0  # seconds between two beats of a phone
SAMPLE = 5.0  # seconds
FLAT = 0.05  # growth of a third over the third before that counts as none
SLACK = {"pss_mb": 4.0, "files": 4, "threads": 2}  # and as much is none, whatever the share


@dataclass
class Log:
    """What was answered: (seconds since the start, kind, seconds it took); what was not as it should be."""

    began: float = field(default_factory=time.perf_counter)
    answers: list[tuple[float, str, float]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def add(self, what: str, took: float, status: int) -> None:
        with self.lock:
            self.answers.append((time.perf_counter() - self.began, what, took))
            if not 200 <= status < 300:
                self.wrong.append(f"{what}: {status}")


def stream(port: int, stop: Event, log: Log, what: str, per_second: float, made: Iterator[bytes]) -> None:
    """Send what `made` gives, so many a second, over one connection; a connection that is cut is opened anew."""
    began, number, connection = time.perf_counter(), 0, connect(port)
    while not stop.is_set():
        due = began + number / per_second
        number += 1
        if stop.wait(max(0.0, due - time.perf_counter())):
            break
        data, start = next(made), time.perf_counter()
        try:
            status = exchange(connection, data)
        except OSError:
            status, connection = 0, connect(port)
        log.add(what, time.perf_counter() - start, status)
    connection.close()


def beats(count: int) -> Iterator[bytes]:
    """The beats of so many phones, one after the other, for ever."""
    phones = [a_phone(seconds=7200, saved_up=1800, now=utcnow()) for _ in range(count)]

    def forever() -> Iterator[bytes]:
        for chunk in cycle(range(720)):
            for phone in phones:
                yield request("POST", "/api/v1/heartbeat", phone.body([chunk]))

    return forever()


def finish_course(enrolment: Enrolment) -> None:
    """Every lesson of the course is done, in SQL; `a_candidate` has done the first."""
    course = a_course(enrolment.kind_code).course
    for lesson in Lesson.select().where(Lesson.course == course, Lesson.number > 1):
        now, chunks = utcnow(), -(-lesson.seconds // 10)
        LessonProgress.create(
            id=progress_id(enrolment.id, lesson.id),
            enrolment_id=enrolment.id,
            lesson_id=lesson.id,
            person_id=enrolment.person_id,
            seconds=lesson.seconds,
            chunk_seconds=10,
            needed_chunks=chunks,
            rate_percent=100,
            bitmap=bitmap.of(range(chunks)),
            credited_chunks=chunks,
            updated_at=now,
            completed_at=now,
        )


def exams(base_url: str, stop: Event, log: Log) -> None:
    """One exam after the other: begin, answer every question, hand in."""
    session = requests.Session()
    with db.connection():
        while not stop.is_set():
            candidate = a_candidate()
            finish_course(candidate.enrolment)
            headers = {"Authorization": f"Bearer {a_session(candidate.person)}"}

            def ask(what: str, method: str, path: str, body: object, headers: dict[str, str] = headers) -> Any:
                start = time.perf_counter()
                answer = session.request(method, f"{base_url}/api/v1{path}", json=body, headers=headers, timeout=30)
                log.add(what, time.perf_counter() - start, answer.status_code)
                return answer.json()

            path = f"/enrolments/{candidate.enrolment.id}/attempts"
            attempt = ask("exam start", "POST", path, {"subject": "TJ"})["attempt_id"]
            for number in range(1, 51):
                if stop.wait(0.1):
                    return
                body = {"choice": "A", "version": 0}
                ask("answer save", "PUT", f"/attempts/{attempt}/answers/{number}", body)
            ask("hand-in", "POST", f"/attempts/{attempt}/hand-in", {})


def journeys(stack: Stack, stop: Event, log: Log) -> None:
    """The whole journey, again and again."""
    argv = [sys.executable, "-m", "ops.journey", "--programme", "yunnan", "--base-url", stack.base_url]
    argv += ["--sandbox-url", stack.sandbox_url]
    while not stop.is_set():
        start = time.perf_counter()
        walked = subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        while walked.poll() is None and not stop.wait(0.5):
            pass
        if walked.poll() is None:
            walked.terminate()
            walked.communicate(timeout=30)
            return
        said = walked.communicate()[0].decode(errors="replace")
        log.add("journey", time.perf_counter() - start, 200 if walked.returncode == 0 else 0)
        if walked.returncode:
            log.wrong.append(said[-300:])


# --- what is sampled ---------------------------------------------------------------------------------------------


def of_process(pid: int) -> dict[str, float]:
    """Memory in MB (shared pages counted by share), open files and threads of a process and its descendants."""
    found = {"rss_mb": 0.0, "pss_mb": 0.0, "files": 0.0, "threads": 0.0}
    for each in processes(pid):
        with contextlib.suppress(OSError):
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            sizes = {line.split(":")[0]: line.split()[1] for line in lines[1:]}
            found["rss_mb"] += int(sizes["Rss"]) / 1024
            found["pss_mb"] += int(sizes["Pss"]) / 1024
            found["files"] += len(list(Path(f"/proc/{each}/fd").iterdir()))
            found["threads"] += len(list(Path(f"/proc/{each}/task").iterdir()))
    return {name: round(value, 1) for name, value in found.items()}


def connections() -> dict[str, float]:
    """Connections to the database and to Redis, and Redis' memory."""
    asked = {
        engines.Postgresql: "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database()",
        engines.MySql: "SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE()",
    }
    sql = next((text for engine, text in asked.items() if isinstance(db.database.obj, engine)), None)
    client: Any = redis_clients.queue()
    info = client.info()
    return {
        "database": float(db.database.execute_sql(sql).fetchone()[0]) if sql else 0.0,
        "redis": float(info["connected_clients"]),
        "redis_mb": round(info["used_memory"] / 1e6, 1),
    }


def growth(values: list[float]) -> tuple[float, float]:
    """By how much, and by which share, the last third of `values` is above the third before."""
    third = max(1, len(values) // 3)
    late, middle = values[-third:], values[-2 * third : -third] or values[-third:]
    before = sum(middle) / len(middle)
    more = sum(late) / len(late) - before
    return round(more, 2), round(more / before, 4) if before else 0.0


def minutes(log: Log, count: int) -> list[dict[str, Any]]:
    """Per minute and kind of request: how many, p50 and p99 in ms."""
    found: list[dict[str, Any]] = []
    for minute in range(count):
        kinds: dict[str, list[float]] = {}
        for at, what, took in log.answers:
            if minute * 60 <= at < minute * 60 + 60:
                kinds.setdefault(what, []).append(took * 1000)
        found.append(
            {
                what: {
                    "count": len(times),
                    "p50": round(sorted(times)[len(times) // 2], 1),
                    "p99": round(sorted(times)[min(len(times) - 1, int(len(times) * 0.99))], 1),
                }
                for what, times in sorted(kinds.items())
            }
        )
    return found


def soak(count: int) -> dict[str, Any]:
    """Run for so many minutes; gives the report."""
    with (
        tempfile.TemporaryDirectory(prefix="soak-") as directory,
        a_database(SERVER_URL, Path(directory)) as database_url,
        Stack(Path(directory), DATABASE_URL=database_url, RATE_LIMITS="1000", LOG_LEVEL="WARNING") as stack,
    ):
        environment = {"DATA_DIR": directory, "DATABASE_URL": database_url, "SANDBOX_URL": stack.sandbox_url}
        wiring.start(load(environment))
        with db.connection():
            report = _under_load(stack, count)
        db.database.close_all()
    return report


def _under_load(stack: Stack, count: int) -> dict[str, Any]:
    lesson = a_course()
    people = [a_person(now=utcnow()) for _ in range(50)]
    enrolments = [an_enrolment(person, now=utcnow()) for person in people]
    tokens = [a_session(person) for person in people]
    homes = cycle([request("GET", "/api/v1/home", token=token) for token in tokens])
    paths = [f"/api/v1/enrolments/{row.id}/lessons" for row in enrolments]
    lists = cycle([request("GET", path, token=token) for path, token in zip(paths, tokens, strict=True)])
    a_candidate()  # the bank
    stop, log = Event(), Log()
    work: list[tuple[Any, ...]] = [(stream, stack.port, stop, log, "first screen", 20.0, homes)]
    work += [(stream, stack.port, stop, log, "lessons", 5.0, lists)]
    per_stream = PHONES // 4
    work += [(stream, stack.port, stop, log, "heartbeat", per_stream / EACH, beats(per_stream)) for _ in range(4)]
    work += [(exams, stack.base_url, stop, log), (journeys, stack, stop, log)]
    print(f"{PHONES} phones, {len(people)} people, exams and journeys on {lesson.title} ...", flush=True)
    log.began = time.perf_counter()
    threads = [Thread(target=function, args=arguments, daemon=True) for function, *arguments in work]
    for thread in threads:
        thread.start()
    samples: list[dict[str, Any]] = []
    try:
        while time.perf_counter() - log.began < count * 60:
            time.sleep(SAMPLE)
            children = {name: of_process(child["pid"]) for name, child in stack.children().items()}
            samples.append(
                {"at": round(time.perf_counter() - log.began, 1), **children, "connections": connections()}
            )
            if len(samples) % 12 == 0:
                web = children["web"]
                print(
                    f"  {samples[-1]['at']:>5.0f} s: web {web['pss_mb']} MB, {len(log.answers)} answers", flush=True
                )
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    return {
        "minutes": minutes(log, count),
        "samples": samples,
        "wrong": log.wrong[:20],
        "wrong_count": len(log.wrong),
        "restarts": {name: child["restarts"] for name, child in stack.children().items()},
    }


def judge(report: dict[str, Any]) -> list[dict[str, Any]]:
    """For each process and measure: the last value, its growth, and whether that is flat."""
    found: list[dict[str, Any]] = []

    def judged(process: str, measure: str, slack: float) -> None:
        values = [sample[process][measure] for sample in report["samples"]]
        more, share = growth(values)
        flat = more <= slack or share <= FLAT
        found.append(
            {"process": process, "measure": measure, "last": values[-1], "growth": more, "share": share, "flat": flat}
        )

    for name in [key for key in report["samples"][0] if key not in ("at", "connections")]:
        for measure, slack in SLACK.items():
            judged(name, measure, slack)
    for measure in ("database", "redis"):
        judged("connections", measure, 2)
    return found


def main() -> int:
    """Run, print, write; 1 if something was not answered well, or grows (a run of five minutes or longer)."""
    parser = argparse.ArgumentParser(prog="python -m bench.soak", description=__doc__)
    parser.add_argument("minutes", nargs="?", type=int, default=10)
    options = parser.parse_args()
    now = f"{utcnow():%Y-%m-%d %H:%M} UTC"
    print(f"Soak of {options.minutes} minutes at {now}, {kind(SERVER_URL)} ...", flush=True)
    report = soak(options.minutes)
    verdict = judge(report)
    facts = {"at": now, "database": kind(SERVER_URL), "length": options.minutes, "phones": PHONES}
    for number, minute in enumerate(report["minutes"], start=1):
        shown = ", ".join(f"{what} {row['p50']:g}/{row['p99']:g}" for what, row in minute.items())
        print(f"  minute {number}: p50/p99 in ms: {shown}")
    for row in verdict:
        word = "flat" if row["flat"] else "GROWS"
        print(f"  {row['process']:<12}{row['measure']:<10}{row['last']:>8.1f}  {row['growth']:>+7.2f}  {word}")
    print(f"  not answered well: {report['wrong_count']} {report['wrong'][:3]}; restarts: {report['restarts']}")
    FOLDER.mkdir(exist_ok=True)
    text = json.dumps(facts | report | {"verdict": verdict}, ensure_ascii=False, indent=1)
    (FOLDER / "soak.json").write_text(text + "\n")
    (FOLDER / "soak.svg").write_text(draw(facts | report))
    print("written to build/soak.json and build/soak.svg")
    grows = options.minutes >= 5 and any(not row["flat"] for row in verdict)
    if options.minutes < 5:
        print("too short to say whether anything grows: five minutes or more do")
    return 1 if grows or report["wrong_count"] or any(report["restarts"].values()) else 0


if __name__ == "__main__":
    sys.exit(main())
