"""The face provider of each authority; made once a process and authority."""

from __future__ import annotations

from collections.abc import Callable

from app.face.providers.protocol import FaceProvider

_factory: list[Callable[[str], FaceProvider]] = []
_clients: dict[str, FaceProvider] = {}


def install(factory: Callable[[str], FaceProvider]) -> None:
    """`factory(prefix)` makes the client of an authority from the secrets `<prefix>.…`."""
    _factory[:] = [factory]
    _clients.clear()


def for_authority(prefix: str) -> FaceProvider:
    """The client of the authority whose secrets are named `prefix`, for example 'yunnan.baidu'."""
    if prefix not in _clients:
        _clients[prefix] = _factory[0](prefix)
    return _clients[prefix]
