"""How often somebody may guess (docs/decisions/0010-login-limits.md). Kept in SQL: it holds without Redis.

A try is counted before the password is looked at, in one transaction for all its counters: of many tries at the same
moment no more get through than one after the other. A success takes the count back.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import peewee

from app.account.errors import LOGIN_PAUSED
from app.account.models import LoginThrottle
from app.core import crypto
from app.core.db import compare_and_set, insert_once, savepoint, transaction
from app.core.errors import TOO_MANY


@dataclass(frozen=True)
class Limit:
    """`free` tries without a pause; then a pause after each, doubling from `first_pause` to `longest_pause`. After
    `forget_after` without a try everything is forgotten."""

    scope: str
    free: int
    first_pause: timedelta
    longest_pause: timedelta
    forget_after: timedelta


MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
PAIR = Limit("pair", 5, MINUTE, HOUR, DAY)  # one account, at one address
ADDRESS = Limit("address", 60, MINUTE, HOUR, 2 * HOUR)  # a whole building site may share one
SIGNED_IN = Limit("signed_in", 5, MINUTE, HOUR, DAY)  # the password asked for again, in a session
CODES = Limit("codes", 30, MINUTE, HOUR, 2 * HOUR)  # codes asked for, at one address
GUARD_AFTER = 10  # tries at an account, over all addresses, until a password alone no longer does
GUARD_LASTS = DAY  # since the last try that was counted
TRUST_LASTS = timedelta(days=30)  # an address from which the owner came in


def paused_until(limit: Limit, failures: int, last_at: datetime) -> datetime | None:
    """Until when no try is taken, after so many failures, the last one then. None: not paused."""
    if failures < limit.free:
        return None
    doubled = limit.first_pause * 2 ** min(failures - limit.free, 16)
    return last_at + min(doubled, limit.longest_pause)


@dataclass(frozen=True)
class Try:
    """A login that was counted. `guarded`: the password alone does not do, an SMS code is needed too."""

    account: str
    address: str
    guarded: bool


Keys = tuple[str, ...]  # one counter's key, today's and those of older index keys


def _keys(scope: str, *parts: str) -> Keys:
    return crypto.indexes(f"login_throttle.{scope}", "\n".join(parts))


def _row(scope: str, keys: Keys, now: datetime, account: str | None = None) -> LoginThrottle:
    """The counter, made where there is none, for `account` (its own key). One under an older key is moved to
    today's."""
    found = _find(scope, keys)
    if found is None:
        insert_once(LoginThrottle, scope=scope, key=keys[0], account_key=account, failures=0, last_at=now)
    elif found.key != keys[0] and not _move(found, keys[0]):
        found = None
    row: LoginThrottle = found or LoginThrottle.get(LoginThrottle.scope == scope, LoginThrottle.key == keys[0])
    if account is not None and row.account_key != account:
        LoginThrottle.update(account_key=account).where(LoginThrottle.id == row.id).execute()
    return row


def _find(scope: str, keys: Keys) -> LoginThrottle | None:
    rows = LoginThrottle.select().where(LoginThrottle.scope == scope, LoginThrottle.key.in_(keys))
    return min(rows, key=lambda row: keys.index(row.key), default=None)


def _move(row: LoginThrottle, key: str) -> bool:
    try:
        with savepoint():
            LoginThrottle.update(key=key, account_key=None).where(LoginThrottle.id == row.id).execute()
    except peewee.IntegrityError:  # somebody made today's meanwhile
        return False
    row.key = key
    return True


def _count(limit: Limit, keys: Keys, now: datetime) -> LoginThrottle:
    for _ in range(50):
        row = _row(limit.scope, keys, now)
        failures = 0 if now - row.last_at > limit.forget_after else row.failures
        until = paused_until(limit, failures, row.last_at)
        if until is not None and now < until:
            seconds = int((until - now).total_seconds()) + 1
            raise LOGIN_PAUSED(headers={"Retry-After": str(seconds)}, retry_after=seconds)
        seen = {"failures": row.failures, "last_at": row.last_at}
        if compare_and_set(LoginThrottle, row.id, seen, {"failures": failures + 1, "last_at": now}):
            return row
    raise TOO_MANY()


def count(limit: Limit, what: str, *, now: datetime) -> None:
    """Count a try at `what` (an address, a person). Raises `login_paused` with the seconds to wait."""
    with transaction():
        _count(limit, _keys(limit.scope, what), now)


def give_back(limit: Limit, what: str, tries: int) -> None:
    """Take back as many tries at `what` as led to a success: of many people behind one address nobody uses up what
    the others need."""
    for _ in range(tries):
        _take_back(limit.scope, _keys(limit.scope, what))


def knows(account: str, address: str, *, now: datetime) -> bool:
    """Whether the owner came in with their own password at this address during the last 30 days."""
    found = LoginThrottle.select(LoginThrottle.id).where(
        LoginThrottle.scope == PAIR.scope,
        LoginThrottle.key.in_(_keys(PAIR.scope, account, address)),
        LoginThrottle.trusted_until > now,
    )
    return bool(found.exists())


def succeed(limit: Limit, what: str) -> None:
    """Forget the failures at `what`."""
    _forgive(limit.scope, _keys(limit.scope, what))


# --- login -------------------------------------------------------------------------------------------------------


