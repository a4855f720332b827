"""The messages that a person may get: what each has to say, and whether it may ring at night."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`says`: what the template's parameters are, in order. `urgent`: somebody waits for it, or may have to act at
    once; what is not urgent waits for the morning and counts towards a day's limit."""

    says: tuple[str, ...]
    urgent: bool = False


# by their keys in `authority.sms.templates`
KINDS: dict[str, Kind] = {
    "activation_code": Kind(("验证码", "有效分钟"), urgent=True),
    "password_reset_code": Kind(("验证码", "有效分钟"), urgent=True),
    "security_notice": Kind(("发生了什么", "时间"), urgent=True),
    "payment_succeeded": Kind(("金额", "培训"), urgent=True),
    "refund_succeeded": Kind(("金额",)),
    "invoice_ready": Kind(("金额",)),
    "study_deadline_near": Kind(("培训", "截止日期")),
    "photo_decided": Kind(("结果", "原因")),
    "extension_decided": Kind(("结果", "原因")),
    "make_up_decided": Kind(("结果", "原因")),
    "exam_passed": Kind(("培训",)),
    "hours_passed": Kind(("培训",)),
    "hours_purged": Kind(("培训",)),
}
