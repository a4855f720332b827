"""Short signed texts (HMAC-SHA256): session tokens, play tickets, file URLs. Checked without a database."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime
from functools import lru_cache

from config.settings import Secrets

_roots: dict[str, bytes] = {}
_keys: dict[str, list[bytes]] = {}


class BadToken(Exception):
    """Forged, for another purpose, malformed, or expired."""


def init(secrets: Secrets) -> None:
    """Load the signing keys; called once at the start of each process. The first one signs, all are believed: a new
    key ends nobody's session."""
    _keys.clear()
    _believed.cache_clear()
    _roots.clear()
    _roots.update(secrets.keyring("app.secret_key"))


def current() -> str:
    """The id of the key that signs."""
    return next(iter(_roots))


def keys_for(purpose: str) -> list[bytes]:
    """Keys of its own for each purpose, derived from the root keys, the one that signs first."""
    if purpose not in _keys:
        _keys[purpose] = [hmac.digest(root, purpose.encode(), "sha256") for root in _roots.values()]
    return _keys[purpose]


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def _signature(key: bytes, body: bytes) -> bytes:
    return _b64(hmac.digest(key, body, "sha256")[:24])


def sign(purpose: str, *parts: str | int, expires: datetime) -> str:
    """`parts` (none may hold a ':') and the expiry, to the second, signed for `purpose`."""
    payload = ":".join([str(int(expires.timestamp())), *map(str, parts)])
    body = _b64(payload.encode())
    return (body + b"." + _signature(keys_for(purpose)[0], body)).decode()


def verify(purpose: str, token: str, now: datetime) -> list[str]:
    """The parts of a token that `sign` made for `purpose` and that has not expired at `now`. Raises `BadToken`."""
    try:
        expires, parts = _believed(purpose, token)
    except (ValueError, binascii.Error) as error:
        raise BadToken("malformed") from error
    if expires <= now.timestamp():
        raise BadToken("expired")
    return list(parts)


@lru_cache(maxsize=16_384)  # a phone sends the same one with each beat of a lesson; only what is ours is kept
def _believed(purpose: str, token: str) -> tuple[int, tuple[str, ...]]:
    """Expiry (Unix seconds) and parts of a token that `sign` made for `purpose`. Raises `BadToken`, `ValueError`."""
    body, signature = token.encode("ascii").split(b".")
    if not any(hmac.compare_digest(_signature(key, body), signature) for key in keys_for(purpose)):
        raise BadToken("signature")
    expires, *parts = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)).decode().split(":")
    return int(expires), tuple(parts)
