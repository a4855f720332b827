"""A load maker of a few lines: raw requests over kept connections, and the server's CPU from /proc."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Thread


def request(method: str, path: str, body: bytes = b"", token: str = "", headers: Sequence[str] = ()) -> bytes:
    """The bytes of one HTTP/1.1 request."""
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *headers]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    if body or method != "GET":
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Cut(ConnectionError):
    """The server hung up on a request."""


def connect(port: int, patience: float = 30) -> socket.socket:
    """A connection to this machine's `port`, which waits for `patience` seconds."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=patience)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange(connection: socket.socket, data: bytes) -> int:
    """Send one request, read its whole answer; gives the status."""
    connection.sendall(data)
    answer = b""
    while b"\r\n\r\n" not in answer:
        piece = connection.recv(65536)
        if not piece:
            raise Cut("in the middle of an answer" if answer else "before an answer")
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")), 0
    )
    while len(body) < length:
        piece = connection.recv(65536)
        if not piece:
            raise Cut("in the middle of an answer")
        body += piece
    return int(head.split(b" ", 2)[1])


@dataclass
class Sent:
    """What became of a load: statuses that are not 2xx (0: no answer), seconds that each took, in no order."""

    bad: list[int]
    seconds: list[float]

    def percentile(self, share: float) -> float:
        """The time within which this share of the answers came, in milliseconds."""
        found = sorted(self.seconds)
        return found[min(len(found) - 1, int(len(found) * share))] * 1000


def drive(
    port: int,
    requests: Sequence[bytes],
    connections: int = 4,
    *,
    per_second: float | None = None,
    patience: float = 30,
) -> Sent:
    """Send all requests over `connections` kept connections: as fast as they are answered, or `per_second`, whether
    answered or not; the time of an answer then runs from when its request was due. A connection on which nothing
    comes for `patience` seconds, or that is cut, sends no more."""
    sent = Sent([], [])
    began = time.perf_counter()

    def work(first: int) -> None:
        with connect(port, patience) as connection:
            for number in range(first, len(requests), connections):
                due = time.perf_counter()
                if per_second:
                    due = began + number / per_second
                    time.sleep(max(0.0, due - time.perf_counter()))
                try:
                    status = exchange(connection, requests[number])
                except OSError:
                    status = 0
                sent.seconds.append(time.perf_counter() - due)
                if not 200 <= status < 300:
                    sent.bad.append(status)
                if status == 0:
                    return

    threads = [Thread(target=work, args=(number,)) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sent


def processes(pid: int) -> list[int]:
    """A process and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            except OSError:
                continue  # it ended meanwhile
            children.setdefault(int(parent), []).append(int(entry.name))
    found, pending = [], [pid]
    while pending:
        found.append(pending.pop())
        pending += children.get(found[-1], [])
    return found


def cpu_seconds(pid: int) -> float:
    """The time that a process and its descendants ran, in seconds, to the microsecond (a clock tick is 10 ms)."""
    total = 0
    for process in processes(pid):
        for task in Path(f"/proc/{process}/task").glob("*/schedstat"):
            with contextlib.suppress(OSError):  # a thread that ended meanwhile
                total += int(task.read_text().split()[0])
    return total / 1e9
