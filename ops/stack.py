"""A whole running copy in a directory of its own, on free ports: for journey, fault experiments and bench."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import requests

from config.settings import ROOT


def free_pair() -> int:
    """A port that is free together with the next one; below those that outgoing connections take at any moment."""
    while True:
        port = 12_000 + secrets.randbelow(20_000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
            return port


class Stack:
    """`with Stack(directory) as stack:` is up when the block begins, and stopped when it ends."""

    def __init__(self, directory: Path, **environment: str):
        self.directory = directory
        self.port = free_pair()
        self.base_url = f"http://127.0.0.1:{self.port}"
        self.sandbox_url = f"http://127.0.0.1:{self.port + 1}"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Stack:
        self.directory.mkdir(parents=True, exist_ok=True)
        environment = {**os.environ, "DATA_DIR": str(self.directory), "PORT": str(self.port)}
        environment.setdefault("PROGRAMMES_DIR", str(ROOT / "config" / "programmes"))  # the real ones, no more
        for name in ("REDIS_URL", "HEARTBEAT_REDIS_URL", "DATABASE_URL", "SANDBOX_URL", "PUBLIC_URL", "SECRETS_DIR"):
            environment.pop(name, None)
        with (self.directory / "run.log").open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "ops.run"],
                cwd=ROOT,
                env={**environment, **self._environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait()
        except BaseException:
            self.stop()
            raise
        return self

    def _wait(self, seconds: float = 240) -> None:
        deadline = time.monotonic() + seconds
        while not self.ready():
            if self._process is None or self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the copy did not come up: {self.log()[-2000:]}")
            time.sleep(0.2)

    def ready(self) -> bool:
        """True while web, worker, cron, flusher, Redis and database are up."""
        try:
            return requests.get(f"{self.base_url}/readyz", timeout=3).status_code == 200
        except requests.RequestException:
            return False

    def log(self) -> str:
        """What the supervisor has said so far."""
        return (self.directory / "run.log").read_text(errors="replace")

    def children(self) -> dict[str, dict[str, Any]]:
        """Name → {pid, restarts}."""
        children: dict[str, dict[str, Any]] = json.loads((self.directory / "run.json").read_text())["children"]
        return children

    def kill(self, name: str) -> None:
        """SIGKILL the process group of `name`; the supervisor starts it again."""
        os.killpg(self.children()[name]["pid"], signal.SIGKILL)

    def stop(self) -> None:
        """Stop it as Ctrl-C does."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGINT)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(self._process.pid, signal.SIGKILL)
                raise

    def __exit__(self, *_: object) -> None:
        self.stop()
