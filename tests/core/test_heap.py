"""The heap's settings: taken by this machine's C library, and the server's first act."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# many threads that each free a large block, and one after the other hold a small one above it
WORK = """
import threading
from app.core import heap
BOUND and heap.bound()
kept, turn = [], threading.Lock()

def work():
    with turn:  # each at its time, as requests come
        for _ in range(6):
            block = bytearray(24 << 20)
            kept.append([bytes(700) for _ in range(200)])
            del block

threads = [threading.Thread(target=work) for _ in range(16)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmRSS")) // 1024)
"""


def megabytes(bound: bool) -> int:
    """What a process holds after sixteen threads have each had large blocks and given them back."""
    program = WORK.replace("BOUND", str(bound))
    return int(subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout)


@pytest.mark.slow
@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library has another heap")
def test_what_threads_gave_back_is_the_systems_again_and_without_the_settings_it_is_not() -> None:
    assert megabytes(bound=True) + 30 < megabytes(bound=False)
