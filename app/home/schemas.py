"""What the first screen gives."""

from __future__ import annotations

from typing import Any

from apiflask import Schema
from apiflask.fields import Boolean, Function, Integer, List, Nested, String

from app.core.clock import iso

_MAYBE: dict[str, Any] = {"allow_none": True}


class MeOut(Schema):
    name = String(required=True)
    id_number = String(required=True, **_MAYBE)
    phone = String(required=True, **_MAYBE)
    photo = Boolean(required=True, metadata={"description": "是否已有通过核验的头像"})


class StageOut(Schema):
    title = String(required=True)
    done = Boolean(required=True)


class StepOut(Schema):
    code = String(
        required=True,
        metadata={
            "enum": [
                "checkout",
                "pay",
                "wait_payment",
                "payment_disputed",
                "photo",
                "face",
                "study",
                "wait_course",
                "exam",
                "make_up",
                "expired",
                "wait_proof",
                "finished",
                "proof",
            ]
        },
    )
    text = String(required=True, metadata={"description": "按钮上的字，或要等的事"})
    order_id = String(**_MAYBE)
    lesson_id = String(**_MAYBE, metadata={"description": "接着学的课"})
    subject = String(**_MAYBE)
    attempt_id = String(**_MAYBE, metadata={"description": "还没有交卷的考试"})
    phone = String(**_MAYBE, metadata={"description": "要拨打的电话"})


class SubjectOut(Schema):
    subject = String(required=True)
    title = String(required=True)
    best_score = Integer(required=True, **_MAYBE)
    attempts_left = Integer(required=True, **_MAYBE)
    passed = Boolean(required=True)


class TrainingOut(Schema):
    enrolment_id = String(required=True)
    programme = String(required=True)
    state = String(
        required=True,
        metadata={
            "enum": ["in_progress", "done", "expired"],
            "description": "进行中（含待缴费）/ 已完成 / 已过期",
        },
    )
    title = String(required=True)
    kind = String(required=True)
    certificate_no = String(required=True)
    status = String(required=True)
    status_text = String(required=True)
    stages = List(Nested(StageOut), required=True)
    next = Nested(StepOut, required=True)
    order_id = String(required=True, **_MAYBE)
    order_expires_at = Function(
        lambda row: iso(row.order_expires_at) if row.order_expires_at else None,
        metadata={"type": ["string", "null"], "format": "date-time", "description": "待支付订单的截止时间"},
    )
    study_deadline = Function(
        lambda row: iso(row.study_deadline) if row.study_deadline else None,
        required=True,
        metadata={"type": ["string", "null"], "format": "date-time"},
    )
    days_left = Integer(required=True, **_MAYBE)
    percent = Integer(required=True)
    lessons = Integer(required=True)
    lessons_done = Integer(required=True)
    study_seconds_left = Integer(required=True, metadata={"description": "还没有学的秒数"})
    attempts_left = Integer(required=True, **_MAYBE, metadata={"description": "剩余考试次数（各未合格科目中最少的）"})
    subjects = List(Nested(SubjectOut), required=True)
    proof_number = String(required=True, **_MAYBE)
    warning = String(required=True, **_MAYBE)
    contact = String(required=True)


class HomeOut(Schema):
    me = Nested(MeOut, required=True)
    trainings = List(Nested(TrainingOut), required=True)
    unread = Integer(required=True, metadata={"description": "还没有打开过的通知"})
    server_now = String(required=True)


class ConsentOut(Schema):
    kind = String(required=True, metadata={"enum": ["agreement", "face"]})
    title = String(required=True)
    version = String(required=True, metadata={"description": "现行版本，全文见 /api/v1/texts/{kind}"})
    agreed = Boolean(required=True)
    agreed_at = String(required=True, allow_none=True, metadata={"format": "date-time"})
    withdrawable = Boolean(required=True, metadata={"description": "可以撤回：DELETE /api/v1/consents/{kind}"})


class AccountOut(MeOut):
    programme = String(required=True, metadata={"description": "这次登录的项目"})
    channel = String(required=True, metadata={"enum": ["web", "phone_web", "mini_program", "app"]})
    contact = String(required=True, metadata={"description": "登录问题的客服电话"})


class WechatOut(Schema):
    offered = Boolean(required=True, metadata={"description": "这个项目可以绑定微信"})
    bound = Boolean(required=True)
    bound_at = String(required=True, allow_none=True, metadata={"format": "date-time"})


class SettingsOut(Schema):
    me = Nested(AccountOut, required=True)
    consents = List(Nested(ConsentOut), required=True)
    wechat = Nested(WechatOut, required=True)
