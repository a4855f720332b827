"""SMS: queued in the transaction of what they tell of, sent once by a job, followed up until the phone has them.

The call to the provider cannot be undone and cannot be repeated: the row says `sending` before it, and a call whose
answer was lost ends as `unknown`, which is asked for and never sent again (fault J1).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog

from app.account import service as account
from app.account.errors import NO_PHONE
from app.cases import service as cases
from app.core import audit
from app.core.budget import Budget
from app.core.crypto import mask_phone
from app.core.db import after_commit, compare_and_set, insert_once, transaction
from app.core.errors import NOT_FOUND
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.notify import pace, providers
from app.notify.errors import SMS_NOT_AGAIN
from app.notify.kinds import KINDS
from app.notify.ledger import move
from app.notify.models import Sms
from app.notify.providers.protocol import Outgoing, Refused, Unknown
from app.notify.reports import FIRST_QUESTION
from app.notify.status import Action, Status
from app.policy import load as policy
from app.policy.quiet import waking
from app.wechat import messages

log = structlog.get_logger(__name__)

SEND = "jobs.entries.send_sms"
STALE = timedelta(seconds=60)  # a call takes seconds: a row that is `sending` for longer lost its worker
MAX_TRIES = 3
KEPT = timedelta(days=30)  # words that support may send once more
PAUSE = timedelta(seconds=35)  # longer than the provider's limit of one message to a number in 30 seconds


def send_sms(
    *,
    person_id: str,
    programme: str,
    phone: str,
    template: str,
    params: Sequence[str],
    key: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> str | None:
    """Queue an SMS by a template of the programme (a key of `authority.sms.templates`) in the caller's transaction;
    gives its id. The same `key` again is the same message. It is not sent after `expires_at`; one that can wait does
    so (see `pace`). None where the programme has no such template. Raises `ValueError` for parameters that are not
    those of its kind."""
    if len(params) != len(KINDS[template].says):
        raise ValueError(f"{template} says {', '.join(KINDS[template].says)}")
    authority = policy.in_force(programme, now).authority
    template_id = getattr(authority.sms.templates, template)
    prefix = authority.secrets.tencent_sms
    if template_id is None or prefix is None:
        log.info("sms_not_offered", programme=programme, template=template)
        return None
    with transaction():
        known = Sms.get_or_none(Sms.key == key)
        if known is not None:
            return str(known.id)
        sms_id = new_id()
        fresh = insert_once(
            Sms,
            id=sms_id,
            key=key,
            person_id=person_id,
            programme=programme,
            authority=prefix,
            template=template,
            template_id=template_id,
            sign=authority.sms.sign,
            phone=phone,
            params=json.dumps(list(params), ensure_ascii=False),
            status=Status.QUEUED,
            created_at=now,
            send_at=pace.send_at(authority.sms, template, phone, now=now),
            expires_at=expires_at,
        )
        if not fresh:
            return str(Sms.get(Sms.key == key).id)
        after_commit(partial(enqueue_hint, SEND, sms_id))
    return sms_id


def tell(*, person_id: str, programme: str, template: str, params: Sequence[str], key: str, now: datetime) -> None:
    """Tell a person, in the caller's transaction: by WeChat if they allowed a message of this kind, and nobody is
    woken by it; else by SMS to the phone they have now. Nothing where there is neither. The same `key` again is the
    same message."""
    if Sms.select().where(Sms.key == key).exists():
        return
    urgent, quiet = KINDS[template].urgent, policy.in_force(programme, now).authority.sms.quiet
    awake = urgent or waking(quiet, now) == now
    if awake and messages.take(person_id, programme, template, params, key, urgent=urgent, now=now) is not None:
        return
    _by_sms(person_id, programme, template, params, key, now)


def again_key(sms_id: str) -> str:
    """The business key of a message that support sends once more: one for each, ever."""
    return f"again:{sms_id}"


def send_again(sms_id: str, person_id: str, *, actor: str, reason: str, now: datetime) -> str:
    """Queue the same words once more, to the phone that the person has now; gives it, masked. A second time it is the
    same message. Raises `not_found`, `sms_not_again` (a code, one that is still on its way, or too old),
    `no_phone_on_record`."""
    sms = Sms.get_or_none(Sms.id == sms_id)
    if sms is None:
        raise NOT_FOUND()
    if not KINDS[sms.template].again or sms.params_sealed is None or sms.status in (Status.QUEUED, Status.SENDING):
        raise SMS_NOT_AGAIN()
    person = account.get_person(person_id)
    if person.phone_sealed is None:
        raise NO_PHONE()
    with transaction():
        queued = send_sms(
            person_id=person.id,
            programme=sms.programme,
            phone=person.phone,
            template=sms.template,
            params=json.loads(sms.params),
            key=again_key(sms.id),
            now=now,
        )
        if queued is None:
            raise SMS_NOT_AGAIN()
        audit.record(actor, "sms.sent_again", f"person:{person.id}", now=now, programme=sms.programme, reason=reason)
    return mask_phone(person.phone) or ""


def _kept(sms: Sms) -> dict[str, None]:
    """After the last call: what may be sent once more keeps its words for a while."""
    return {} if KINDS[sms.template].again else {"params_sealed": None}


def forget(*, now: datetime) -> int:
    """Scheduled: the words of old messages are forgotten; gives how many."""
    old = Sms.select(Sms.id).where(
        Sms.created_at.between(now - 2 * KEPT, now - KEPT),
        Sms.params_sealed.is_null(False),
        Sms.status.not_in((Status.QUEUED, Status.SENDING)),
    )
    ids = [row_id for (row_id,) in old.limit(1000).tuples()]
    return int(Sms.update(params_sealed=None).where(Sms.id.in_(ids)).execute()) if ids else 0


def on_message_unsent(payload: dict[str, str], now: datetime) -> None:
    """`wechat.message_unsent`: a message did not arrive for certain; an SMS says the same."""
    unsent = messages.take_unsent(payload["leave_id"])
    if unsent is not None:
        _by_sms(unsent.person_id, unsent.programme, unsent.template, unsent.params, unsent.key, now)


def _by_sms(person_id: str, programme: str, template: str, params: Sequence[str], key: str, now: datetime) -> None:
    person = account.get_person(person_id)
    if person.phone_sealed is None:
        log.info("nobody_to_tell", template=template, key=key)
        return
    send_sms(
        person_id=person_id,
        programme=programme,
        phone=person.phone,
        template=template,
        params=params,
        key=key,
        now=now,
    )


def on_code_issued(payload: dict[str, str], now: datetime) -> None:
    """`account.code_issued`: a code waits to be sent."""
    _queue(account.code_message(payload["code_id"]), f"code:{payload['code_id']}", now)


def on_notice(payload: dict[str, str], now: datetime) -> None:
    """`account.notice`: the owner of an account is to be told of something."""
    _queue(account.notice_message(payload["notice_id"]), f"notice:{payload['notice_id']}", now)


def _queue(message: account.Message | None, key: str, now: datetime) -> None:
    if message is None:
        log.info("sms_without_message", key=key)  # the code was used, or replaced, before this was delivered
        return
    send_sms(
        person_id=message.person_id,
        programme=message.programme,
        phone=message.phone,
        template=message.template,
        params=message.params,
        key=key,
        expires_at=message.expires_at,
        now=now,
    )


def send(sms_id: str, *, now: datetime) -> bool:
    """Send one queued message, if it is due and no one else has it. True if the provider took it."""
    sms = Sms.get_or_none(Sms.id == sms_id)
    if sms is None or sms.status != Status.QUEUED or sms.send_at > now:
        return False
    if sms.expires_at is not None and sms.expires_at <= now:
        if move(sms, Action.DROP, provider_code="expired", params_sealed=None):
            log.warning("sms_expired", sms_id=sms_id, template=sms.template)
        return False
    if not KINDS[sms.template].urgent:  # it was due by day, and nobody came to send it
        quiet = policy.in_force(sms.programme, now).authority.sms.quiet
        morning = waking(quiet, now)
        if morning > now:
            compare_and_set(Sms, sms_id, {"status": Status.QUEUED}, {"send_at": morning})
            return False
    if not move(sms, Action.CLAIM, claimed_at=now, tries=sms.tries + 1):
        return False
    message = Outgoing(sms.phone, sms.sign, sms.template_id, json.loads(sms.params), sms.id)
    try:
        serial_no = providers.for_authority(sms.authority).send(message)
    except Refused as refusal:
        _refused(sms_id, refusal, now)
        return False
    except Unknown as error:
        _apply(sms_id, Action.LOSE, **_kept(sms), provider_code=str(error)[:64], ask_at=now + FIRST_QUESTION)
        log.warning("sms_unknown", sms_id=sms_id, template=sms.template, provider_code=str(error))
        return False
    ask_at = now + FIRST_QUESTION
    return _apply(sms_id, Action.ACCEPT, **_kept(sms), serial_no=serial_no, sent_at=now, ask_at=ask_at)


def _refused(sms_id: str, refusal: Refused, now: datetime) -> None:
    sms = Sms.get_by_id(sms_id)
    if not refusal.asked:  # no try: it waits until the provider is back, or what it says is no longer true
        move(sms, Action.POSTPONE, send_at=now + PAUSE, tries=sms.tries - 1, provider_code=refusal.code[:64])
        return
    if refusal.again and sms.tries < MAX_TRIES:
        if move(sms, Action.POSTPONE, send_at=now + PAUSE * sms.tries, provider_code=refusal.code[:64]):
            log.info("sms_postponed", sms_id=sms_id, provider_code=refusal.code)
            return
        sms = Sms.get_by_id(sms_id)
    move(sms, Action.REFUSE, **_kept(sms), provider_code=refusal.code[:64], ask_at=None)
    log.error("sms_refused", sms_id=sms_id, template=sms.template, provider_code=refusal.code)
    if not refusal.number:  # no money left, a template that is not approved: nobody gets this message any more
        facts = {"template": sms.template, "template_id": sms.template_id, "code": refusal.code}
        cases.file("sms.refused", f"{sms.authority}:{sms.template}"[:64], facts, now=now)


def _apply(sms_id: str, action: Action, **values: Any) -> bool:
    """Write down what came of the call: from `sending`, or from `unknown` if this call was given up for lost."""
    return move(Sms.get_by_id(sms_id), action, **values) or move(Sms.get_by_id(sms_id), action, **values)


def send_queued(*, now: datetime, limit: int = 20) -> int:
    """Give up the calls of workers that died, and send what is due, as far as the time of one run goes; gives how
    many the provider took."""
    budget, taken = Budget(), 0
    lost = Sms.select().where(Sms.status == Status.SENDING, Sms.claimed_at <= now - STALE).limit(500)
    for sms in list(lost):
        if move(sms, Action.LOSE, **_kept(sms), provider_code="worker lost", ask_at=now):
            log.warning("sms_unknown", sms_id=sms.id, template=sms.template, provider_code="worker lost")
    due = Sms.select(Sms.id).where(Sms.status == Status.QUEUED, Sms.send_at <= now).order_by(Sms.send_at).limit(limit)
    for (sms_id,) in list(due.tuples()):
        if budget.spent():
            break
        taken += send(sms_id, now=now)
    return taken
