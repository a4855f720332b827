"""What a payment channel must be able to do. Each SDK has one file; the contract suite runs over each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

import msgspec


class Unknown(Exception):
    """No trustworthy answer: a timeout, a dropped line, a 5xx, garbage, a wrong signature. Neither yes nor no."""


class Refused(Exception):
    """The provider said no, with a code of its own."""

    def __init__(self, code: str):
        super().__init__(code)
        self.code = code


class AlreadyPaid(Refused):
    """The provider said no, because it has the money."""


class Forged(Exception):
    """A notification that the provider did not sign, or not now."""


class NoBill(Exception):
    """There is no bill of this day, or not yet: not every provider says whether nothing happened on it. One that says
    that it is still being made is `Unknown`."""


Way = Literal["qr", "jsapi", "wap", "form", "transfer"]


@dataclass(frozen=True)
class PaymentRequest:
    """What is to be paid, and in which way. `expires_at` is absolute: the provider takes no money after it. `payer`:
    the openid of who pays, in the app `payer_app`, by "jsapi" only. `return_url`: where the provider's page, if there
    is one, leads back to; that somebody came back proves nothing."""

    way: Way
    out_trade_no: str
    title: str
    amount_fen: int
    expires_at: datetime
    notify_url: str
    return_url: str
    payer: str | None = None
    payer_app: str | None = None


class QrCode(msgspec.Struct, frozen=True, tag="qr", tag_field="kind"):
    """Is shown, and scanned by a phone."""

    text: str


class JsapiCall(msgspec.Struct, frozen=True, tag="jsapi", tag_field="kind", rename="camel"):
    """The arguments of `wx.requestPayment`, by the names that it has for them."""

    app_id: str
    time_stamp: str
    nonce_str: str
    package: str
    sign_type: str
    pay_sign: str


class Redirect(msgspec.Struct, frozen=True, tag="redirect", tag_field="kind"):
    """The browser goes to the provider's page. Signed with its time: made anew for every click."""

    url: str


class Form(msgspec.Struct, frozen=True, tag="form", tag_field="kind"):
    """The browser posts these fields to the provider's page. `hosts`: where that may lead, as the form-action of a
    Content-Security-Policy names it. Signed with its time: made anew for every click."""

    url: str
    fields: dict[str, str]
    hosts: str


class Remittance(msgspec.Struct, frozen=True, tag="transfer", tag_field="kind"):
    """Somebody transfers the money to this account, and writes the code into the remark."""

    code: str
    account_name: str
    bank: str
    account_number: str


PayBy = QrCode | JsapiCall | Redirect | Form | Remittance


@dataclass(frozen=True)
class PaymentTruth:
    """What the provider says of a payment, asked or by a notification. `ours`: it names our merchant and application.
    `paid_at` is the provider's time. `returned`: of what was paid some went back, says the provider, or all of it;
    not every one says that."""

    state: Literal["paid", "unpaid", "closed", "absent"]
    out_trade_no: str
    amount_fen: int = 0
    currency: str = "CNY"
    transaction_id: str = ""
    ours: bool = True
    paid_at: datetime | None = None
    returned: bool = False


@dataclass(frozen=True)
class RefundRequest:
    """`amount_fen` of the `total_fen` that were paid go back under one number of ours. `transaction_id`: the
    provider's number of the payment."""

    out_refund_no: str
    out_trade_no: str
    amount_fen: int
    total_fen: int
    reason: str
    notify_url: str
    transaction_id: str = ""


@dataclass(frozen=True)
class Notification:
    """A verified callback: `external_id` is the provider's own id of it, `number` an out_trade_no or out_refund_no.
    `told` is what it says of a payment: never believed by itself, but it must fit."""

    external_id: str
    kind: Literal["payment", "refund"]
    number: str
    told: PaymentTruth | None = None


RefundState = Literal["processing", "succeeded", "failed", "absent"]


@dataclass(frozen=True)
class BillLine:
    """One line of the bill of a day, in the same shape for every channel. `number`: our out_trade_no, or our
    out_refund_no, as the provider has it; a refund that we did not make may have another, or none. `payment`: our
    out_trade_no, of a refund too, where the bill names it. `provider_number`: the provider's own of the payment or
    refund. `amount_fen` is positive for both. `at`: when the provider took or returned the money, or was asked to
    return it. A payment in a bill has succeeded."""

    kind: Literal["payment", "refund"]
    number: str
    payment: str
    provider_number: str
    amount_fen: int
    at: datetime
    status: RefundState = "succeeded"


class PaymentProvider(Protocol):
    """One merchant at one provider. Every call answers within 5 s; network trouble is `Unknown`. `payer_app`: the
    WeChat app whose openid a payer by "jsapi" has; `web_payer_app`: the one in WeChat's browser. `in_order`: False
    while calls are refused here, because the provider did not answer. `acknowledgement`: the body that tells the
    provider that its notification was taken."""

    @property
    def acknowledgement(self) -> str: ...

    @property
    def payer_app(self) -> str | None: ...

    @property
    def web_payer_app(self) -> str | None: ...

    @property
    def in_order(self) -> bool: ...

    def create(self, request: PaymentRequest) -> PayBy:
        """Open the payment; the same number again gives it again. Gives what the client needs to pay it. Raises
        `Refused`."""

    def query(self, out_trade_no: str) -> PaymentTruth:
        """The truth about a payment."""

    def close(self, out_trade_no: str) -> None:
        """Take no money for it any more; closing twice, or what never was, is no error. Where a provider has no such
        call, the payment's own last moment ends it. Raises `AlreadyPaid`."""

    def refund(self, request: RefundRequest) -> RefundState:
        """Ask for a refund; the same number again is the same refund."""

    def query_refund(self, out_refund_no: str, out_trade_no: str) -> RefundState:
        """The truth about a refund."""

    def verify_notification(self, headers: Mapping[str, str], body: bytes, now: datetime) -> Notification:
        """The callback, if the provider signed it, and within five minutes of `now` where it says when. Calls nobody.
        Raises `Forged`."""

    def bill(self, day: date) -> Iterator[BillLine]:
        """The lines of the bill of `day` (Shanghai), one after the other: the whole of it was fetched and checked
        before the first is given, and is never in memory at once. Takes up to a minute, so that only jobs ask for it.
        Raises `NoBill`, and `Unknown` for a bill that is damaged, incomplete or of another form, too, the last while
        it is read."""
