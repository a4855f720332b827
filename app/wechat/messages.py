"""Subscribe messages: a person allows one message, one message is sent, once.

`take` claims a standing leave in the transaction of what the message tells of; a job sends it. Whatever does not
arrive for certain is told to `notify` by the event `wechat.message_unsent`, which sends an SMS where the programme
has one: twice told is better than not at all (docs/decisions/0022-wechat.md).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import peewee
import structlog

from app.account import service as account
from app.core import outbox
from app.core.access import Identity
from app.core.budget import Budget
from app.core.db import after_commit, compare_and_set, insert_once, savepoint, transaction
from app.core.queue import enqueue_hint
from app.policy import load
from app.policy.parties import WechatTemplate
from app.policy.quiet import waking
from app.wechat import providers
from app.wechat.bindings import binding_of, client_of
from app.wechat.errors import WECHAT_NOT_BOUND
from app.wechat.models import Binding, MessageLeave
from app.wechat.providers.protocol import NoSubscription, ProviderUnavailable, Refused
from app.wechat.status import LeaveAction, LeaveStatus, NotAllowed, next_leave_status

log = structlog.get_logger(__name__)

SEND = "jobs.entries.send_subscribe_message"
PAGE = "pages/home/index"
MOST = 10  # leaves that stand at a time, of one kind and person
STALE = timedelta(seconds=60)  # a call takes seconds: a row that is `sending` for longer lost its worker
KEPT = timedelta(days=90)


@dataclass(frozen=True)
class Offered:
    """A message for which the phone may ask leave. `standing`: how many leaves there are already."""

    template: str
    template_id: str
    standing: int


@dataclass(frozen=True)
class Unsent:
    """A message that did not arrive for certain: what its SMS needs."""

    person_id: str
    programme: str
    template: str
    params: list[str]
    key: str


def _templates(programme_key: str, now: datetime) -> dict[str, WechatTemplate]:
    named = load.in_force(programme_key, now).authority.wechat_templates
    found = {name: getattr(named, name) for name in named.__struct_fields__}
    return {name: template for name, template in found.items() if template is not None}


# --- leave -------------------------------------------------------------------------------------------------------


def offered(who: Identity, *, now: datetime) -> list[Offered]:
    """The messages of the session's programme for which the mini-program may ask leave. Raises
    `wechat_not_offered`."""
    programme = account.get_session(who.session_id).programme
    binding = binding_of(who.person_id, client_of(programme, now).appid)
    return [
        Offered(name, template.id, _standing(who.person_id, binding.id, name, template.id).count() if binding else 0)
        for name, template in _templates(programme, now).items()
    ]


def allow(who: Identity, request_id: str, accepted: Sequence[str], *, now: datetime) -> list[Offered]:
    """The person tapped "allow" for these messages, when the phone asked its question `request_id`; sent again, it
    counts once. Names that the programme does not have are left out. Raises `wechat_not_offered`,
    `wechat_not_bound`."""
    programme = account.get_session(who.session_id).programme
    templates = _templates(programme, now)
    binding = binding_of(who.person_id, client_of(programme, now).appid)
    if binding is None:
        raise WECHAT_NOT_BOUND()
    with transaction():
        for name in sorted(set(accepted) & set(templates)):
            if _standing(who.person_id, binding.id, name, templates[name].id).count() < MOST:
                insert_once(
                    MessageLeave,
                    person_id=who.person_id,
                    binding_id=binding.id,
                    programme=programme,
                    template=name,
                    template_id=templates[name].id,
                    request_id=request_id,
                    given_at=now,
                )
    return offered(who, now=now)


def _standing(person_id: str, binding_id: str, template: str, template_id: str) -> Any:
    return MessageLeave.select().where(
        MessageLeave.person_id == person_id,
        MessageLeave.binding_id == binding_id,
        MessageLeave.template == template,
        MessageLeave.template_id == template_id,
        MessageLeave.status == LeaveStatus.STANDING,
    )


# --- sending -----------------------------------------------------------------------------------------------------


def take(
    person_id: str, programme_key: str, template: str, params: Sequence[str], key: str, *, urgent: bool, now: datetime
) -> str | None:
    """Send this message by WeChat, if the person allowed one of its kind (a key of `authority.wechat_templates`; its
    parameters are those of the SMS of the same name): takes one leave in the caller's transaction, and gives its id.
    The same `key` again is the same message. Unless it is `urgent`, it does not ring at night, should nobody come to
    send it by day. None where there is no leave: an SMS it is, then."""
    with transaction():
        known = MessageLeave.get_or_none(MessageLeave.key == key)
        if known is not None:
            return str(known.id)
        found = load.in_force(programme_key, now).authority
        wanted = getattr(found.wechat_templates, template, None)
        if wanted is None or found.secrets.wechat is None:
            return None
        if len(wanted.fields) != len(params):
            log.error("wechat_template_does_not_fit", programme=programme_key, template=template)
            return None
        binding = binding_of(person_id, providers.for_authority(found.secrets.wechat).appid)
        if binding is None:
            return None
        for leave in list(_standing(person_id, binding.id, template, wanted.id).order_by(MessageLeave.id).limit(3)):
            leave.params = json.dumps(list(params), ensure_ascii=False)
            try:
                with savepoint():
                    taken = {"key": key, "params_sealed": leave.params_sealed, "taken_at": now, "send_at": now}
                    mine = _move(leave, LeaveAction.TAKE, urgent=urgent, **taken)
            except peewee.IntegrityError:  # somebody took a leave for the same message a moment ago
                return str(MessageLeave.get(MessageLeave.key == key).id)
            if mine:
                after_commit(partial(enqueue_hint, SEND, leave.id))
                return str(leave.id)
    return None


def _move(leave: MessageLeave, action: LeaveAction, **values: Any) -> bool:
    try:
        after = next_leave_status(leave.status, action)
    except NotAllowed:
        return False
    return compare_and_set(MessageLeave, leave.id, {"status": leave.status}, {"status": after, **values})


def send(leave_id: str, *, now: datetime) -> bool:
    """Send one message that took a leave, if it is due and no one else does. True if WeChat took it."""
    leave = MessageLeave.get_or_none(MessageLeave.id == leave_id)
    if leave is None or leave.status != LeaveStatus.QUEUED or (leave.send_at is not None and leave.send_at > now):
        return False
    morning = waking(load.in_force(leave.programme, now).authority.sms.quiet, now)
    if leave.urgent is False and morning > now:
        compare_and_set(MessageLeave, leave.id, {"status": LeaveStatus.QUEUED}, {"send_at": morning})
        return False
    binding = Binding.get_or_none(Binding.id == leave.binding_id, Binding.ended_at.is_null())
    template = _templates(leave.programme, now).get(leave.template)
    if binding is None or template is None or template.id != leave.template_id:
        _fail(leave, LeaveAction.REFUSE, "unbound" if binding is None else "template", now)
        return False
    data = dict(zip(template.fields, json.loads(leave.params), strict=True))
    if not _move(leave, LeaveAction.BEGIN, began_at=now):
        return False
    leave.status = LeaveStatus.SENDING
    try:
        client_of(leave.programme, now).send_subscribed(binding.openid, leave.template_id, PAGE, data)
    except NoSubscription as refusal:
        with transaction():
            _fail(leave, LeaveAction.REFUSE, refusal.code, now)
            for other in list(_standing(leave.person_id, leave.binding_id, leave.template, leave.template_id)):
                _move(other, LeaveAction.VOID, settled_at=now)
        return False
    except Refused as refusal:
        log.error("wechat_message_refused", leave_id=leave_id, template=leave.template, errcode=refusal.code)
        _fail(leave, LeaveAction.REFUSE, refusal.code, now)
        return False
    except ProviderUnavailable as error:
        log.warning("wechat_message_unknown", leave_id=leave_id, template=leave.template)
        _fail(leave, LeaveAction.LOSE, str(error), now)
        return False
    return _move(leave, LeaveAction.ACCEPT, settled_at=now, params_sealed=None)


def _fail(leave: MessageLeave, action: LeaveAction, code: str, now: datetime) -> None:
    with transaction():
        if _move(leave, action, settled_at=now, provider_code=code[:32]):
            outbox.emit("wechat.message_unsent", leave.id, {"leave_id": leave.id}, now=now)


def take_unsent(leave_id: str) -> Unsent | None:
    """What the SMS in its place needs, once: afterwards its words are forgotten. In the caller's transaction."""
    leave = MessageLeave.get_or_none(MessageLeave.id == leave_id)
    if leave is None or leave.params_sealed is None or leave.status not in (LeaveStatus.REFUSED, LeaveStatus.UNKNOWN):
        return None
    params = json.loads(leave.params)
    if not compare_and_set(MessageLeave, leave.id, {"params_sealed": leave.params_sealed}, {"params_sealed": None}):
        return None
    return Unsent(leave.person_id, leave.programme, leave.template, params, leave.key)


