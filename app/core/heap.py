"""The C heap of a process with many threads.

glibc gives every thread a heap of its own and, once a large block was freed, takes later ones from it: then each of
sixteen threads keeps what its largest picture needed, for good. With two heaps, and large blocks always from the
system and back to it, memory is flat once the busiest minute is over (`make soak`).
"""

from __future__ import annotations

import ctypes

import structlog

log = structlog.get_logger(__name__)

# mallopt(3)
_MMAP_THRESHOLD, _ARENA_MAX = -3, -8
LARGE = 1024 * 1024  # bytes
HEAPS = 2


def bound() -> bool:
    """Before the first thread starts. False where the C library has no such settings."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    done = mallopt is not None and bool(mallopt(_ARENA_MAX, HEAPS) and mallopt(_MMAP_THRESHOLD, LARGE))
    if not done:
        log.info("heap_not_bounded")
    return done
