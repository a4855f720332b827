"""What the parts of one running sandbox share, and how a call meets its trouble."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar

from flask import Response, g, make_response, request

from sandbox.journal import Journal
from sandbox.keys import Acquired, Merchant, Seller
from sandbox.knobs import Knob, Knobs, kinds_for
from sandbox.store import Store

RESET = "sandbox.reset"
View = TypeVar("View", bound=Callable[..., Any])


@dataclass
class Clock:
    """The sandbox's own clock. `offset` (seconds) shifts expiry of orders, tokens and codes, never signatures."""

    offset: float = 0.0

    def now(self) -> float:
        """Seconds since the epoch, shifted."""
        return time.time() + self.offset


@dataclass
class Box:
    """One running sandbox: its state, its trouble, its journal."""

    data_dir: Path
    store: Store
    merchants: dict[str, Merchant]
    sellers: dict[str, Seller]
    acquired: dict[str, Acquired]
    refund_seconds: float = 0.3
    invoice_seconds: float = 0.3
    knobs: Knobs = field(default_factory=Knobs)
    journal: Journal = field(default_factory=Journal)
    clock: Clock = field(default_factory=Clock)
    stopping: threading.Event = field(default_factory=threading.Event)

    def secret(self, name: str) -> str:
        """The text of the secret `name`. Raises FileNotFoundError."""
        return (self.data_dir / "secrets" / name).read_text(encoding="utf-8").strip()

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server lives."""
        self.stopping.wait(seconds)


def taken() -> dict[str, Knob]:
    """The trouble that strikes the request at hand."""
    return g.get("taken", {})


def _reset() -> Response:
    request.environ[RESET] = True
    return Response(status=200)


def call(box: Box, provider: str, operation: str, error: Callable[[str], Response]) -> Callable[[View], View]:
    """Decorate a provider's view: it is counted, and meets the trouble switched on for it.

    `error` makes the provider's own error answer from its own code.
    """
    kinds = kinds_for(provider, operation)

    def decorate(view: View) -> View:
        def answer(*args: Any, **kwargs: Any) -> Response:
            knobs = g.taken = box.knobs.take(provider, operation, kinds)
            if "delay" in knobs:
                box.pause(knobs["delay"].seconds(1))
            if "hang" in knobs:
                box.pause(knobs["hang"].seconds(60))
                return _reset()
            if "reset" in knobs:
                return _reset()
            if "error" in knobs:
                value = knobs["error"].value
                if isinstance(value, int):
                    g.bare = True
                    return Response("upstream trouble", status=value, mimetype="text/plain")
                return error(value)
            if "garbage" in knobs:
                g.bare = True
                return Response("<html>\x00 not what you asked for", mimetype="text/html")
            response = make_response(view(*args, **kwargs))
            if "delay_after" in knobs:
                box.pause(knobs["delay_after"].seconds(1))
            return _reset() if "reset_after" in knobs else response

        @wraps(view)
        def counted(*args: Any, **kwargs: Any) -> Response:
            page, status = box.journal.page, 500
            try:
                response = answer(*args, **kwargs)
                status = 0 if request.environ.get(RESET) else response.status_code
                return response
            finally:
                box.journal.request(page, provider, operation, request.method, request.path, status)

        return counted  # type: ignore[return-value]

    return decorate


class Refused(Exception):
    """A provider refuses a request with a code and a text of its own, at HTTP 200."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code, self.text = code, text


def guarded(
    box: Box,
    provider: str,
    open_: Callable[[], tuple[str, Callable[[], Response]]],
    refuse: Callable[[str, str], Response],
    error: Callable[[str], Response],
) -> Response:
    """One signed request to a provider that refuses in its own words, made by `refuse(code, text)`: `open_` looks who
    asks for what, and gives the operation and what to do. Who is not let in meets none of the trouble."""
    try:
        operation, act = open_()
    except Refused as refusal:
        box.journal.request(box.journal.page, provider, "refused", request.method, request.path, 200)
        return refuse(refusal.code, refusal.text)

    def run() -> Response:
        try:
            return act()
        except Refused as refusal:
            return refuse(refusal.code, refusal.text)

    return call(box, provider, operation, error)(run)()


def merge(base: dict[str, Any], change: dict[str, Any]) -> dict[str, Any]:
    """`base` with `change` laid over it, objects within objects merged."""
    merged = dict(base)
    for key, value in change.items():
        inner = merged.get(key)
        merged[key] = merge(inner, value) if isinstance(inner, dict) and isinstance(value, dict) else value
    return merged
