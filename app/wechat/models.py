"""WeChat identities: login codes that came in, and which openid belongs to whom."""

from __future__ import annotations

from typing import Any

import peewee

from app.core import crypto
from app.core.crypto import Sealed
from app.core.db import BaseModel, UtcField


class LoginCode(BaseModel):
    """A code of `wx.login` that somebody brought. Its row is made before WeChat is asked, and `code_index` is unique:
    a code that comes twice, or fifty times at once, is asked for once. `bound_at`: its openid was bound by it."""

    code_index = peewee.CharField(32, unique=True)
    programme = peewee.CharField(32)
    appid = peewee.CharField(64)
    address_index = peewee.CharField(32)
    openid = Sealed()
    openid_sealed = peewee.TextField(null=True)
    created_at = UtcField(index=True)
    bound_at = UtcField(null=True)

    class Meta:
        indexes = ((("address_index", "created_at"), False),)


def openid_keys(appid: str, openid: str) -> list[str]:
    """What `openid_key` is for an openid of a mini-program: as it is written today, then as rows may have it."""
    return [f"{appid}:{index}" for index in crypto.indexes("binding.openid", openid)]


class Binding(BaseModel):
    """A person's openid in one mini-program. While it holds, `openid_key` and `person_key` are set and unique: one
    openid a person and one person an openid, for each appid. They are cleared when it ends. `bound_at`: when the
    password was typed for it, to bind it or to confirm it after the password had changed."""

    keyed = ("openid_key",)

    person_id = peewee.CharField(16, index=True)
    appid = peewee.CharField(64)
    openid = Sealed(indexed=True)
    openid_sealed = peewee.TextField()
    openid_index = peewee.CharField(32, index=True)
    openid_key = peewee.CharField(100, null=True, unique=True)
    person_key = peewee.CharField(100, null=True, unique=True)
    bound_at = UtcField()
    ended_at = UtcField(null=True)

    def rekeyed(self) -> dict[str, Any]:
        """The unique key goes with the openid's index."""
        return {"openid_key": self.openid_key and openid_keys(self.appid, self.openid)[0]}
