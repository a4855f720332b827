"""Where a provider sends its notifications (one address per merchant), and where its page leads back to."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.core import tokens
from app.pay.channels import CHANNELS
from app.pay.errors import PAY_LINK_OVER
from app.pay.models import PaymentAttempt

FORWARD = "pay.forward"
FORWARD_LIVES = timedelta(minutes=5)

_base: list[str] = []


def init(public_url: str) -> None:
    """Remember the product's public address (no slash at its end)."""
    _base[:] = [public_url]


def notify_url(attempt: PaymentAttempt) -> str:
    """The address for this attempt's merchant."""
    return f"{_base[0]}/api/v1/callbacks/{CHANNELS[attempt.channel].kind}/{attempt.authority}"


def return_url(order_id: str) -> str:
    """Where a browser comes back to, by GET or by POST: it is sent on to the web page, which opens the order and asks
    at once how it stands."""
    return f"{_base[0]}/pay/return/{order_id}"


def forward_url(attempt: PaymentAttempt, now: datetime) -> str:
    """A page of ours, for five minutes, which posts the browser on to the provider's."""
    return f"{_base[0]}/pay/go/{tokens.sign(FORWARD, attempt.id, expires=now + FORWARD_LIVES)}"


def forwarded(token: str, now: datetime) -> str:
    """Which attempt that page is about. Raises `pay_link_over`."""
    try:
        (attempt_id,) = tokens.verify(FORWARD, token, now)
    except tokens.BadToken as error:
        raise PAY_LINK_OVER() from error
    return attempt_id
