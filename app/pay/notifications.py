"""The providers' notifications about payments and refunds: verified and committed first, applied by a job."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime

import structlog

from app.cases import service as cases
from app.core import inbox
from app.core.errors import NOT_FOUND
from app.pay import janitor, providers, refunds, settlement
from app.pay.errors import NOTIFICATION_REFUSED
from app.pay.models import PaymentAttempt
from app.pay.providers.protocol import Forged, PaymentTruth, Unknown
from app.pay.status import AttemptStatus
from app.policy import load as policy

log = structlog.get_logger(__name__)

INBOX = "pay"


def receive(kind: str, merchant: str, headers: Mapping[str, str], body: bytes, *, now: datetime) -> str:
    """Verify a provider's callback and commit it; it is applied by a job. Gives the answer's body, as this provider
    wants it. Raises `notification_refused`: then nothing was changed and nobody was called (fault P3)."""
    if kind not in providers.kinds():  # before anything is looked up by a name that a stranger chose
        raise NOT_FOUND()
    if merchant not in {getattr(p.authority.secrets, kind) for p in policy.open_programmes()}:
        raise NOT_FOUND()
    provider = providers.provider(kind, merchant)
    try:
        notification = provider.verify_notification(headers, body, now)
    except Forged as error:
        log.warning("notification_refused", kind=kind, merchant=merchant, why=str(error))
        raise NOTIFICATION_REFUSED() from error
    content = {
        "kind": notification.kind,
        "number": notification.number,
        "merchant": merchant,
        "provider": kind,
        "told": _dump(notification.told),
        "raw": body.decode("utf-8"),
    }
    external_id = hashlib.sha256(f"{kind}:{merchant}:{notification.external_id}".encode()).hexdigest()
    inbox.record(INBOX, external_id, json.dumps(content), now=now)
    return provider.acknowledgement


def _dump(told: PaymentTruth | None) -> dict[str, str | int | bool | None] | None:
    return asdict(told) | {"paid_at": None} if told else None


def apply(body: str, now: datetime) -> None:
    """Apply a committed callback. It is a trigger: the provider is asked for the truth. But a signed statement that
    does not fit what we asked for grants nothing, whatever is answered afterwards (fault P4). Raises `Unknown`: then
    it comes again."""
    content = json.loads(body)
    number = content["number"]
    if content["kind"] == "refund":
        refunds.ask_refund(number, now=now)
        return
    attempt = PaymentAttempt.get_or_none(PaymentAttempt.out_trade_no == number)
    if attempt is None or attempt.authority != content["merchant"]:
        cases.file("pay.unknown_number", f"number:{number}"[:64], {"merchant": content["merchant"]}, now=now)
        return
    told = PaymentTruth(**content["told"]) if content["told"] else None
    wrong = settlement.mismatch(attempt, told) if told else None
    if told is not None and wrong is not None:
        settlement.dispute(attempt, told, wrong, now=now)
        return
    try:
        settlement.ask(attempt, now=now)
    except Unknown:
        if attempt.status == AttemptStatus.CLOSED:  # late money: the janitor asks too, until it has an answer
            janitor.ask_soon(attempt, now=now)
        raise
