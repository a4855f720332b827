"""Child processes under supervision: started in a group of their own, restarted when they die, stopped together."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from config.settings import ROOT

STOP_SECONDS = 10
PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """On Linux a child gets TERM when the supervisor is killed outright."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


@dataclass
class Child:
    """One supervised process. Its output goes to `<logs>/<name>.log`."""

    name: str
    argv: Sequence[str]
    env: Mapping[str, str]
    logs: Path
    folder: Path | None = None  # made, if it is gone, before each start
    process: subprocess.Popen[bytes] | None = None
    restarts: int = 0
    started_at: float = field(default=0.0)
    not_before: float = field(default=0.0)

    def start(self) -> None:
        """Start it now."""
        if self.folder is not None:
            self.folder.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.argv,
                env={**os.environ, **self.env},
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )
        self.started_at = time.monotonic()

    @property
    def log(self) -> Path:
        return self.logs / f"{self.name}.log"

    def last_words(self, lines: int = 3) -> str:
        """The end of its log."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process else None

    def died(self) -> bool:
        """True if it was started and is gone."""
        return self.process is not None and self.process.poll() is not None

    def signal(self, number: int) -> None:
        """Send a signal to the whole group; a group that is gone is fine."""
        if self.process is not None:
            try:
                os.killpg(self.process.pid, number)
            except ProcessLookupError:
                return


class Supervisor:
    """Keeps `children` alive, in their order; `state_file` tells others their pids and restarts."""

    def __init__(self, state_file: Path):
        self.children: list[Child] = []
        self.state_file = state_file

    def add(self, child: Child) -> Child:
        """Start `child` and keep it alive from now on."""
        child.start()
        self.children.append(child)
        self.write_state()
        return child

    def write_state(self) -> None:
        """Write the state file, at once or not at all."""
        state = {
            "supervisor": os.getpid(),
            "children": {child.name: {"pid": child.pid, "restarts": child.restarts} for child in self.children},
        }
        temporary = self.state_file.with_suffix(".tmp")
        temporary.write_text(json.dumps(state))
        temporary.replace(self.state_file)

    def check(self) -> list[str]:
        """Restart what died; gives the names. A process that dies within 5 s of its start waits a second."""
        restarted = []
        now = time.monotonic()
        for child in self.children:
            if not child.died():
                continue
            if child.not_before == 0.0:
                child.signal(signal.SIGKILL)  # what is left of its group must not keep the port
                child.not_before = now + (1.0 if now - child.started_at < 5 else 0.0)
            if now >= child.not_before:
                child.not_before = 0.0
                child.restarts += 1
                child.start()
                restarted.append(child.name)
        if restarted:
            self.write_state()
        return restarted

    def stop(self) -> None:
        """TERM to each, the last started first; KILL to what has not ended after 10 s."""
        for child in reversed(self.children):
            child.signal(signal.SIGTERM)
            deadline = time.monotonic() + STOP_SECONDS
            while not child.died() and child.process is not None and time.monotonic() < deadline:
                time.sleep(0.02)
            child.signal(signal.SIGKILL)
            if child.process is not None:
                child.process.wait()
        self.state_file.unlink(missing_ok=True)
