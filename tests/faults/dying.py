"""A process that takes and applies notifications in children, each of which SIGKILLs itself before its n-th SQL
statement (fault P12). Reads a JSON object a line: {after, headers, body}; answers {killed}. `--emit-later` is the
broken twin: it writes the outbox after the commit instead of with it."""

from __future__ import annotations

import json
import os
import signal
import sys
from typing import Any

from app import create_app
from app.core import db, inbox, outbox
from app.core.clock import utcnow
from tests.pay.till import CALLBACK


class Fuse:
    """Burns down with each statement."""

    def __init__(self, statements: int):
        self.left = statements

    def guard(self, name: str) -> None:
        """Make the database's method `name` count as a statement."""
        engine = db.database.obj
        real = getattr(engine, name)

        def burning(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left <= 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **kwargs)

        setattr(engine, name, burning)


def _emit_later(event: str, key: str, payload: dict[str, str], **more: Any) -> None:
    def emit() -> None:
        with db.transaction():
            _emit(event, key, payload, **more)

    db.after_commit(emit)


_emit = outbox.emit


def _live(app: Any, task: dict[str, Any]) -> None:
    fuse = Fuse(task["after"])
    for name in ("_execute_cursor", "begin", "commit"):
        fuse.guard(name)
    answer = app.test_client().post(CALLBACK, data=task["body"].encode(), headers=task["headers"])
    if answer.status_code != 204:
        os._exit(2)
    with db.connection():
        inbox.sweep(now=utcnow())
        outbox.sweep(now=utcnow())
    os._exit(0)


def main() -> None:
    """Serve until the input ends."""
    app = create_app()
    db.database.obj.close_idle()  # no connection is carried over a fork
    if "--emit-later" in sys.argv:
        outbox.emit = _emit_later
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _live(app, json.loads(line))
        _, status = os.waitpid(child, 0)
        killed = os.WIFSIGNALED(status)
        if not killed and os.WEXITSTATUS(status) != 0:
            raise SystemExit(f"the child ended with {os.WEXITSTATUS(status)}")
        print(json.dumps({"killed": killed}), flush=True)


if __name__ == "__main__":
    main()
