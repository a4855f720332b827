"""What an SMS provider must be able to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class Unknown(Exception):
    """No trustworthy answer: a timeout, a dropped line, a 5xx, garbage. The message may have gone out."""


class Refused(Exception):
    """The provider did not take the message; `code` is its own. `again`: it would take it after a pause. `number`:
    because of this one number, not because of our account, sign or template. `asked` False: the provider is out of
    order and was not even asked."""

    def __init__(self, code: str, *, again: bool = False, number: bool = False, asked: bool = True):
        super().__init__(code)
        self.code = code
        self.again = again
        self.number = number
        self.asked = asked


@dataclass(frozen=True)
class Outgoing:
    """`phone`: eleven digits of a mainland mobile. `context`: our id, for the provider's own log."""

    phone: str
    sign: str
    template_id: str
    params: Sequence[str]
    context: str


@dataclass(frozen=True)
class Report:
    """What the phone's network said. `phone`: eleven digits; `at`: when the phone got it, or was given up."""

    serial_no: str
    phone: str
    delivered: bool
    description: str
    at: datetime


class SmsProvider(Protocol):
    """One account at one provider. Every call answers within 5 s or so; network trouble is `Unknown`."""

    def send(self, message: Outgoing) -> str:
        """Send it now; gives the provider's serial number. Raises `Refused`, `Unknown`."""

    def pull(self, limit: int) -> list[Report]:
        """New reports, each given out once. Raises `Refused`, `Unknown`."""

    def reports_of(self, phone: str, since: datetime, until: datetime) -> list[Report]:
        """The reports of one phone in a span of time; may be asked again. Raises `Refused`, `Unknown`."""