def begin_login(account: str, address: str, *, with_code: bool, now: datetime) -> Try:
    """Count a login at `account` (the ID number that was typed, normalised, known or not) from `address`. Where the
    account is guarded and no code was brought, nothing is counted: the guard ends when nobody tries the password any
    more. Raises `login_paused`."""
    with transaction():
        overall_keys, pair_keys = _keys("account", account), _keys(PAIR.scope, account, address)
        overall = _row("account", overall_keys, now)
        pair = _row(PAIR.scope, pair_keys, now, overall_keys[0])
        known_here = pair.trusted_until is not None and now < pair.trusted_until
        full = overall.failures >= GUARD_AFTER and now - overall.last_at <= GUARD_LASTS
        guarded = full and not known_here
        if guarded and not with_code:
            return Try(account, address, guarded=True)
        _count(PAIR, pair_keys, now)
        _count(ADDRESS, _keys(ADDRESS.scope, address), now)
        if not guarded and not known_here:
            guarded = not _count_account(overall_keys, now)
    return Try(account, address, guarded)


def _count_account(keys: Keys, now: datetime) -> bool:
    """Count a try at the account; False, and nothing counted, where others have just used up the free ones."""
    for _ in range(50):
        row = _row("account", keys, now)
        failures = 0 if now - row.last_at > GUARD_LASTS else row.failures
        if failures >= GUARD_AFTER:
            return False
        seen = {"failures": row.failures, "last_at": row.last_at}
        if compare_and_set(LoginThrottle, row.id, seen, {"failures": failures + 1, "last_at": now}):
            return True
    raise TOO_MANY()


def login_succeeded(tried: Try, *, own_password: bool, now: datetime) -> None:
    """The password was right. Only one's own says that the owner was here: then the account's count is cleared and
    the address is known for a while; after a first password, which everybody knows, this try is taken back."""
    if own_password:
        clear(tried.account, tried.address, now=now)
        return
    _take_back("pair", _keys("pair", tried.account, tried.address))
    _take_back("address", _keys("address", tried.address))
    _take_back("account", _keys("account", tried.account))


def _take_back(scope: str, keys: Keys) -> None:
    fewer = LoginThrottle.update(failures=LoginThrottle.failures - 1)
    fewer.where(LoginThrottle.scope == scope, LoginThrottle.key.in_(keys), LoginThrottle.failures > 0).execute()


def _forgive(scope: str, keys: Keys) -> None:
    LoginThrottle.update(failures=0).where(LoginThrottle.scope == scope, LoginThrottle.key.in_(keys)).execute()


def clear(account: str, address: str | None, *, now: datetime) -> None:
    """The owner has proved who they are, at `address` (None: on the telephone): forget the failures at the account,
    and know the address for a while. Rows in the order of `begin_login`, so that neither waits for the other."""
    if address is not None:
        row = _row(PAIR.scope, _keys(PAIR.scope, account, address), now, _keys("account", account)[0])
        values = {"failures": 0, "last_at": now, "trusted_until": now + TRUST_LASTS}
        LoginThrottle.update(values).where(LoginThrottle.id == row.id).execute()
        _take_back("address", _keys("address", address))
    _forgive("account", _keys("account", account))


@dataclass(frozen=True)
class Locks:
    """What keeps an account's owner out: the guard (an SMS code beside the password), pauses at addresses or of the
    password asked for again (until the last of them ends), each None where there is none."""

    guarded_until: datetime | None
    paused_until: datetime | None


def locks(account: str, person_id: str, *, now: datetime) -> Locks:
    """How the account stands."""
    guard, pauses = None, []
    mine = (LoginThrottle.scope == "account") & LoginThrottle.key.in_(_keys("account", account))
    pairs = (LoginThrottle.scope == PAIR.scope) & LoginThrottle.account_key.in_(_keys("account", account))
    inside = (LoginThrottle.scope == SIGNED_IN.scope) & LoginThrottle.key.in_(_keys(SIGNED_IN.scope, person_id))
    for row in LoginThrottle.select().where(mine | pairs | inside):
        if row.scope == "account":
            if row.failures >= GUARD_AFTER and now - row.last_at <= GUARD_LASTS:
                guard = row.last_at + GUARD_LASTS
        elif until := paused_until(PAIR if row.scope == PAIR.scope else SIGNED_IN, row.failures, row.last_at):
            pauses.append(until)
    later = [until for until in pauses if until > now]
    return Locks(guard, max(later, default=None))


def unlock(account: str, person_id: str) -> None:
    """Support has made sure that it is the owner: forget the failures at the account, everywhere. Rows in the order
    of `begin_login`."""
    _forgive("account", _keys("account", account))
    pairs = LoginThrottle.update(failures=0).where(
        LoginThrottle.scope == PAIR.scope, LoginThrottle.account_key.in_(_keys("account", account))
    )
    pairs.execute()
    _forgive(SIGNED_IN.scope, _keys(SIGNED_IN.scope, person_id))


def hold(scope: str, what: str, *, now: datetime) -> None:
    """Make everybody else who holds the same wait until this transaction ends."""
    row = _row(scope, _keys(scope, what), now)
    more = LoginThrottle.update(failures=LoginThrottle.failures + 1, last_at=now)
    more.where(LoginThrottle.id == row.id).execute()


def forget(*, now: datetime) -> int:
    """Delete counters that count for nothing any more; gives how many."""
    quiet = LoginThrottle.last_at < now - 2 * DAY
    untrusted = LoginThrottle.trusted_until.is_null() | (LoginThrottle.trusted_until < now)
    ids: peewee.Query = LoginThrottle.select(LoginThrottle.id).where(quiet, untrusted).limit(1000).tuples()
    old = [row_id for (row_id,) in ids]
    return int(LoginThrottle.delete().where(LoginThrottle.id.in_(old)).execute()) if old else 0
