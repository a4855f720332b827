"""KILL-films: a teacher uploads films while the worker that makes them watchable is SIGKILLed: with nothing to do,
just after two films have come, and in the middle of two more. Every film must be there in the end, whole, and nothing
else of the copy may fall.

Few kills, for each in the middle of a film costs the two and a half minutes after which a silent worker is taken for
dead; they pass together.
"""

from __future__ import annotations

import hashlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import requests

from app.console.teaching_words import FILMS
from app.study.status import FilmStatus
from app.study.teaching.transcoding import SILENT
from app.study.teaching.uploads import CHUNK
from config.settings import ROOT
from ops.databases import own_database
from ops.demo.staff import PASSWORD
from ops.stack import Stack
from tests.faults.kill import Outcome, audit, copy_environment
from tests.study.teaching.studio import a_file

TARGET = "films"
SECONDS = 40  # of a film: long enough to be met in the middle
KILLS = 4
PATIENCE = 240.0  # after the last worker that was killed is taken for dead


class Teacher:
    """One of the demonstration's teachers at the console."""

    def __init__(self, stack: Stack, environment: dict[str, str], login: str = "jiaowu"):
        self.base, self.http = stack.base_url, requests.Session()
        self.ids: dict[str, str] = {}
        self.http.post(f"{self.base}/console/sign-in", data={"login": login, "password": PASSWORD}, timeout=15)
        shown = subprocess.run(
            [sys.executable, "-m", "ops.demo.staff"],
            cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        code = next(line.split()[-1] for line in shown.splitlines() if line.split()[:1] == [login])
        form = {"csrf": self._csrf("/console/second-factor"), "code": code}
        self.http.post(f"{self.base}/console/second-factor", data=form, timeout=15)
        self.http.headers["X-CSRF-Token"] = self._csrf("/console/films")

    def _csrf(self, path: str) -> str:
        found = re.search(r'name="csrf" value="([^"]+)"', self.http.get(f"{self.base}{path}", timeout=15).text)
        if found is None:
            raise RuntimeError(f"{path} shows no form: not signed in")
        return found[1]

    def begin(self, data: bytes) -> str:
        """The film of these bytes: its id."""
        form = {"programme": "yunnan", "name": "吊装.mp4", "title": "吊装", "size": str(len(data))}
        form["fingerprint"] = digest(data)
        answer = self.http.post(f"{self.base}/console/films", data=form, timeout=15)
        answer.raise_for_status()
        self.ids[digest(data)] = answer.json()["id"]
        return self.ids[digest(data)]

    def upload(self, data: bytes) -> None:
        """All of it, in pieces."""
        path = f"{self.base}/console/films/{self.begin(data)}/upload"
        for offset in range(0, len(data), CHUNK):
            piece = data[offset : offset + CHUNK]
            headers = {
                "Content-Type": "application/offset+octet-stream",
                "Upload-Offset": str(offset),
                "Upload-Checksum": f"sha256-hex {digest(piece)}",
            }
            self.http.patch(path, data=piece, headers=headers, timeout=60).raise_for_status()

    def status(self, data: bytes) -> str:
        """How far the film is, as its line in the library says."""
        line = self.http.get(f"{self.base}/console/films/{self.ids[digest(data)]}/row", timeout=15)
        line.raise_for_status()
        return next(str(status) for status, (word, _) in FILMS.items() if f">{word}<" in line.text)

    def plays(self, data: bytes) -> bool:
        """Whether its page has a film that a browser could play."""
        page = self.http.get(f"{self.base}/console/films/{self.ids[digest(data)]}", timeout=15).text
        link = re.search(r'src="(/video/[^"]+)"', page)
        if link is None:
            return False
        head = self.http.get(self.base + link[1], headers={"Range": "bytes=0-1023"}, timeout=15)
        return head.status_code == 206 and head.content[4:8] == b"ftyp"


def digest(data: bytes) -> str:
    """SHA-256 in hexadecimal digits."""
    return hashlib.sha256(data).hexdigest()


def until(what: Callable[[], bool], seconds: float) -> bool:
    """Whether it came true in that time."""
    deadline = time.monotonic() + seconds
    while not (done := what()) and time.monotonic() < deadline:
        time.sleep(0.5)
    return done


def kill(stack: Stack) -> None:
    """Kill the worker, and wait until the supervisor has started the next one."""
    before = stack.children()[TARGET]["restarts"]
    stack.kill(TARGET)
    if not until(lambda: stack.children()[TARGET]["restarts"] > before, 30):
        raise RuntimeError("the supervisor did not start the worker again")


def run_one(directory: Path, server: str, say: Callable[[str], None]) -> Outcome:
    """The uploads and the kills, over a database of its own at `server` (its URL; empty: SQLite)."""
    outcome = Outcome(TARGET)
    began = time.monotonic()
    try:
        directory.mkdir()
        films = [a_film(directory, number) for number in range(KILLS)]
        with own_database(server, directory, durable=True) as url, Stack(directory, DATABASE_URL=url) as stack:
            teacher = Teacher(stack, copy_environment(directory, stack, url))
            outcome.wrong += killed(stack, teacher, films, lambda text: say(f"{TARGET:<8}{text}"))
            outcome.kills = stack.children()[TARGET]["restarts"]
            if outcome.kills != KILLS:
                outcome.wrong.append(f"{outcome.kills} new starts: the experiment is void")
            others = {name: one["restarts"] for name, one in stack.children().items() if name != TARGET}
            outcome.wrong += [f"{name} fell too" for name, restarts in others.items() if restarts]
            outcome.wrong += audit(directory, stack, url)
    except Exception as error:  # whatever ends it is this experiment's result
        outcome.wrong.append(f"{type(error).__name__}: {error}")
    outcome.seconds = time.monotonic() - began
    return outcome


def a_film(directory: Path, number: int) -> bytes:
    """One that differs from the others."""
    path = directory / f"camera-{number}.mp4"
    return a_file(path, seconds=SECONDS + number, size="1280x720").read_bytes()


def killed(stack: Stack, teacher: Teacher, films: list[bytes], say: Callable[[str], None]) -> list[str]:
    """What is wrong in the end."""
    quick, just_come, *in_the_middle = films
    kill(stack)
    say("killed with nothing to do")
    teacher.upload(quick)
    teacher.upload(just_come)
    kill(stack)
    say("killed just after two films had come")
    for film in in_the_middle:
        teacher.upload(film)
        if not until(lambda film=film: teacher.status(film) == FilmStatus.TRANSCODING, 120):  # type: ignore[misc]
            return [f"a film is {teacher.status(film)} and not under way: the experiment is void"]
        kill(stack)
        if teacher.status(film) != FilmStatus.TRANSCODING:
            return ["a film was not met in the middle: the experiment is void"]
        say("killed in the middle of a film")
    say("waiting until the silent workers are taken for dead")
    time.sleep(SILENT.total_seconds())
    until(lambda: all(teacher.status(film) not in ("queued", "transcoding") for film in films), PATIENCE)
    wrong = [
        f"film {number} is {teacher.status(film)}" for number, film in enumerate(films) if not teacher.plays(film)
    ]
    say(f"{len(films) - len(wrong)} of {len(films)} films can be watched")
    return wrong
