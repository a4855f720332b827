"""The e-invoice vendor of each authority, made once a process and authority; and where letters are posted."""

from __future__ import annotations

from collections.abc import Callable

from app.invoice.providers.postbox import Postbox
from app.invoice.providers.protocol import InvoiceProvider

_factory: list[Callable[[str], InvoiceProvider]] = []
_clients: dict[str, InvoiceProvider] = {}


def install(factory: Callable[[str], InvoiceProvider]) -> None:
    """`factory(prefix)` makes the client of an authority from the secrets `<prefix>.…`."""
    _factory[:] = [factory]
    _clients.clear()


def for_authority(prefix: str) -> InvoiceProvider:
    """The client of the authority whose secrets are named `prefix`, for example 'yunnan.invoice'."""
    if prefix not in _clients:
        _clients[prefix] = _factory[0](prefix)
    return _clients[prefix]


_postbox: list[Postbox] = []


def post_by(box: Postbox | None) -> None:
    """Letters are posted there from now on; None: by nobody."""
    _postbox[:] = [box] if box is not None else []


def postbox() -> Postbox | None:
    """Where letters are posted, if anywhere."""
    return _postbox[0] if _postbox else None
