"""The application in a process of its own, to be killed: prints its port. `--acknowledge-first`: the broken twin."""

from __future__ import annotations

import sys
from threading import Timer
from typing import Any

from werkzeug.serving import make_server

from app import create_app
from app.core import db
from app.exam import service


def _write_later(model: Any, row_id: str, where: dict[str, Any], values: dict[str, Any]) -> bool:
    def write() -> None:
        with db.connection():
            db.compare_and_set(model, row_id, where, values)

    Timer(3, write).start()
    return True


if __name__ == "__main__":
    if "--acknowledge-first" in sys.argv:
        service.compare_and_set = _write_later  # type: ignore[attr-defined]
    server = make_server("127.0.0.1", 0, create_app(), threaded=True)
    print(server.server_port, flush=True)  # noqa: T201
    server.serve_forever()
