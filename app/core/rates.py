"""How often a person and an address may call the API (docs/decisions/0028-rate-limits.md): a floor under everything.

Each process counts for itself, in bounded memory, without asking anybody. What is dear (uploads, signing in) is also
counted in Redis, over all processes and hosts; while Redis is away the process's own count holds. What must hold
exactly has limits of its own in SQL: guesses, codes, face checks.
"""

from __future__ import annotations

import ipaddress
import zlib
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from threading import Lock

import redis.exceptions
import structlog

from app.core import redis as redis_clients
from app.core.errors import TOO_MANY
from config.settings import Settings

log = structlog.get_logger(__name__)

WINDOW = 60  # seconds
ROOM = 50_000  # keys that a counter remembers, about 20 MB: the one that was quiet longest is forgotten first


class Kind(StrEnum):
    """What a request is, as to how often it may come."""

    READ = "read"
    WRITE = "write"
    UPLOAD = "upload"
    HEARTBEAT = "heartbeat"
    SIGN_IN = "sign_in"
    CALLBACK = "callback"


@dataclass(frozen=True)
class Rate:
    """Requests a minute of one person, and of one address. Hundreds of phones of a building site share an address;
    a phone that sends a day without network again writes quickly. `shared`: counted over all hosts."""

    person: int
    address: int
    shared: bool = False


RATES = {
    Kind.READ: Rate(person=300, address=18_000),
    Kind.WRITE: Rate(person=300, address=9_000),
    Kind.UPLOAD: Rate(person=20, address=600, shared=True),
    Kind.HEARTBEAT: Rate(person=120, address=12_000),
    Kind.SIGN_IN: Rate(person=60, address=1_200, shared=True),
    Kind.CALLBACK: Rate(person=0, address=60_000),
}


class Counter:
    """Counts by key within running windows; at most `room` keys."""

    def __init__(self, room: int = ROOM):
        self._room = room
        self._lock = Lock()
        self._counts: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def add(self, key: str, window: int) -> int:
        """Count one more in `window`; gives how many there are now."""
        with self._lock:
            seen, count = self._counts.pop(key, (window, 0))
            count = count + 1 if seen == window else 1
            self._counts[key] = (window, count)
            if len(self._counts) > self._room:
                self._counts.popitem(last=False)
        return count

    def __len__(self) -> int:
        return len(self._counts)

    def clear(self) -> None:
        with self._lock:
            self._counts.clear()


_budgets = Counter()
_persons, _addresses = Counter(), Counter()  # apart: strangers at many addresses push out no person's count
_times = [1]


def init(settings: Settings) -> None:
    """Take the setting `RATE_LIMITS`, which multiplies all limits; called once at the start of each process."""
    _times[0] = settings.rate_limits
    forget()


def forget() -> None:
    """Begin to count anew, in this process."""
    _persons.clear()
    _addresses.clear()
    _budgets.clear()


def check_address(kind: Kind, address: str, *, now: datetime) -> None:
    """Count a request of `kind` from `address`. Raises `too_many_requests` with the seconds to wait."""
    rate = RATES[kind]
    _check(_addresses, kind, kind + ":a:" + network(address), rate.address, rate.shared, now)


def check_person(kind: Kind, person_id: str, *, now: datetime) -> None:
    """Count a request of `kind` of this person, over all their sessions. Raises `too_many_requests`."""
    rate = RATES[kind]
    _check(_persons, kind, kind + ":p:" + person_id, rate.person, rate.shared, now)


def within(budget: str, most: int, *, now: datetime) -> bool:
    """Count one more of something that is dear and can be done without; whether this minute had at most `most` of
    them, over all hosts (while Redis is away: of this process)."""
    window = int(now.timestamp()) // WINDOW
    return max(_budgets.add(budget, window), _everywhere(f"budget:{budget}:{window}")) <= most


def network(address: str) -> str:
    """What counts as one address: an IPv4 address; of IPv6 the 64 bits that one line of a provider has."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address[:64]
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)).network_address)


def _check(counter: Counter, kind: Kind, key: str, most: int, shared: bool, now: datetime) -> None:
    most *= _times[0]
    # each key's minute begins at another second: who was refused does not come back together with all others
    moment = int(now.timestamp()) + zlib.crc32(key.encode())
    window, gone = divmod(moment, WINDOW)
    count = counter.add(key, window)
    if shared and count <= most:
        count = max(count, _everywhere(f"rate:{key}:{window}"))
    if count > most:
        if count == most + 1:
            log.warning("rate_limit_reached", kind=str(kind), of="person" if counter is _persons else "address")
        wait = WINDOW - gone
        raise TOO_MANY(headers={"Retry-After": str(wait)}, retry_after=wait)


def _everywhere(key: str) -> int:
    """One more in Redis, which forgets it by itself; 0 while Redis is away."""
    try:
        with redis_clients.hints().trying() as client, client.pipeline(transaction=False) as pipe:
            pipe.incr(key)
            pipe.expire(key, 2 * WINDOW)
            return int(pipe.execute()[0])
    except redis.exceptions.RedisError as error:
        log.warning("rate_limit_without_redis", error=type(error).__name__)
        return 0
