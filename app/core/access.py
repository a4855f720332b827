"""Who may call a route. Every view names it; a view that does not is refused (and a test fails).

The guard runs before the view: it bounds rate and body, authenticates, and compares the role. Ownership of a row is
checked by the service that loads it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

import structlog
from flask import Flask, current_app, g, request

from app.core import rates
from app.core.clock import utcnow
from app.core.db import unit
from app.core.errors import FORBIDDEN, SIGN_IN_FIRST, SIGN_IN_UNFINISHED
from app.core.rates import Kind

View = TypeVar("View", bound=Callable[..., Any])

SMALL_BODY = 64 * 1024


class Role(StrEnum):
    """PUBLIC: anyone. PROVIDER: a provider's callback, checked by its signature in the view. ACTIVATING: signed in
    with a password that opens nothing yet, or fully. TRAINEE: signed in and activated. TICKET: carries a signed
    single-purpose token that the view checks (play tickets, file URLs)."""

    PUBLIC = "public"
    PROVIDER = "provider"
    ACTIVATING = "activating"
    TRAINEE = "trainee"
    TICKET = "ticket"


@dataclass(frozen=True)
class Identity:
    """Who calls: the person, the session, and whether the session is a full one. `rows`: what the view's `reading`
    gave beside it."""

    person_id: str
    session_id: str
    activated: bool
    rows: Sequence[tuple[Any, ...]] = ()


# session id → rows that begin with the columns of the session that the authenticator knows
Reading = Callable[[str], Sequence[tuple[Any, ...]]]
Authenticator = Callable[[str, datetime, Reading | None], Identity | None]


def access(
    role: Role, *, max_body: int = SMALL_BODY, kind: Kind | None = None, reading: Reading | None = None
) -> Callable[[View], View]:
    """Mark a view: `role` may call it, with a body of at most `max_body` bytes (413 before it is read), as often as
    its kind allows (default: told by role, method and size of the body). `reading` reads the session and what the
    view needs of its person in one statement: a way to the database less."""

    def mark(view: View) -> View:
        view._access_role = role  # type: ignore[attr-defined]
        view._access_max_body = max_body  # type: ignore[attr-defined]
        view._access_kind = kind  # type: ignore[attr-defined]
        view._access_reading = reading  # type: ignore[attr-defined]
        return view

    return mark


def role_of(view: Callable[..., Any]) -> Role | None:
    """The role a view names, or None."""
    return getattr(view, "_access_role", None)


def kind_of(view: Callable[..., Any], method: str) -> Kind:
    """Which rate a request of `method` to a view falls under."""
    named: Kind | None = getattr(view, "_access_kind", None)
    if named is not None:
        return named
    if role_of(view) is Role.PROVIDER:
        return Kind.CALLBACK
    if method in ("GET", "HEAD", "OPTIONS"):
        return Kind.READ
    if role_of(view) is Role.PUBLIC:
        return Kind.SIGN_IN
    return Kind.UPLOAD if getattr(view, "_access_max_body", 0) > SMALL_BODY else Kind.WRITE


def request_now() -> datetime:
    """The one `now` of this request."""
    if "now" not in g:
        g.now = utcnow()
    moment: datetime = g.now
    return moment


def identity() -> Identity:
    """The caller of a route for signed-in persons. Raises `sign_in_first` elsewhere."""
    who: Identity | None = g.get("identity")
    if who is None:
        raise SIGN_IN_FIRST()
    return who


def person_id() -> str:
    """The caller's person."""
    return identity().person_id


def client_address() -> str:
    """The caller's address, as far as trusted proxies tell it."""
    return request.remote_addr or "unknown"


def _guard() -> None:
    if request.endpoint is None:
        rates.check_address(Kind.READ, client_address(), now=request_now())
        return  # no such route: Flask answers 404 or 405
    view: Any = current_app.view_functions[request.endpoint]
    role = role_of(view)
    if role is None:
        raise FORBIDDEN()
    kind = kind_of(view, request.method)
    rates.check_address(kind, client_address(), now=request_now())
    request.max_content_length = view._access_max_body
    if role in (Role.PUBLIC, Role.PROVIDER, Role.TICKET):
        return
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    authenticate: Authenticator = current_app.extensions["authenticator"]
    reading: Reading | None = view._access_reading
    who = unit(lambda: authenticate(token.strip(), request_now(), reading)) if scheme.lower() == "bearer" else None
    if who is None:
        raise SIGN_IN_FIRST()
    if role is Role.TRAINEE and not who.activated:
        raise SIGN_IN_UNFINISHED()
    g.identity = who
    rates.check_person(kind, who.person_id, now=request_now())
    structlog.contextvars.bind_contextvars(person_id=who.person_id)


def init_app(app: Flask, authenticate: Authenticator) -> None:
    """Install the guard. `authenticate(token, now, reading)` gives the identity of a session token."""
    app.extensions["authenticator"] = authenticate
    app.before_request(_guard)
