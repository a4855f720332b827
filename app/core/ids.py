"""Row ids, made by the application: 16 characters, in order of time, the same on every database."""

from __future__ import annotations

import os
import random
import threading
import time
from datetime import UTC, datetime

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]  # 10 bits a look-up: half the time
_EPOCH = 1_577_836_800_000  # 2020, in milliseconds
_lock = threading.Lock()
_last = [0]
_chance = random.Random()  # noqa: S311 - seeded by the system, without a call of the kernel for each id
os.register_at_fork(after_in_child=_chance.seed)  # a forked process would go on as its parent does


def new_id() -> str:
    """40 bits of milliseconds since 2020, then 40 random bits; of one process always greater than the one before, so
    that rows written in one millisecond keep their order. Not a secret: access is checked elsewhere."""
    milliseconds = int(time.time() * 1000) - _EPOCH
    number = (milliseconds & (1 << 40) - 1) << 40 | _chance.getrandbits(40)
    with _lock:
        if number <= _last[0]:
            number = _last[0] + 1 + _chance.getrandbits(24)
        _last[0] = number
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(70, -1, -10)])


def made_at(row_id: str) -> datetime:
    """When `new_id` made this id, to the millisecond. Raises ValueError for what is no id."""
    if len(row_id) != 16:
        raise ValueError(f"not an id: {row_id!r}")
    number = 0
    for character in row_id:
        number = number << 5 | _ALPHABET.index(character)
    return datetime.fromtimestamp(((number >> 40) + _EPOCH) / 1000, UTC)
