"""Passwords as they are kept: argon2id, with as many at a time as the memory bears."""

from __future__ import annotations

import functools
import os
from threading import BoundedSemaphore

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

# OWASP's Password Storage Cheat Sheet: argon2id with 19 MiB, 2 passes, 1 lane
_hasher = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)
_slots = BoundedSemaphore(2 * (os.cpu_count() or 2))  # bounds the memory that many logins at once take


def hash_(password: str) -> str:
    """The argon2id hash to store."""
    with _slots:
        return _hasher.hash(password)


def verify(stored: str | None, password: str) -> bool:
    """Whether it is the password of this hash; one verification also where there is none (None), which is never
    right, so that both take the same time (fault L5)."""
    with _slots:
        try:
            return _hasher.verify(_nobodys() if stored is None else stored, password) and stored is not None
        except (VerificationError, InvalidHashError):
            return False


@functools.cache
def _nobodys() -> str:
    return _hasher.hash("nobody has this one")
