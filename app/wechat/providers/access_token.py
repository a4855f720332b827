"""The access token of one appid: all processes share one, and one of them fetches it.

It lies in Redis, sealed, until WeChat would hand out a new one. While Redis is away each process keeps its own:
WeChat gives every one of them the same (docs/decisions/0022-wechat.md).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import redis.exceptions
import structlog

from app.core import crypto
from app.core import redis as redis_clients
from app.wechat.providers.protocol import ProviderUnavailable

log = structlog.get_logger(__name__)

EARLY = 300  # seconds: that long before its end WeChat hands out the next one, and both are good
SHORTEST = 30  # seconds for which a token is kept, however short its life
LEASE = 10.0  # seconds: longer than a fetch takes; then the one who held the lock is taken for dead
PATIENCE = 7.0  # seconds to wait for the one who fetches; then it is fetched without the lock


class AccessToken:
    """`fetch()` asks WeChat and gives the token and the seconds of its life, or raises `ProviderUnavailable`."""

    def __init__(self, appid: str, fetch: Callable[[], tuple[str, int]], clock: Callable[[], float] = time.monotonic):
        self._key = f"wechat:token:{appid}"
        self._fetch = fetch
        self._clock = clock
        self._mine: tuple[str, float] | None = None  # for as long as Redis is away
        self._thread_lock = threading.Lock()
        self._failures = 0

    def get(self) -> str:
        """The token, fetched if nobody has one. Raises `ProviderUnavailable`."""
        return self._known() or self._fetched(refused=None)

    def after(self, refused: str) -> str:
        """The token to use after WeChat refused `refused`: the one that somebody else has fetched since, or a fresh
        one. Raises `ProviderUnavailable`."""
        return self._fetched(refused=refused)

    def _fetched(self, refused: str | None) -> str:
        failures = self._failures
        with self._alone():
            known = self._known()
            if known and known != refused:
                return known
            if self._failures != failures:  # whoever waited in line need not wait for WeChat once more
                raise ProviderUnavailable("no token")
            try:
                token, seconds = self._fetch()
            except ProviderUnavailable:
                self._failures += 1
                raise
            self._keep(token, max(seconds - EARLY, SHORTEST))
            return token

    def _known(self) -> str | None:
        try:
            with redis_clients.hints().trying() as client:
                sealed = client.get(self._key)
        except redis.exceptions.RedisError:
            token, until = self._mine or ("", 0.0)
            return token if self._clock() < until else None
        if sealed is None:
            return None
        try:
            return crypto.fields().open_(str(sealed, "ascii"), self._key)  # type: ignore[arg-type]
        except (crypto.CannotOpen, ValueError):  # sealed by a key that is gone, or not by us: as good as none
            log.warning("wechat_token_unreadable")
            return None

    def _keep(self, token: str, seconds: int) -> None:
        self._mine = (token, self._clock() + seconds)
        try:
            with redis_clients.hints().trying() as client:
                client.set(self._key, crypto.fields().seal(token, self._key), ex=seconds)
        except redis.exceptions.RedisError as error:
            log.warning("wechat_token_kept_here_only", error=type(error).__name__)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of all threads and processes one at a time, as far as Redis can tell."""
        with self._thread_lock:
            lock = redis_clients.hints().client.lock(f"{self._key}:lock", timeout=LEASE, blocking_timeout=PATIENCE)
            try:
                with redis_clients.hints().trying():
                    held = lock.acquire()
            except redis.exceptions.RedisError:
                held = False
            try:
                yield
            finally:
                if held:
                    self._release(lock)

    def _release(self, lock: redis.lock.Lock) -> None:
        try:
            lock.release()
        except redis.exceptions.RedisError as error:  # it ran out, or Redis went away: it ends by itself
            log.warning("wechat_token_lock_lost", error=type(error).__name__)
