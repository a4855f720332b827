"""What the face API takes and gives."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Dict, File, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Regexp


class PhotoIn(Schema):
    photo = File(required=True, metadata={"description": "一寸白底免冠照片，JPG 或 PNG，不超过 5 MB"})


class PhotoRuleOut(Schema):
    status = String(
        required=True,
        metadata={
            "enum": ["none", "review", "returned", "waiting", "confirmed"],
            "description": "本人照片：没有 / 审核中 / 被退回 / 已上传待核验 / 已确认",
        },
    )
    changeable = Boolean(required=True, metadata={"description": "本人现在能不能上传或更换"})
    contact = String(required=True, metadata={"description": "照片问题的客服电话"})
    title = String(required=True, metadata={"description": "照片的规格，如一寸白底免冠照片"})
    points = List(String(), required=True, metadata={"description": "拍摄要求，逐条"})
    width_px = Integer(required=True, metadata={"description": "按这个宽高比裁剪"})
    height_px = Integer(required=True)
    white_ground = Boolean(required=True, metadata={"description": "背景必须是白色"})
    max_bytes = Integer(required=True)
    returned_because = String(required=True, allow_none=True, metadata={"description": "照片被退回的原因"})
    replacement = String(
        required=True,
        metadata={
            "enum": ["none", "asked", "agreed", "refused"],
            "description": "更换已确认照片的申请：没有 / 处理中 / 已同意，请重新上传 / 没有同意",
        },
    )
    refused_because = String(required=True, allow_none=True, metadata={"description": "没有同意更换的原因"})


class HintOut(Schema):
    code = String(required=True)
    sentence = String(required=True)


class PhotoOut(Schema):
    status = String(required=True, metadata={"enum": ["none", "review", "returned", "waiting", "confirmed"]})
    width = Integer(required=True)
    height = Integer(required=True)


class ReplacementIn(Schema):
    reason = String(
        required=True, validate=Length(min=2, max=200), metadata={"description": "照片哪里有误，由客服核对"}
    )


class ReplacementOut(Schema):
    filed = Boolean(required=True, metadata={"description": "false：之前的申请还在处理中"})


class PhotoCheckOut(Schema):
    fine = Boolean(required=True)
    hints = List(Nested(HintOut), required=True)


class StartIn(Schema):
    purpose = String(required=True, validate=OneOf(["login", "study"]))
    subject = String(load_default=None, allow_none=True, validate=Length(min=1, max=32))
    method = String(required=True, validate=OneOf(["picture", "h5"]))


class StartOut(Schema):
    id = String(required=True)
    nonce = String(required=True, metadata={"description": "只告知一次，提交结果时带上"})
    method = String(required=True)
    h5_url = String(required=True, allow_none=True)
    expires_at = String(required=True)


class PictureIn(Schema):
    picture = File(required=True, metadata={"description": "摄像头现场拍摄的照片，JPG 或 PNG，不超过 5 MB"})
    nonce = String(required=True)


class FinishIn(Schema):
    nonce = String(required=True, validate=Length(min=1, max=64))


class CheckOut(Schema):
    id = String(required=True)
    purpose = String(required=True)
    method = String(required=True)
    status = String(
        required=True, metadata={"enum": ["created", "unknown", "passed", "failed", "expired", "consumed"]}
    )
    reason = String(required=True, allow_none=True)
    sentence = String(required=True, metadata={"description": "给用户看的一句话"})
    retries_left = Integer(required=True)
    expires_at = String(required=True)
    manual_route = Dict(required=True, keys=String(), values=String(), allow_none=True)
    token = String(required=True, allow_none=True, metadata={"description": "账号由本次核验激活时的新登录凭证"})


class ScanLoginIn(Schema):
    programme = String(required=True, validate=Regexp(r"[a-z0-9_-]{1,32}\Z", error="没有这个培训项目。"))


class ScanStudyIn(Schema):
    enrolment_id = String(required=True, validate=Length(min=1, max=16))


class ScanShownOut(Schema):
    id = String(required=True)
    secret = String(required=True, metadata={"description": "只告知一次；之后放在 Authorization: Ticket <secret>"})
    picture = String(required=True, metadata={"description": "二维码图片，data URL"})
    by = String(
        required=True, metadata={"enum": ["wechat", "link"], "description": "link：请先打开小程序，再用里面的扫一扫"}
    )
    expires_at = String(required=True)
    server_now = String(required=True)
    wait_seconds = Integer(required=True, metadata={"description": "隔多少秒询问一次"})


class ScanSeenOut(Schema):
    status = String(
        required=True, metadata={"enum": ["waiting", "scanned", "confirmed", "used", "denied", "expired"]}
    )
    name = String(required=True, allow_none=True, metadata={"description": "扫码人，已打码"})
    expires_at = String(required=True)
    wait_seconds = Integer(required=True)


class ScanOpenedOut(Schema):
    token = String(required=True, allow_none=True, metadata={"description": "登录：新的登录凭证"})
    next = String(required=True, allow_none=True, metadata={"enum": ["activate", "password", "consent", "home"]})
    enrolment_id = String(required=True, allow_none=True, metadata={"description": "学习：现在可以开始的报名"})


class ScanFaceOut(Schema):
    purpose = String(required=True, metadata={"enum": ["login", "study"]})
    subject = String(required=True, allow_none=True)


class ScanQuestionOut(Schema):
    purpose = String(required=True, metadata={"enum": ["login", "study_now"]})
    status = String(required=True, metadata={"enum": ["scanned", "confirmed", "used", "denied"]})
    sentence = String(required=True, metadata={"description": "给用户看的一句话"})
    programme = String(required=True)
    name = String(required=True, metadata={"description": "本人姓名，已打码"})
    device = String(required=True, metadata={"description": "电脑上的浏览器"})
    asked_at = String(required=True)
    expires_at = String(required=True)
    server_now = String(required=True)
    face = Nested(ScanFaceOut, required=True, allow_none=True, metadata={"description": "确认前还要通过的人脸核验"})
