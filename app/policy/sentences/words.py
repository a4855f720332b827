"""Chinese words for the values of a programme file, and how numbers are written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, time

from app.policy.parties import CertificateKind
from app.policy.schema import WorkingDays

WHO = {"person": "个人", "enterprise": "企业"}
CLIENTS = {"web": "电脑网页", "phone_web": "手机网页", "mini_program": "微信小程序", "app": "手机 App"}
CHANNELS = {
    "wechat_native": "微信扫码",
    "wechat_jsapi": "微信内直接支付",
    "alipay_qr": "支付宝扫码",
    "alipay_wap": "支付宝手机网页支付",
    "unionpay_b2c": "银联卡（个人 B2C）",
    "bank_transfer": "对公转账",
}
ISSUES = {
    "payment_succeeded": "缴费成功",
    "refund_succeeded": "退款成功",
    "invoice_ready": "发票已开",
    "study_deadline_near": "学习期将满",
    "photo_decided": "头像审核结果",
    "extension_decided": "延期审核结果",
    "make_up_decided": "补考审核结果",
    "exam_passed": "考试合格",
    "hours_passed": "学时审核通过",
    "hours_purged": "学时被清除",
    "ticket_answered": "客服答复",
    "activation_code": "首次登录验证码",
    "password_reset_code": "找回密码验证码",
    "security_notice": "账号安全提醒",
}


def listed(items: Iterable[str], *, none: str = "无") -> str:
    """The items with the Chinese enumeration comma between them."""
    return "、".join(items) or none


def of(words: Mapping[str, str], codes: Iterable[str], *, none: str = "无") -> str:
    """The words of these codes, in their order."""
    return listed((words[code] for code in codes), none=none)


def day(value: date) -> str:
    """2021年2月1日."""
    return f"{value.year}年{value.month}月{value.day}日"


def clock(value: time) -> str:
    """09:00, with the seconds where there are any."""
    return value.isoformat("auto" if value.second or value.microsecond else "minutes")


def yes(value: bool, affirmative: str, negative: str) -> str:
    """One of two sentences."""
    return affirmative if value else negative


def working_days(value: WorkingDays) -> str:
    """3 至 5 个工作日."""
    if value.at_least == value.at_most:
        return f"{value.at_least} 个工作日" if value.at_most else "当日"
    if not value.at_least:
        return f"{value.at_most} 个工作日内"
    return f"{value.at_least} 至 {value.at_most} 个工作日"


def size(value: int) -> str:
    """A size in bytes, the way people say it beside the exact one."""
    for unit, name in ((1024 * 1024, "MB"), (1024, "KB")):
        if value % unit == 0:
            return f"{value // unit} {name}"
    return f"{value} 字节"


def span(seconds: int) -> str:
    """30 分钟, 90 秒."""
    return f"{seconds // 60} 分钟" if seconds and seconds % 60 == 0 else f"{seconds} 秒"


def kinds(codes: Iterable[str] | None, of_programme: tuple[CertificateKind, ...]) -> str:
    """The titles of these kinds of certificate; `None`: all of them."""
    if codes is None:
        return "各类证书"
    titles = {kind.code: kind.title for kind in of_programme}
    return listed(titles.get(code, code) for code in codes)
