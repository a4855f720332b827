"""What of a person is WeChat's: a binding opens the account that it was made for, and none else; it ends."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.wechat.models import Binding


def move(_keep: str, gone: str, now: datetime) -> None:
    """In the merge's transaction."""
    ended = Binding.update(ended_at=now, openid_key=None, person_key=None)
    ended.where(Binding.person_id == gone, Binding.ended_at.is_null()).execute()


PART = account.Part("wechat", move)
