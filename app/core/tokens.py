"""Short signed texts (HMAC-SHA256): session tokens, play tickets, file URLs. Checked without a database."""

from __future__ import annotations

import base64
import binascii
import hmac
from datetime import datetime

from config.settings import Secrets

_keys: dict[str, bytes] = {}


class BadToken(Exception):
    """Forged, for another purpose, malformed, or expired."""


def init(secrets: Secrets) -> None:
    """Load the signing key; called once at the start of each process."""
    _keys.clear()
    _keys["root"] = secrets.key("app.secret_key", 32)


def key_for(purpose: str) -> bytes:
    """A key of its own for each purpose, derived from the root key."""
    if purpose not in _keys:
        _keys[purpose] = hmac.digest(_keys["root"], purpose.encode(), "sha256")
    return _keys[purpose]


def _b64(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


def sign(purpose: str, *parts: str | int, expires: datetime) -> str:
    """`parts` (none may hold a ':') and the expiry, to the second, signed for `purpose`."""
    payload = ":".join([str(int(expires.timestamp())), *map(str, parts)])
    body = _b64(payload.encode())
    return (body + b"." + _b64(hmac.digest(key_for(purpose), body, "sha256")[:24])).decode()


def verify(purpose: str, token: str, now: datetime) -> list[str]:
    """The parts of a token that `sign` made for `purpose` and that has not expired at `now`. Raises `BadToken`."""
    try:
        body, signature = token.encode("ascii").split(b".")
        good = hmac.compare_digest(_b64(hmac.digest(key_for(purpose), body, "sha256")[:24]), signature)
        if not good:
            raise BadToken("signature")
        expires, *parts = base64.urlsafe_b64decode(body + b"=" * (-len(body) % 4)).decode().split(":")
        if int(expires) <= now.timestamp():
            raise BadToken("expired")
    except (ValueError, binascii.Error) as error:
        raise BadToken("malformed") from error
    return parts
