"""Five journeys, one each for web, worker, cron, flusher and Redis: that process is SIGKILLed at ten moments and
started again by the supervisor. Nothing acknowledged may be lost, and the journey must arrive. (The films' worker, of
which a trainee's journey knows nothing, is killed in films.py.)

The journeys run in parallel, each in a copy of its own, as a patient phone: what is away is tried again.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from app.core.clock import utcnow
from app.policy import load as policy
from config.settings import ROOT
from ops.client import Client
from ops.databases import own_database
from ops.stack import Stack
from ops.trainee import Journey

TARGETS = ("web", "worker", "cron", "flusher", "redis")
PATIENCE = 90.0


@dataclass
class Outcome:
    """What came of one journey; `wrong` is empty if all is well."""

    target: str
    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    seconds: float = 0.0


# The moments: a step of the journey, and the how-manieth time it is reached.
MOMENTS = (
    ("短信激活", 1),
    ("实名核验", 1),
    ("缴费", 1),
    ("学习", 1),
    ("watching", 1),
    ("watching", 4),
    ("考试", 1),
    ("answering", 1),
    ("answering", 3),
    ("合格证明", 1),
)
APART = 3.0  # seconds between two kills, so that each one hits a process that works


class Killer:
    """Kills `target` at each of the moments, a random part of a second after it was reached."""

    def __init__(self, stack: Stack, target: str):
        self.stack, self.target, self.kills = stack, target, 0
        self._random = random.Random(target)
        self._reached: Counter[str] = Counter()
        self._last = 0.0

    def on_step(self, name: str) -> None:
        """A step begins; if it is one of the moments, the kill happens while it is under way."""
        self._reached[name] += 1
        if (name, self._reached[name]) not in MOMENTS:
            return
        time.sleep(max(0.0, self._last + APART - time.monotonic()))
        self._last = time.monotonic()
        self.kills += 1
        Thread(target=self._kill_after, args=(self._random.uniform(0.0, 0.5),), daemon=True).start()

    def _kill_after(self, delay: float) -> None:
        time.sleep(delay)
        self.stack.kill(self.target)


def run_one(directory: Path, target: str, server: str, say: Callable[[str], None]) -> Outcome:
    """One journey with its killings, over a database of its own at `server` (its URL; empty: SQLite)."""
    outcome = Outcome(target)
    began = time.monotonic()
    try:
        directory.mkdir()
        with own_database(server, directory, durable=True) as url, Stack(directory, DATABASE_URL=url) as stack:
            killer = Killer(stack, target)
            programme = policy.in_force("yunnan", utcnow())
            journey = Journey(
                Client(stack.base_url, PATIENCE),
                Client(stack.sandbox_url, PATIENCE),
                programme,
                say=lambda text: say(f"{target:<8}{text}"),
                on_step=killer.on_step,
            )
            evidence = journey.walk()
            outcome.kills = killer.kills
            deadline = time.monotonic() + 60
            # the last kill may still be under way, and a mark of life outlives its process by some seconds
            while time.monotonic() < deadline:
                if stack.ready() and stack.children()[target]["restarts"] >= killer.kills:
                    break
                time.sleep(0.5)
            if not stack.ready():
                outcome.wrong.append("the copy is not ready again after the last kill")
            restarts = stack.children()[target]["restarts"]
            if killer.kills != len(MOMENTS) or restarts != killer.kills:
                outcome.wrong.append(f"{killer.kills} kills and {restarts} new starts: the experiment is void")
            outcome.wrong += still_there(journey, evidence)
            outcome.wrong += audit(directory, stack, url)
    except Exception as error:  # whatever ends a journey is this experiment's result
        outcome.wrong.append(f"{type(error).__name__}: {error}")
    outcome.seconds = time.monotonic() - began
    return outcome


def still_there(journey: Journey, evidence: dict[str, object]) -> list[str]:
    """What was acknowledged on the way, asked for once more at the end."""
    wrong = []
    home = journey.client.get("/api/v1/home")
    training = next((t for t in home["trainings"] if t["enrolment_id"] == evidence["enrolment_id"]), None)
    if training is None or training["status"] != "completed" or training["percent"] != 100:
        wrong.append(f"the training is {training}")
    elif training["proof_number"] != evidence["proof"]:
        wrong.append("the proof has another number")
    orders = journey.client.get("/api/v1/orders")["orders"]
    paid = [order for order in orders if order["status"] == "paid"]
    if len(paid) != 1 or len(orders) != 1:
        wrong.append(f"{len(orders)} orders, {len(paid)} of them paid")
    return wrong


def copy_environment(directory: Path, stack: Stack, database_url: str) -> dict[str, str]:
    """In which a process starts as the copy's own do."""
    return {
        **os.environ,
        "DATA_DIR": str(directory),
        "PORT": str(stack.port),
        "LOG_LEVEL": "ERROR",
        "SECRETS_DIR": str(directory / "secrets"),
        "DATABASE_URL": database_url,
        "SANDBOX_URL": stack.sandbox_url,
    }


def audit(directory: Path, stack: Stack, database_url: str) -> list[str]:
    """Every audit over the copy's database."""
    environment = copy_environment(directory, stack, database_url)
    argv = [sys.executable, "-m", "ops.manage", "audit"]
    result = subprocess.run(argv, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60)
    return [] if result.returncode == 0 else [line for line in (result.stdout + result.stderr).splitlines() if line]


def run(directory: Path, server: str, say: Callable[[str], None]) -> list[Outcome]:
    """All journeys, in parallel."""
    policy.init(ROOT / "config" / "programmes")
    outcomes: list[Outcome] = []
    threads = [
        Thread(target=lambda target=target: outcomes.append(run_one(directory / target, target, server, say)))
        for target in TARGETS
    ]
    for thread in threads:
        thread.start()
        time.sleep(1.5)  # copies that all start at once would only wait for each other
    for thread in threads:
        thread.join()
    return outcomes
