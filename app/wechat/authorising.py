"""Whose WeChat a web page is open in: WeChat's own browser is sent to WeChat's page and comes back with a code, for
which the official account gets the openid. It is good for paying and opens nothing: whoever may sign in with a WeChat
is `Binding`'s matter (docs/decisions/0042-paying-in-wechats-browser.md).
"""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta

from app.account import service as account
from app.core.access import Identity
from app.core.db import compare_and_set, transaction
from app.core.errors import TOO_MANY
from app.policy import load
from app.wechat import providers
from app.wechat.errors import AUTHORISATION_OVER, WECHAT_BLOCKED, WECHAT_NOT_OFFERED, WECHAT_UNAVAILABLE
from app.wechat.models import Authorisation, PayerOpenid
from app.wechat.providers.protocol import AccountBlocked, CodeRefused, OfficialAccount, ProviderUnavailable

LIVES = timedelta(minutes=10)
KEPT = timedelta(days=2)
A_MINUTE = 10  # of one person


def _account_of(programme_key: str, now: datetime) -> OfficialAccount:
    try:
        prefix = load.in_force(programme_key, now).authority.secrets.wechat_official
    except load.UnknownProgramme:
        prefix = None
    if prefix is None:
        raise WECHAT_NOT_OFFERED()
    return providers.official(prefix)


def begin(who: Identity, programme_key: str, back: str, *, site: str, now: datetime) -> str:
    """The address of WeChat's page for the caller, who pays in this programme; it leads back to `site`, which goes on
    with `back` (a path of ours). The state in it is good for this session, once, for ten minutes. Raises
    `wechat_not_offered`, `too_many_requests`."""
    official = _account_of(programme_key, now)
    with transaction():
        lately = Authorisation.select().where(
            Authorisation.person_id == who.person_id, Authorisation.created_at > now - timedelta(minutes=1)
        )
        if lately.count() >= A_MINUTE:
            raise TOO_MANY(headers={"Retry-After": "60"})
        row = Authorisation.create(
            id=secrets.token_hex(8),
            person_id=who.person_id,
            session_id=who.session_id,
            programme=programme_key,
            back=back,
            created_at=now,
        )
    return official.authorise_url(f"{site}/?wechat=return", row.id)


def finish(who: Identity, code: str, state: str, *, now: datetime) -> str:
    """The page came back with WeChat's `code`: the openid is this person's to pay with from now on. Gives the path to
    go on with. Raises `authorisation_over` (unknown, another session's, used, too old, or a code that WeChat does not
    know), `wechat_blocked`, `wechat_unavailable`: each time the page begins anew, at no cost."""
    row = Authorisation.get_or_none(Authorisation.id == state, Authorisation.session_id == who.session_id)
    if row is None or row.created_at <= now - LIVES:
        raise AUTHORISATION_OVER()
    official = _account_of(row.programme, now)
    if not compare_and_set(Authorisation, row.id, {"used_at": None}, {"used_at": now}):
        raise AUTHORISATION_OVER()
    try:
        openid = official.openid_of(code)
    except CodeRefused as error:
        raise AUTHORISATION_OVER() from error
    except AccountBlocked as error:
        raise WECHAT_BLOCKED("微信提示这个账号有风险，暂时不能用微信支付，请换一种支付方式。") from error
    except ProviderUnavailable as error:
        raise WECHAT_UNAVAILABLE(
            "微信暂时没有响应，请稍后再点“微信支付”，或换一种支付方式。", headers={"Retry-After": "5"}
        ) from error
    with transaction():
        account.get_person(who.person_id, locked=True)  # of two pages that come back at once the later one stands
        key = f"{official.appid}:{who.person_id}"
        PayerOpenid.delete().where(PayerOpenid.key == key).execute()
        PayerOpenid.create(key=key, openid=openid, authorised_at=now)
    back: str = row.back
    return back


def payer_openid(person_id: str, appid: str) -> str | None:
    """The openid that this person pays with in the browser of WeChat, for this official account."""
    row = PayerOpenid.get_or_none(PayerOpenid.key == f"{appid}:{person_id}")
    return str(row.openid) if row is not None else None


def forget(*, now: datetime) -> int:
    """Delete what was begun long ago; gives how many."""
    old = Authorisation.select(Authorisation.id).where(Authorisation.created_at < now - KEPT).limit(1000).tuples()
    ids = [row_id for (row_id,) in old]
    return int(Authorisation.delete().where(Authorisation.id.in_(ids)).execute()) if ids else 0
