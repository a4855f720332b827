"""`make journeys`: one trainee's whole path on PostgreSQL and Redis, by each way to pay, and with providers that are
slow, fail or lie; side by side, since a trainee mostly watches films. Exit status 1 if one does not arrive.

The servers: TEST_POSTGRESQL_URL, TEST_REDIS_URL; default: this machine's. Each journey has a database of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from config.settings import ROOT

AT_ONCE = 3
APART = 8  # seconds between two starts: starting is what takes the processors
POSTGRESQL = os.environ.get("TEST_POSTGRESQL_URL", "postgresql://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379").rstrip("/")
FIRST_NUMBER = 9  # of Redis' databases; each journey borrows an empty one

WAYS: tuple[tuple[str, ...], ...] = (
    ("--channel", "wechat_native"),
    ("--channel", "wechat_jsapi"),
    ("--channel", "alipay_qr"),
    ("--channel", "unionpay_b2c"),
    ("--channel", "wechat_native", "--trouble", "slow"),
    ("--channel", "wechat_jsapi", "--trouble", "failing"),
    ("--channel", "alipay_qr", "--trouble", "lying"),
)


def walk(number: int) -> bool:
    """One journey; its words are shown when it is over. True if it arrived."""
    time.sleep(APART * (number % AT_ONCE))
    way = WAYS[number]
    servers = {"DATABASE_URL": POSTGRESQL, "REDIS_URL": f"{REDIS}/{FIRST_NUMBER + number}"}
    command = [sys.executable, "-m", "ops.journey", "--programme", "yunnan", *way]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **servers}, capture_output=True, text=True)
    words = (done.stdout + done.stderr).strip().splitlines()
    last = next((line for line in reversed(words) if "Arrived" in line or "SURPRISE" in line), "")
    print(f"{'ok  ' if done.returncode == 0 else 'LOST'} {' '.join(way)}  {last}", flush=True)
    if done.returncode != 0:
        print("\n".join(words[-30:]), flush=True)
    return done.returncode == 0


def main() -> None:
    """Walk them all."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        arrived = list(pool.map(walk, range(len(WAYS))))
    sys.exit(0 if all(arrived) else 1)


if __name__ == "__main__":
    main()