def send_taken(*, now: datetime, limit: int = 20) -> int:
    """Give up the calls of workers that died, and send what still waits, as far as the time of one run goes; gives
    how many WeChat took."""
    budget, sent = Budget(), 0
    lost = MessageLeave.select().where(
        MessageLeave.status == LeaveStatus.SENDING, MessageLeave.began_at <= now - STALE
    )
    for leave in list(lost.limit(500)):
        _fail(leave, LeaveAction.LOSE, "worker lost", now)
    due = MessageLeave.select(MessageLeave.id).where(
        MessageLeave.status == LeaveStatus.QUEUED, MessageLeave.send_at.is_null() | (MessageLeave.send_at <= now)
    )
    for (leave_id,) in list(due.order_by(MessageLeave.taken_at).limit(limit).tuples()):
        if budget.spent():
            break
        sent += send(leave_id, now=now)
    return sent


def forget(*, now: datetime) -> int:
    """Delete leaves that were used, or came to nothing, long ago; gives how many."""
    old = MessageLeave.select(MessageLeave.id).where(MessageLeave.settled_at < now - KEPT).limit(1000).tuples()
    ids = [row_id for (row_id,) in old]
    return int(MessageLeave.delete().where(MessageLeave.id.in_(ids)).execute()) if ids else 0
