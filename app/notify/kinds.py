"""The messages that a person may get: what each has to say, and whether it may ring at night."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Kind:
    """`title`: its name on the person's page. `says`: what the template's parameters are, in order. `text`: the
    wording that the provider is asked to approve, with {1}, {2} for these. `urgent`: somebody waits for it, or may
    have to act at once; what is not urgent waits for the morning and counts towards a day's limit. `code`: it holds a
    code that can be asked for again. `moment`: it warns of a moment, at the phone of that moment."""

    title: str
    says: tuple[str, ...]
    text: str
    urgent: bool = False
    code: bool = False
    moment: bool = False

    @property
    def again(self) -> bool:
        """Whether support may send it once more: not a code, nor what only says that something happened just now."""
        return not self.code and not self.moment


# by their keys in `authority.sms.templates`
KINDS: dict[str, Kind] = {
    "activation_code": Kind(
        "激活验证码",
        ("验证码", "有效分钟"),
        "您的激活验证码是{1}，{2}分钟内有效。请勿告诉他人，工作人员不会向您索要。",
        urgent=True,
        code=True,
    ),
    "password_reset_code": Kind(
        "找回密码验证码",
        ("验证码", "有效分钟"),
        "您正在找回密码，验证码是{1}，{2}分钟内有效。请勿告诉他人。",
        urgent=True,
        code=True,
    ),
    "security_notice": Kind(
        "安全提醒",
        ("发生了什么", "时间"),
        "安全提醒：{1}（{2}）。不是您本人操作的，请立即修改密码并联系客服。",
        urgent=True,
        moment=True,
    ),
    "payment_succeeded": Kind(
        "缴费成功",
        ("金额", "培训"),
        "已收到您的缴费{1}元（{2}），请登录平台，按“我的培训”的提示办理下一步。",
        urgent=True,
    ),
    "refund_succeeded": Kind("退款成功", ("金额",), "退给您的{1}元已退回原支付账户，请留意到账。"),
    "invoice_ready": Kind("发票已开具", ("金额",), "您的电子发票（{1}元）已开具，可在“我的发票”中查看和下载。"),
    "study_deadline_near": Kind("学习截止提醒", ("培训", "截止日期"), "您的{1}请在{2}前学完，逾期学时可能作废。"),
    "photo_decided": Kind("照片审核结果", ("结果", "原因"), "您的照片审核结果：{1}。{2}"),
    "extension_decided": Kind("延期申请结果", ("结果", "原因"), "您的延期申请结果：{1}。{2}"),
    "make_up_decided": Kind("补学申请结果", ("结果", "原因"), "您的补学申请结果：{1}。{2}"),
    "exam_passed": Kind("考试合格", ("培训",), "恭喜，您的{1}考试已合格，可在“我的培训”中查看证明。"),
    "hours_passed": Kind("学时审核通过", ("培训",), "您的{1}学时已审核通过。"),
    "ticket_answered": Kind(
        "客服答复", ("事项", "结果"), "您写给客服的问题（{1}）{2}，请登录平台在“联系客服”中查看。"
    ),
    "hours_purged": Kind("学时清零通知", ("培训",), "您的{1}学时已清零，请登录平台查看原因。"),
}


def text_of(template: str, params: Sequence[str]) -> str:
    """The message as the person reads it."""
    return re.sub(r"\{(\d)\}", lambda place: params[int(place[1]) - 1], KINDS[template].text)
