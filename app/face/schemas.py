"""What the face API takes and gives."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp


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


class ScanLoginIn(Schema):
    programme = String(required=True, validate=Regexp(r"[a-z0-9_-]{1,32}\Z", error="没有这个培训项目。"))


class ScanStudyIn(Schema):
    enrolment_id = String(required=True, validate=Length(min=1, max=16))


class ScanShownOut(Schema):
    id = String()
    secret = String(metadata={"description": "只告知一次；之后放在 Authorization: Ticket <secret>"})
    picture = String(metadata={"description": "二维码图片，data URL"})
    by = String(metadata={"enum": ["wechat", "link"], "description": "link：请先打开小程序，再用里面的扫一扫"})
    expires_at = String()
    wait_seconds = Integer(metadata={"description": "隔多少秒询问一次"})


class ScanSeenOut(Schema):
    status = String(metadata={"enum": ["waiting", "scanned", "confirmed", "used", "denied", "expired"]})
    name = String(allow_none=True, metadata={"description": "扫码人，已打码"})
    expires_at = String()
    wait_seconds = Integer()


class ScanOpenedOut(Schema):
    token = String(allow_none=True, metadata={"description": "登录：新的登录凭证"})
    next = String(allow_none=True, metadata={"enum": ["activate", "password", "consent", "home"]})
    enrolment_id = String(allow_none=True, metadata={"description": "学习：现在可以开始的报名"})


class ScanFaceOut(Schema):
    purpose = String(metadata={"enum": ["login", "study"]})
    subject = String(allow_none=True)


class ScanQuestionOut(Schema):
    purpose = String(metadata={"enum": ["login", "study_now"]})
    status = String(metadata={"enum": ["scanned", "confirmed", "used", "denied"]})
    sentence = String(metadata={"description": "给用户看的一句话"})
    programme = String()
    name = String(metadata={"description": "本人姓名，已打码"})
    device = String(metadata={"description": "电脑上的浏览器"})
    asked_at = String()
    expires_at = String()
    face = Nested(ScanFaceOut, allow_none=True, metadata={"description": "确认前还要通过的人脸核验"})
