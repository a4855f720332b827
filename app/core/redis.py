"""Redis clients, one a process and purpose: queues (RQ), heartbeats, and what may be lost (hints, marks)."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from config.settings import Settings, SettingsError

QUICK = 0.4  # seconds: a request that waits for a hint waits for no more than this
PAUSE = 5.0  # seconds without a try after a failure
BEAT = 1.5  # seconds: a phone keeps its chunks and comes again, a server thread that waits serves nobody
BEAT_PAUSE = 2.0
LOOK = 1.0
SENTINEL = "redis+sentinel://"
_WRONG = (
    redis.exceptions.AuthenticationError,
    redis.exceptions.AuthorizationError,
    redis.exceptions.InvalidResponse,
    redis.exceptions.ResponseError,
)

log = structlog.get_logger(__name__)

_clients: dict[str, redis.Redis] = {}


class Hints:
    """A client that answers quickly or not at all: after one of the failures `over` it is not tried for `pause`
    seconds; then one caller tries, and the others follow if that one was answered."""

    def __init__(
        self,
        client: redis.Redis,
        clock: Callable[[], float] = time.monotonic,
        pause: float = PAUSE,
        over: type[redis.exceptions.RedisError] = redis.exceptions.RedisError,
    ):
        self.client = client
        self._clock, self._pause, self._over = clock, pause, over
        self._lock = threading.Lock()
        self._not_before: float | None = None  # None: the last try was answered

    def begin(self) -> None:
        """Before a try. Raises `RedisError` while Redis is taken for away."""
        if self._not_before is None:
            return
        with self._lock:
            if self._not_before is not None:
                if self._clock() < self._not_before:
                    raise redis.exceptions.ConnectionError("Redis failed a moment ago")
                self._not_before = self._clock() + self._pause

    def end(self, error: BaseException | None = None) -> None:
        """After a try that ended with `error`."""
        self._not_before = self._clock() + self._pause if isinstance(error, self._over) else None

    @contextmanager
    def trying(self) -> Iterator[redis.Redis]:
        """The client, for a few commands. Raises `RedisError`, at once while Redis is taken for away."""
        self.begin()
        try:
            yield self.client
        except redis.exceptions.RedisError as error:
            self.end(error)
            raise
        self.end()


_hints: list[Hints] = []
_beats: list[Hints] = []


def init(settings: Settings) -> None:
    """Make the clients; nothing connects before the first command. Timeouts in seconds. Raises as `check`."""
    check(settings)
    usual = {"socket_connect_timeout": 2, "health_check_interval": 30, "max_connections": 64}
    _clients["queue"] = client(settings.redis_url, socket_timeout=5, **usual)
    _clients["heartbeat"] = client(settings.heartbeat_redis_url, socket_timeout=BEAT, **usual)
    _hints[:] = [Hints(quick_client(settings.redis_url))]
    # A Redis that refuses says so at once: only one that hangs is left alone.
    _beats[:] = [Hints(_clients["heartbeat"], pause=BEAT_PAUSE, over=redis.exceptions.TimeoutError)]


def client(url: str, **options: Any) -> redis.Redis:
    """A client of the Redis at `url`, or of the primary that Sentinels name:
    `redis+sentinel://[user:password@]host:port,host:port/name-of-the-primary[/number of the database]`; user and
    password are the primary's. Raises `ValueError`."""
    if not url.startswith(SENTINEL):
        number = urlsplit(url).path.strip("/")
        if not url.startswith("unix://") and number and not number.isdigit():
            raise ValueError(f"a Redis numbers its databases, and has none called {number!r}")
        return redis.Redis.from_url(url, **options)
    found = re.fullmatch(r"(?:([^:@/]*):([^@/]*)@)?([^/@]+)/([\w.-]+)(?:/(\d+))?", url.removeprefix(SENTINEL))
    if found is None:
        raise ValueError("a Sentinel URL is redis+sentinel://host:port,host:port/name/0")
    user, password, hosts, name, number = found.groups()
    addresses = []
    for host in hosts.split(","):
        address, _, port = host.rpartition(":")
        if not address or not port.isdigit():
            raise ValueError("a Sentinel is named by host:port")
        addresses.append((address, int(port)))
    if password:
        options |= {"username": unquote(user or "") or None, "password": unquote(password)}
    asking = {"socket_timeout": QUICK, "socket_connect_timeout": QUICK}
    sentinel = Sentinel(addresses, sentinel_kwargs=asking)
    primary: redis.Redis = sentinel.master_for(name, db=int(number or 0), **options)
    return primary


def quick_client(url: str) -> redis.Redis:
    """A client that gives up after `QUICK` seconds; only a connection that was cut is made anew, once."""
    again = Retry(NoBackoff(), 1, supported_errors=(redis.exceptions.ConnectionError,))
    return client(url, socket_timeout=QUICK, socket_connect_timeout=QUICK, retry=again, max_connections=64)


def named(settings: Settings) -> dict[str, str]:
    """The settings that name a Redis, each with its address: one, or two that differ."""
    found = {"REDIS_URL": settings.redis_url}
    if settings.heartbeat_redis_url != settings.redis_url:
        found["HEARTBEAT_REDIS_URL"] = settings.heartbeat_redis_url
    return found


def check(settings: Settings) -> None:
    """Raises `SettingsError`, naming the setting, for an address that is none."""
    for name, url in named(settings).items():
        try:
            client(url)
        except ValueError as error:
            raise SettingsError(f"{name} is no address of a Redis: {error}") from None


def missing(name: str, url: str) -> str | None:
    """None if the Redis that the setting `name` names answers; a sentence for its owner if none does. Raises
    `SettingsError` where somebody answers, but not to us: a wrong password or number, another kind of server."""
    where = re.sub(r"//.*@", "//", url).partition("?")[0]  # without user and password
    once = Retry(NoBackoff(), 0)
    try:
        with client(url, socket_timeout=LOOK, socket_connect_timeout=LOOK, retry=once) as asked:
            asked.ping()
    except _WRONG as error:
        raise SettingsError(f"{name}: {where} does not let us in, or is no Redis: {error}") from None
    except redis.exceptions.RedisError as error:
        return f"{name}: no Redis answers at {where}: {str(error).partition(' : ')[0]}"  # then: a whole client
    return None


def look(settings: Settings) -> None:
    """At the start of a process: a Redis that is away is told in the log, and waited for by what needs it; the rest
    goes on. Raises `SettingsError` for an address that is wrong."""
    for name, url in named(settings).items():
        if sentence := missing(name, url):
            log.warning("redis_away", sentence=sentence)


def queue() -> redis.Redis:
    """The Redis of RQ's queues and of liveness marks."""
    return _clients["queue"]


def heartbeat() -> redis.Redis:
    """The Redis of leases and heartbeats."""
    return _clients["heartbeat"]


def hints() -> Hints:
    """The same Redis as `queue()`, for hints and marks: with short patience."""
    return _hints[0]


def beats() -> Hints:
    """The same Redis as `heartbeat()`, left alone for a moment after it hung."""
    return _beats[0]
