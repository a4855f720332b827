"""Where a provider sends its notifications (one address per merchant), and where its page leads back to."""

from __future__ import annotations

from app.pay.channels import CHANNELS
from app.pay.models import PaymentAttempt

_base: list[str] = []


def init(public_url: str) -> None:
    """Remember the product's public address (no slash at its end)."""
    _base[:] = [public_url]


def notify_url(attempt: PaymentAttempt) -> str:
    """The address for this attempt's merchant."""
    return f"{_base[0]}/api/v1/callbacks/{CHANNELS[attempt.channel].kind}/{attempt.authority}"


def return_url() -> str:
    """The first screen, which shows how the order stands."""
    return f"{_base[0]}/"
