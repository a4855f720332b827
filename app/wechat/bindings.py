"""Whose WeChat is whose, and whether a binding holds."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.policy import load
from app.wechat import providers
from app.wechat.errors import WECHAT_NOT_OFFERED
from app.wechat.models import Binding
from app.wechat.providers.protocol import WeChat


def client_of(programme_key: str, now: datetime) -> WeChat:
    """The mini-program of the programme. Raises `wechat_not_offered`."""
    try:
        prefix = load.in_force(programme_key, now).authority.secrets.wechat
    except load.UnknownProgramme:
        prefix = None
    if prefix is None:
        raise WECHAT_NOT_OFFERED()
    return providers.for_authority(prefix)


def holds(binding: Binding) -> bool:
    """Whether it was made, or confirmed, with the password that the person has now."""
    set_at = account.get_person(binding.person_id).password_set_at
    return set_at is not None and bool(binding.bound_at > set_at)


def binding_of(person_id: str, appid: str) -> Binding | None:
    """The person's WeChat in this mini-program, if its binding holds."""
    binding: Binding | None = Binding.get_or_none(Binding.person_key == f"{appid}:{person_id}")
    return binding if binding is not None and holds(binding) else None
