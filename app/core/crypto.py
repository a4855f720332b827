"""Personal data: encrypted field by field, found by a keyed index, masked wherever it is shown.

AES-256-GCM; the value carries its key's id; the AAD is table, column and row, so that a value copied into another
row does not open. The index is an HMAC: exact match only; it carries its key's id as well. While keys are being
replaced (`app.core.rotation`), the old ones still read, and look-ups try all: ask for `indexes`, never for one.
"""

from __future__ import annotations

import base64
import hmac
import os
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from config.settings import FIRST_KEY, Secrets

INDEX_LENGTH = 32


class CannotOpen(Exception):
    """The value was changed, belongs to another row, or its key is not in the keyring."""


class Vault:
    """A keyring in use. `seal`/`open_` for text, `seal_bytes`/`open_bytes` for files, `index` for look-ups."""

    def __init__(self, keys: dict[str, bytes], index_keys: dict[str, bytes]):
        self.current, self.current_index = next(iter(keys)), next(iter(index_keys))
        self._ciphers = {key_id: AESGCM(key) for key_id, key in keys.items()}
        self._index_keys = index_keys

    def seal_bytes(self, value: bytes, aad: str) -> bytes:
        """key id, a NUL, 12 bytes of nonce, ciphertext with tag."""
        nonce = os.urandom(12)
        sealed = self._ciphers[self.current].encrypt(nonce, value, aad.encode())
        return self.current.encode() + b"\0" + nonce + sealed

    def open_bytes(self, sealed: bytes, aad: str) -> bytes:
        key_id, _, rest = sealed.partition(b"\0")
        cipher = self._ciphers.get(key_id.decode(errors="replace"))
        if cipher is None:
            raise CannotOpen(f"key {key_id!r} is not in the keyring")
        try:
            return cipher.decrypt(rest[:12], rest[12:], aad.encode())
        except InvalidTag as error:
            raise CannotOpen(aad) from error

    def seal(self, value: str, aad: str) -> str:
        return base64.b64encode(self.seal_bytes(value.encode(), aad)).decode()

    def open_(self, sealed: str, aad: str) -> str:
        return self.open_bytes(base64.b64decode(sealed), aad).decode()

    def index(self, what: str, value: str) -> str:
        """The keyed index of `value` for the purpose `what` (for example 'person.id_number'), as it is written today:
        32 characters."""
        return self._index(self.current_index, what, value)

    def indexes(self, what: str, value: str) -> tuple[str, ...]:
        """The index under each key, today's first: what rows may hold that were written before."""
        return tuple(self._index(key_id, what, value) for key_id in self._index_keys)

    def _index(self, key_id: str, what: str, value: str) -> str:
        # an installation's first key wrote indexes before they carried an id
        mark = "" if key_id == FIRST_KEY else f"{key_id}."
        digest = hmac.digest(self._index_keys[key_id], f"{what}\0{value}".encode(), "sha256").hex()
        return (mark + digest)[:INDEX_LENGTH]


def key_of(sealed: str | bytes) -> str:
    """The id of the key that sealed a value (text) or a file (bytes)."""
    head = base64.b64decode(sealed[:8]) if isinstance(sealed, str) else bytes(sealed[:6])
    return head.partition(b"\0")[0].decode(errors="replace")


def key_of_index(index: str) -> str:
    """The id of the key that made an index."""
    mark, dot, _ = index.partition(".")
    return mark if dot else FIRST_KEY


_vaults: dict[str, Vault] = {}


def init(secrets: Secrets) -> None:
    """Load the keyrings; called once at the start of each process."""
    index_keys = secrets.keyring("app.index_key")
    _vaults["fields"] = Vault(secrets.keyring("app.field_keys"), index_keys)
    _vaults["photos"] = Vault(secrets.keyring("app.photo_keys"), index_keys)


def fields() -> Vault:
    """The vault of database fields."""
    return _vaults["fields"]


def photos() -> Vault:
    """The vault of the photo store: other keys than the database's."""
    return _vaults["photos"]


def index(what: str, value: str) -> str:
    """The keyed index to write for `value`. `what` is 'table.column'."""
    return fields().index(what, value)


def indexes(what: str, value: str) -> tuple[str, ...]:
    """The keyed indexes under which `value` is looked up: `Model.column.in_(indexes(…))`."""
    return fields().indexes(what, value)


class Sealed:
    """A model attribute kept encrypted in the text column `<name>_sealed`, and, with `indexed=True`, findable by
    `<name>_index.in_(crypto.indexes('<table>.<name>', value))`. Reads and writes plain text or None.

        class Person(BaseModel):
            id_number = Sealed(indexed=True)
            id_number_sealed = TextField(null=True)
            id_number_index = CharField(32, null=True, unique=True)
    """

    def __init__(self, indexed: bool = False):
        self.indexed = indexed

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def _aad(self, row: Any) -> str:
        return f"{row._meta.table_name}.{self.name}.{row.id}"

    def __get__(self, row: Any, owner: type | None = None) -> Any:
        if row is None:
            return self
        sealed = getattr(row, f"{self.name}_sealed")
        return None if sealed is None else fields().open_(sealed, self._aad(row))

    def __set__(self, row: Any, value: str | None) -> None:
        sealed = None if value is None else fields().seal(value, self._aad(row))
        setattr(row, f"{self.name}_sealed", sealed)
        if self.indexed:
            key = None if value is None else index(f"{row._meta.table_name}.{self.name}", value)
            setattr(row, f"{self.name}_index", key)


def mask_id_number(value: str | None) -> str | None:
    """'110***********1234': the first three and the last four."""
    return None if value is None else value[:3] + "*" * max(len(value) - 7, 0) + value[-4:]


def mask_phone(value: str | None) -> str | None:
    """'138****5678'."""
    return None if value is None else value[:3] + "*" * max(len(value) - 7, 0) + value[-4:]


def mask_name(value: str | None) -> str | None:
    """'张*', '欧**', '买****提': the first character, and the last of a name longer than three."""
    if value is None or len(value) < 2:
        return value
    return value[0] + "*" * (len(value) - 1) if len(value) <= 3 else value[0] + "*" * (len(value) - 2) + value[-1]


def mask_email(value: str | None) -> str | None:
    """'w***@example.com': the first character of the mailbox, and where it is."""
    if value is None:
        return None
    name, _, host = value.rpartition("@")
    return f"{name[:1]}***@{host}"
