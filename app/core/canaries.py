"""A canary for each key: a fixed word under it, in the database that it belongs to (docs/decisions/0032-canaries.md).

Without one, a wrong key is noticed by the first person whose data do not open, and a wrong index key by nobody:
everybody is unknown then, and a roster is imported a second time. So each process looks before it serves.
"""

from __future__ import annotations

import hmac
from datetime import datetime

import peewee

from app.core.crypto import CannotOpen, Vault
from app.core.db import BaseModel, UtcField, compare_and_set, connection, insert_once
from config.settings import Secrets, SettingsError

FIELDS, PHOTOS, INDEX, SIGNING = "app.field_keys", "app.photo_keys", "app.index_key", "app.secret_key"
KEPT = (FIELDS, PHOTOS, INDEX)  # what was made with these lasts; what was signed is over by itself
WORD = "canary"


class KeyCanary(BaseModel):
    """A key that was in a ring when a process started. `proof`: the word, sealed with it, or its index under it.
    `first_at`: since when it is the one that writes; None: it never was. `needed`: it wrote, and `check-keys` has not
    found yet that nothing needs it."""

    secret = peewee.CharField(32)
    key_id = peewee.CharField(4)
    proof = peewee.CharField(160)
    first_at = UtcField(null=True)
    needed = peewee.BooleanField(default=False)

    class Meta:
        indexes = ((("secret", "key_id"), True),)


def check(secrets: Secrets, *, now: datetime) -> None:
    """Compare the rings with the database's canaries, and put one there for each key that is new. Raises
    `SettingsError` naming the key that is wrong or missing. A database without tables has none yet."""
    try:
        with connection():
            if not KeyCanary.table_exists():
                return
            rings = {secret: secrets.keyring(secret) for secret in (*KEPT, SIGNING)}
            for secret in KEPT:
                _compare(secret, rings[secret])
            for secret, ring in rings.items():
                _enter(secret, ring, now)
                if secret in KEPT:
                    _compare(secret, ring)  # another process may have entered its own at this moment
    except (peewee.OperationalError, peewee.InterfaceError) as error:
        raise SettingsError(f"DATABASE_URL: the database does not let us in: {error}") from error


def _compare(secret: str, ring: dict[str, bytes]) -> None:
    for row in rows(secret):
        key = ring.get(row.key_id)
        if key is None and row.needed:
            raise SettingsError(
                f"secret {secret!r}: key {row.key_id!r} is missing, and this database was written with it: put it "
                "back into the ring. `python -m ops.manage check-keys` tells when it may go"
            )
        if key is not None and not _proves(row, key):
            raise SettingsError(
                f"secret {secret!r}: key {row.key_id!r} is not the one that this database knows by that name: put "
                "the right one back, or call a new key otherwise"
            )


def _enter(secret: str, ring: dict[str, bytes], now: datetime) -> None:
    known = {row.key_id: row for row in rows(secret)}
    for key_id, key in ring.items():
        if key_id not in known:
            insert_once(KeyCanary, secret=secret, key_id=key_id, proof=_proof(secret, key_id, key))
    first = next(row for row in rows(secret) if row.key_id == next(iter(ring)))
    newest = periods(secret)[-1:]
    if not first.needed or not newest or newest[0][0] != first.key_id:
        seen = {"needed": first.needed, "first_at": first.first_at}
        compare_and_set(KeyCanary, first.id, seen, {"needed": True, "first_at": now})


def _aad(secret: str, key_id: str) -> str:
    return f"key_canary.{secret}.{key_id}"


def _proof(secret: str, key_id: str, key: bytes) -> str:
    vault = Vault({key_id: key}, {key_id: key})
    if secret in (FIELDS, PHOTOS):
        return vault.seal(WORD, _aad(secret, key_id))
    return vault.index(_aad(secret, key_id), WORD)


def _proves(row: KeyCanary, key: bytes) -> bool:
    vault = Vault({row.key_id: key}, {row.key_id: key})
    if row.secret not in (FIELDS, PHOTOS):
        return hmac.compare_digest(vault.index(_aad(row.secret, row.key_id), WORD), row.proof)
    try:
        return vault.open_(row.proof, _aad(row.secret, row.key_id)) == WORD
    except CannotOpen:
        return False


def rows(secret: str) -> list[KeyCanary]:
    """The canaries of a ring."""
    return list(KeyCanary.select().where(KeyCanary.secret == secret).order_by(KeyCanary.key_id))


def periods(secret: str) -> list[tuple[str, datetime]]:
    """The ids of the keys that wrote, each with the moment since when, the newest last."""
    found = [(row.key_id, row.first_at) for row in rows(secret) if row.first_at is not None]
    return sorted(found, key=lambda period: period[1])


def let_go(secret: str, key_id: str) -> None:
    """Nothing needs the key any more: a process starts without it, too."""
    KeyCanary.update(needed=False).where(KeyCanary.secret == secret, KeyCanary.key_id == key_id).execute()
