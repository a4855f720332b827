"""What the study routes take and give. The heartbeat is decoded by msgspec; its schemas here describe it."""

from __future__ import annotations

from apiflask import Schema
from apiflask.fields import Boolean, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp


class LessonOut(Schema):
    id = String(required=True)
    number = Integer(required=True)
    title = String(required=True)
    seconds = Integer(required=True, metadata={"description": "课长（秒）"})
    percent = Integer(required=True)
    done = Boolean(required=True)
    resume_at = Integer(required=True, metadata={"description": "从第几秒继续"})


class SummaryOut(Schema):
    lessons = Integer(required=True)
    lessons_done = Integer(required=True)
    percent = Integer(required=True)
    complete = Boolean(required=True)


class LessonsOut(SummaryOut):
    items = List(Nested(LessonOut), required=True)


class PlayIn(Schema):
    device = String(
        required=True,
        validate=Regexp(r"^[A-Za-z0-9_-]{8,64}\Z", error="设备编号的格式不对，请刷新页面后重试。"),
        metadata={"description": "本机自己生成并一直保存的随机编号"},
    )
    take_over = Boolean(load_default=False, metadata={"description": "另一台设备正在学习时，是否改在本机学习"})


class PlayOut(Schema):
    ticket = String(required=True, metadata={"description": "上报学习片段用的票据"})
    video_url = String(required=True, metadata={"description": "有时效的视频地址，支持 Range"})
    title = String(required=True)
    seconds = Integer(required=True)
    chunk_seconds = Integer(required=True)
    chunks = Integer(required=True)
    in_order = Boolean(required=True, metadata={"description": "未学完前不可快进"})
    resume_at = Integer(required=True)
    watched = String(required=True, metadata={"description": "已计学时的片段，位图 base64"})
    durable = String(required=True, metadata={"description": "其中已存入数据库的片段，位图 base64"})
    epoch = Integer(required=True, metadata={"description": "清零次数；变化后，之前保存的片段作废"})
    store = String(required=True)


class BeatIn(Schema):
    ticket = String(required=True, validate=Length(max=512))
    chunks = List(
        Integer(validate=Range(min=0, max=65535)),
        validate=Length(max=1000),
        metadata={"description": "看完的片段的序号；没有出现在 durable 里的要留着再报"},
    )
    position = Float(validate=Range(min=0, max=1e6), metadata={"description": "播放位置（秒）"})


class BeatOut(Schema):
    credited = String(required=True, metadata={"description": "已计学时的片段，位图 base64，片段 0 为首字节最高位"})
    durable = String(required=True, metadata={"description": "其中已存入数据库的；手机可以不再保留它们"})
    percent = Integer(required=True)
    next = String(required=True, validate=OneOf(["go_on", "wait", "face_check", "kicked", "done"]))
    reason = String(required=True, allow_none=True, validate=OneOf(["other_device", "purged"]))
    refused = List(Integer(), required=True, metadata={"description": "这次没有计入的片段，稍后再报"})
    wait_seconds = Float(required=True, metadata={"description": "多少秒后再报 refused 里的第一个"})
    resume_at = Integer(required=True, metadata={"description": "连续看到第几秒"})
    epoch = Integer(required=True)
    store = String(required=True, metadata={"description": "变化后，请对照 credited 把缺的片段再报一次"})
