"""A line to one provider over HTTPS: connections that are kept, time limits, one more try, a breaker.

For providers whose calls may be repeated (each carries a number of ours), unless the caller says otherwise. Our own
answer must be out within five seconds, so that a call has four.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import BinaryIO

import requests
from requests.adapters import HTTPAdapter

from app.core.breaker import Breaker

TIMEOUT = (1.0, 3.0)  # seconds to connect, and to wait for the next bytes
TOTAL = 4.0  # seconds for the whole answer
AT_ONCE = 0.5  # seconds: a line that broke sooner than this is tried once more
MAX_ANSWER = 256 * 1024
DOWNLOAD = 60.0  # seconds for a whole file, which nobody waits for


@dataclass(frozen=True)
class Answer:
    """What came back: a status of 2xx or 4xx."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Line:
    """`trouble` is raised for everything that is no answer: time-outs, broken lines, 3xx, 429, 5xx, too much."""

    def __init__(self, name: str, trouble: type[Exception]):
        self.breaker = Breaker(name, trouble)
        self._trouble = trouble
        self._session = requests.Session()
        self._session.trust_env = False
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=32))

    def send(
        self,
        method: str,
        url: str,
        *,
        data: bytes | None = None,
        headers: Mapping[str, str],
        again: bool = True,
        limit: int = MAX_ANSWER,
    ) -> Answer:
        """One call, whose answer has at most `limit` bytes; tried once more on a line that broke at once, if `again`.
        Raises `trouble`, at once while the provider is out of order."""
        with self.breaker:
            began = time.monotonic()
            try:
                try:
                    return self._send(method, url, data, headers, limit, began + TOTAL)
                except requests.ConnectionError as error:
                    late = isinstance(error, requests.Timeout) or time.monotonic() - began > AT_ONCE
                    if late or not again:
                        raise
                    # a kept connection that the other side had given up, or a network that stumbled
                    return self._send(method, url, data, headers, limit, began + TOTAL)
            except requests.RequestException as error:
                raise self._trouble(type(error).__name__) from error

    def download(
        self, url: str, into: BinaryIO, *, headers: Mapping[str, str], limit: int, data: bytes | None = None
    ) -> None:
        """Write the answer to a GET (with `data`: a POST), of at most `limit` bytes, into a file. Raises `trouble`,
        for every status but 200 too."""
        with self.breaker:
            until, size = time.monotonic() + DOWNLOAD, 0
            try:
                with self._session.request(
                    "GET" if data is None else "POST",
                    url,
                    data=data,
                    headers=dict(headers),
                    timeout=TIMEOUT,
                    allow_redirects=False,
                    stream=True,
                ) as response:
                    if response.status_code != 200:
                        raise self._trouble(f"status {response.status_code}")
                    for chunk in response.iter_content(64 * 1024):
                        size += into.write(chunk)
                        if size > limit or time.monotonic() > until:
                            raise self._trouble("a file too long or too slow")
            except requests.RequestException as error:
                raise self._trouble(type(error).__name__) from error

    def _send(
        self, method: str, url: str, data: bytes | None, headers: Mapping[str, str], limit: int, until: float
    ) -> Answer:
        with self._session.request(
            method, url, data=data, headers=dict(headers), timeout=TIMEOUT, allow_redirects=False, stream=True
        ) as response:
            body = b""
            for chunk in response.iter_content(16 * 1024):
                body += chunk
                if len(body) > limit or time.monotonic() > until:
                    raise self._trouble("an answer too long or too slow")
            status = response.status_code
            if status == 429 or not (200 <= status < 300 or 400 <= status < 500):
                raise self._trouble(f"status {status}")
            return Answer(status, response.headers, body)
