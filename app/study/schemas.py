"""What the study routes take and give. The heartbeat is decoded by msgspec; its schemas here describe it."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Float, Integer, List, Nested, String
from apiflask.validators import Length, OneOf, Range, Regexp

_MAYBE: dict[str, Any] = {"required": True, "allow_none": True}
_MOMENT = {"format": "date-time"}


class LessonOut(Schema):
    id = String(required=True)
    number = Integer(required=True)
    title = String(required=True)
    seconds = Integer(required=True, metadata={"description": "课长（秒）"})
    percent = Integer(required=True)
    done = Boolean(required=True)
    resume_at = Integer(required=True, metadata={"description": "从第几秒继续"})
    bytes = Integer(**_MAYBE, metadata={"description": "视频文件的大小（字节），用移动数据播放前告知"})


class SummaryOut(Schema):
    lessons = Integer(required=True)
    lessons_done = Integer(required=True)
    percent = Integer(required=True)
    complete = Boolean(required=True)
    seconds_left = Integer(required=True, metadata={"description": "还没有学的秒数"})
    next_lesson_id = String(**_MAYBE, metadata={"description": "接着学哪一课；全部学完时为空"})


class RefusalOut(Schema):
    code = String(required=True)
    text = String(required=True)


class LessonsOut(SummaryOut):
    title = String(required=True, metadata={"description": "培训项目"})
    kind = String(required=True, metadata={"description": "证书类别"})
    certificate_no = String(required=True)
    refusal = Nested(
        RefusalOut,
        required=True,
        allow_none=True,
        metadata={"description": "现在不能学习的原因：not_paid_yet / study_period_over"},
    )
    study_deadline = String(**_MAYBE, metadata=_MOMENT)
    days_left = Integer(**_MAYBE)
    lesson_percent = Integer(required=True, metadata={"description": "一课学到百分之几算学完"})
    total_percent = Integer(required=True, metadata={"description": "学完百分之几的课才能考试"})
    in_order = Boolean(required=True, metadata={"description": "未学完前不可快进"})
    autoplay = Boolean(required=True, metadata={"description": "学完一课自动播放下一课"})
    clients = List(String(metadata={"enum": ["web", "app", "mini_program"]}), required=True)
    face_on_web = String(
        required=True,
        metadata={
            "enum": ["phone_qr", "camera", "none"],
            "description": "电脑网页学习前的人脸核验：用手机扫码 / 用本机摄像头 / 不用",
        },
    )
    saved_at = String(**_MAYBE, metadata=_MOMENT | {"description": "学习进度最近一次存妥的时间"})
    contact = String(required=True)
    server_now = String(required=True, metadata=_MOMENT)
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
    hls_url = String(
        **_MAYBE, metadata={"description": "同一视频的分段地址（HLS），能直接播放的系统可用；没有时为空"}
    )
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
    number = Integer(required=True, metadata={"description": "第几课"})
    bytes = Integer(**_MAYBE, metadata={"description": "视频文件的大小（字节）"})
    autoplay = Boolean(required=True)
    next_lesson_id = String(**_MAYBE, metadata={"description": "学完后接着学哪一课"})
    face_until = String(**_MAYBE, metadata=_MOMENT | {"description": "何时要再次核验人脸"})
    server_now = String(required=True, metadata=_MOMENT)


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
    server_now = String(required=True, metadata=_MOMENT | {"description": "durable 里的片段在这个时间已存妥"})
    store = String(required=True, metadata={"description": "变化后，请对照 credited 把缺的片段再报一次"})
