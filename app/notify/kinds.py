"""The messages that a person may get: what each has to say, and whether it may ring at night."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`title`: its name on the person's page. `says`: what the template's parameters are, in order. `urgent`:
    somebody waits for it, or may have to act at once; what is not urgent waits for the morning and counts towards a
    day's limit. `code`: it holds a code that can be asked for again."""

    title: str
    says: tuple[str, ...]
    urgent: bool = False
    code: bool = False


# by their keys in `authority.sms.templates`
KINDS: dict[str, Kind] = {
    "activation_code": Kind("激活验证码", ("验证码", "有效分钟"), urgent=True, code=True),
    "password_reset_code": Kind("找回密码验证码", ("验证码", "有效分钟"), urgent=True, code=True),
    "security_notice": Kind("安全提醒", ("发生了什么", "时间"), urgent=True),
    "payment_succeeded": Kind("缴费成功", ("金额", "培训"), urgent=True),
    "refund_succeeded": Kind("退款成功", ("金额",)),
    "invoice_ready": Kind("发票已开具", ("金额",)),
    "study_deadline_near": Kind("学习截止提醒", ("培训", "截止日期")),
    "photo_decided": Kind("照片审核结果", ("结果", "原因")),
    "extension_decided": Kind("延期申请结果", ("结果", "原因")),
    "make_up_decided": Kind("补学申请结果", ("结果", "原因")),
    "exam_passed": Kind("考试合格", ("培训",)),
    "hours_passed": Kind("学时审核通过", ("培训",)),
    "hours_purged": Kind("学时清零通知", ("培训",)),
}
