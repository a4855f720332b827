"""A form that a provider posts to us."""

from __future__ import annotations

from urllib.parse import parse_qsl

from app.pay.providers.protocol import Forged


def fields(body: bytes) -> dict[str, str]:
    """The fields of a form. Raises `Forged` for what is none, and for a field that comes twice: of the two, one might
    be checked and the other used."""
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=100
        )
    except ValueError as error:  # UnicodeDecodeError is one
        raise Forged("body") from error
    said = dict(pairs)
    if len(said) != len(pairs):
        raise Forged("a field twice")
    return said
