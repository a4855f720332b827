"""Row ids, made by the application: 16 characters, in order of time, the same on every database."""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


_lock = threading.Lock()
_last = [0]


def new_id() -> str:
    """40 bits of milliseconds since 2020, then 40 random bits; of one process always greater than the one before, so
    that rows written in one millisecond keep their order. Not a secret: access is checked elsewhere."""
    milliseconds = int(time.time() * 1000) - 1_577_836_800_000
    number = (milliseconds & (1 << 40) - 1) << 40 | secrets.randbits(40)
    with _lock:
        if number <= _last[0]:
            number = _last[0] + 1 + secrets.randbits(24)
        _last[0] = number
    return "".join(_ALPHABET[number >> shift & 31] for shift in range(75, -1, -5))
