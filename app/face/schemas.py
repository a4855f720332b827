"""What the face API takes and gives."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Integer, List, Nested, String
from apiflask.validators import Length, OneOf


class PhotoIn(Schema):
    photo = File(required=True, metadata={"description": "一寸白底免冠照片，JPG 或 PNG，不超过 5 MB"})


class HintOut(Schema):
    code = String()
    sentence = String()


class PhotoOut(Schema):
    status = String(metadata={"enum": ["none", "waiting", "confirmed"]})
    width = Integer()
    height = Integer()


class PhotoCheckOut(Schema):
    fine = Boolean()
    hints = List(Nested(HintOut))


class StartIn(Schema):
    purpose = String(required=True, validate=OneOf(["login", "study"]))
    subject = String(load_default=None, allow_none=True, validate=Length(min=1, max=32))
    method = String(required=True, validate=OneOf(["picture", "h5"]))


class StartOut(Schema):
    id = String()
    nonce = String(metadata={"description": "只告知一次，提交结果时带上"})
    method = String()
    h5_url = String(allow_none=True)
    expires_at = String()


class PictureIn(Schema):
    picture = File(required=True, metadata={"description": "摄像头现场拍摄的照片，JPG 或 PNG，不超过 5 MB"})
    nonce = String(required=True)


class FinishIn(Schema):
    nonce = String(required=True, validate=Length(min=1, max=64))


class CheckOut(Schema):
    id = String()
    purpose = String()
    method = String()
    status = String(metadata={"enum": ["created", "unknown", "passed", "failed", "expired", "consumed"]})
    reason = String(allow_none=True)
    sentence = String(metadata={"description": "给用户看的一句话"})
    retries_left = Integer()
    expires_at = String()
    manual_route = Dict(keys=String(), values=String(), allow_none=True)
    token = String(allow_none=True, metadata={"description": "账号由本次核验激活时的新登录凭证"})
