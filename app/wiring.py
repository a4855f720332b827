"""The one place that knows every domain: starts a process (web, worker, cron, flusher, command line)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from importlib import import_module
from typing import Any

from apiflask import APIFlask

from app.cases import service as cases
from app.core import canaries, crypto, db, logging, rates, redis, stuck, tokens
from app.core.access import Identity, Reading, StaffIdentity
from app.core.clock import utcnow
from app.face import providers as face
from app.invoice import providers as invoice
from app.notify import providers as sms
from app.pay import providers as pay
from app.policy import load as policy
from app.policy import told
from app.wechat import providers as wechat
from config.settings import SecretMissing, Settings, SettingsError

# In the order of the layers: a domain may call those before it, and hears of those after it by outbox events.
DOMAINS: tuple[str, ...] = (
    "account",
    "cases",
    "staff",
    "wechat",
    "notify",
    "pay",
    "invoice",
    "face",
    "enrol",
    "announce",
    "study",
    "exam",
    "certificate",
    "support",
    "reports",
    "home",
    "console",
)


def _rooms() -> list[Any]:
    return [import_module(f"app.{domain}.wire") for domain in DOMAINS]


def start(settings: Settings) -> None:
    """Bind database, Redis, keys, programmes, providers, and subscribe the domains to each other's events.
    Raises `SettingsError` naming what is missing, before anything is served."""
    logging.init(settings)
    try:
        crypto.init(settings.secrets)
        tokens.init(settings.secrets)
    except SecretMissing as missing:
        raise SettingsError(str(missing)) from missing
    rates.init(settings)
    redis.init(settings)
    redis.look(settings)
    try:
        db.connect(settings.database_url, connections=settings.database_connections)
    except ValueError as error:
        raise SettingsError(str(error)) from error
    canaries.check(settings.secrets, now=utcnow())
    policy.init(settings.programmes_dir)
    told.init()
    stuck.on_stuck(cases.file)
    for room in _rooms():
        room.start(settings)
    make_clients()


def make_clients() -> None:
    """Make the provider's client of every authority that an open programme names: what is missing is missed now, not
    when the first person pays. A kind whose provider is not installed is offered nowhere. Raises `SettingsError`."""
    for programme in policy.open_programmes():
        names = programme.authority.secrets
        wanted: list[tuple[str | None, Callable[[str], object]]] = [
            (names.wechat, wechat.for_authority),
            (names.wechat_official, wechat.official),
            (names.tencent_sms, sms.for_authority),
            (names.baidu, face.for_authority),
            (names.invoice if programme.invoice else None, invoice.for_authority),
        ]
        wanted += [(getattr(names, kind), partial(pay.provider, kind)) for kind in sorted(pay.kinds())]
        for prefix, make in wanted:
            if prefix is None:
                continue
            try:
                make(prefix)
            except SecretMissing as missing:
                raise SettingsError(f"programme {programme.key}: {missing}") from missing
            except Exception as error:  # SDKs raise it bare for a key that is none; its text may hold a part of it
                raise SettingsError(f"programme {programme.key}: a secret of {prefix!r} is malformed") from error


def register_views(app: APIFlask) -> None:
    """Every blueprint of the product."""
    for room in _rooms():
        for blueprint in room.BLUEPRINTS:
            app.register_blueprint(blueprint)


def authenticate(token: str, now: datetime, reading: Reading | None = None) -> Identity | None:
    """The identity of a session token; the account domain knows it."""
    from app.account import service as account

    return account.authenticate(token, now=now, reading=reading)


def authenticate_staff(token: str, now: datetime, polls: bool = False) -> StaffIdentity | None:
    """The identity of a cookie of the staff's; the staff domain knows it. `polls`: a page asks by itself."""
    from app.staff import service as staff

    return staff.authenticate(token, now=now, polls=polls)


def models() -> list[type[db.BaseModel]]:
    """Every table of the product, once the domains are imported."""
    _rooms()
    found: list[type[db.BaseModel]] = []
    pending = list(db.BaseModel.__subclasses__())
    while pending:
        model = pending.pop(0)
        pending.extend(model.__subclasses__())
        found.append(model)
    return sorted(found, key=lambda model: model._meta.table_name)
