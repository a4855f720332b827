"""What an e-invoice vendor must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from app.invoice.tax import Split


class Unknown(Exception):
    """No trustworthy answer: a timeout, a dropped line, a 5xx, garbage. The invoice may be under way."""


class Unavailable(Exception):
    """The vendor took nothing, and not because of this invoice: keys, permissions, limits. `code` is its own."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class Refused(Exception):
    """The vendor took nothing: something is wrong with this invoice. `text` may hold personal data: not for logs."""

    def __init__(self, code: str, text: str):
        super().__init__(code)
        self.code = code
        self.text = text


@dataclass(frozen=True)
class Buyer:
    """In whose name the invoice is; `natural`: a person, who has no taxpayer number."""

    title: str
    natural: bool
    taxpayer_number: str | None
    email: str | None
    phone: str | None
    address: str | None
    bank: str | None


@dataclass(frozen=True)
class Line:
    """One line: name and code (19 digits) of the goods, the price with its tax, the rate in permille."""

    goods_name: str
    goods_code: str
    rate_permille: int
    amount: Split


@dataclass(frozen=True)
class Request:
    """An ordinary electronic invoice. `serial` (up to 20 characters): the same one again is the same invoice."""

    serial: str
    ordered_at: datetime
    buyer: Buyer
    lines: Sequence[Line]
    remark: str


@dataclass(frozen=True)
class Answer:
    """What became of an invoice. `failed`: nothing was issued, `reason` says why (it may hold personal data). `void`:
    it was issued, and taken back at the vendor. The others are filled in where the vendor says them."""

    state: Literal["processing", "issued", "failed", "void", "absent"]
    vendor_serial: str | None = None
    number: str | None = None
    gross_fen: int | None = None
    tax_fen: int | None = None
    issued_at: datetime | None = None
    pdf_url: str | None = None
    reason: str = ""


@dataclass(frozen=True)
class RedRequest:
    """Take a whole invoice back, the one with the bureau's `number`. `serial` (up to 32 characters): the same one
    again is the same request. `why`: 'money_back' (the service ended) or 'mistake' (it was issued wrongly)."""

    serial: str
    number: str
    buyer: Buyer
    why: Literal["money_back", "mistake"]


@dataclass(frozen=True)
class RedAnswer:
    """What became of a red letter. `waiting`: the buyer has to agree at the bureau. `failed`: there is none, and
    there will be none of this request. `amount_fen`, `number` and `issued_at` where the vendor says them."""

    state: Literal["processing", "waiting", "issued", "failed", "absent"]
    form_number: str | None = None
    number: str | None = None
    amount_fen: int | None = None
    issued_at: datetime | None = None
    reason: str = ""


class InvoiceProvider(Protocol):
    """One account at one vendor. Each call answers within 5 s or so. All raise `Unknown` and `Unavailable`."""

    def issue(self, request: Request) -> Answer:
        """Have the invoice issued, which goes on after the answer. One that the vendor knows is not issued again:
        what became of it is answered, and if nothing was issued, it is tried once more. Raises `Refused`."""

    def query(self, serial: str) -> Answer:
        """What became of an invoice. One that was issued and only not sealed is sealed again."""

    def download(self, url: str) -> bytes:
        """The PDF, as the vendor's answer names it; from the vendor's own hosts only, up to 2 MiB."""

    def reverse(self, request: RedRequest) -> RedAnswer:
        """Ask the tax bureau for the red-letter invoice, which comes after the answer. A request that the vendor
        knows is not made again: what became of it is answered. Raises `Refused`."""

    def query_red(self, serial: str) -> RedAnswer:
        """What became of a red letter."""
