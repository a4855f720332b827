"""What a programme file may say, and yet whoever writes it should look at twice: doubts, in Chinese, with their key.

Contradictions with which a programme cannot run are faults (`app.policy.consistency`): such a file does not load.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, time, timedelta
from typing import NamedTuple

import msgspec

from app.policy import rules
from app.policy.admission import MonthlyWindow
from app.policy.days import add_months, on_clock
from app.policy.parties import KindContacts
from app.policy.rooms import by_hand, missing
from app.policy.schema import CalendarYear, FromPayment, Programme, UntilBeforeExam

# A common year and a leap year: enough to try every window of a calendar.
_DAYS = [date(2023, 1, 1) + timedelta(days=day) for day in range(365 + 366)]
_SMS_OF_DECISIONS = {
    "photo_decided": "头像审核",
    "extension_decided": "延期审核",
    "make_up_decided": "补考审核",
    "hours_passed": "学时审核",
    "hours_purged": "学时清除",
}


class Doubt(NamedTuple):
    """The key of the file, and what is odd about it."""

    key: str
    sentence: str


def doubts(programme: Programme) -> list[Doubt]:
    """Everything that is odd, in the order of a person's path; empty for a file without."""
    return [
        *_opening(programme),
        *_sign_up(programme),
        *_money(programme),
        *_study(programme),
        *_sittings(programme),
        *_exam(programme),
        *_audit(programme),
        *_messages(programme),
        *_contacts(programme),
    ]


def _opening(programme: Programme) -> Iterator[Doubt]:
    if rooms := missing(programme):
        yield Doubt("stages", f"平台还没有这些环节：{'、'.join(rooms)}；建成之前本项目不开放。")
    if sides := by_hand(programme):
        yield Doubt("stages", f"平台还不办理，暂由工作人员电话办理或不执行：{'、'.join(sides)}。")


def _sign_up(programme: Programme) -> Iterator[Doubt]:
    renewal, refuse = programme.renewal, programme.sign_up.expired_refuse_after_days
    if renewal is None or renewal.months_after is None:
        return
    if refuse is None:
        yield Doubt("sign_up.expired_refuse_after_days", "证书作废、不能换证之后仍可报名缴费。")
    else:
        late = max((day + timedelta(days=refuse) - add_months(day, renewal.months_after)).days for day in _DAYS)
        if late > 0:
            yield Doubt(
                "sign_up.expired_refuse_after_days",
                f"证书过期 {refuse} 天内可以报名缴费，最多有 {late} 天已经不能换证，缴费前须提醒。",
            )
    warn, study = programme.sign_up.warn_before_expiry_days, programme.study
    if study and isinstance(study.period, FromPayment) and renewal.months_after == 0:
        needed = max(study.period.days, 30 * study.period.months)
        if warn is None or warn < needed:
            yield Doubt("sign_up.warn_before_expiry_days", f"提醒得太晚：学习期限有 {needed} 天，可能学完已过期。")


def _money(programme: Programme) -> Iterator[Doubt]:
    if programme.fee is None:
        return
    study, channels = programme.study, programme.fee.channels
    for client in study.clients if study else ():
        if not getattr(channels, client):
            yield Doubt(f"fee.channels.{client}", "可以在这个端口学习，却不能付款。")
    if not channels.web or not channels.phone_web:
        browser = "phone_web" if channels.web else "web"
        yield Doubt(f"fee.channels.{browser}", "用浏览器打开的人不能付款。")
    if "wechat_jsapi" in channels.mini_program and not rules.channels(programme, "mini_program", ios=True):
        yield Doubt("fee.channels.jsapi_on_ios", "苹果手机在小程序里没有付款方式，只能用网页扫码或请人代付。")
    transfer = programme.fee.bank_transfer
    if transfer and transfer.account_name != programme.authority.seller:
        yield Doubt("fee.bank_transfer.account_name", f"收款户名不是开票方“{programme.authority.seller}”，请核对。")
    if programme.invoice is None:
        yield Doubt("invoice", "收费而不开发票。")


def _study(programme: Programme) -> Iterator[Doubt]:
    study = programme.study
    if study is None:
        return
    if study.rate < 1:
        yield Doubt("study.rate", "计时慢于播放，学员看完一遍仍不够进度。")
    if study.rate > 1:
        yield Doubt("study.rate", "计时快于正常播放，看一遍可计多于一遍的时间。")
    hours = study.class_hours
    if hours is None:
        return
    needed = timedelta(minutes=hours.total * hours.minutes) / study.rate
    for key, length in _shortest(programme):
        if length < needed:
            shortest = f"只有{_days(length)}" if length >= timedelta(hours=1) else "不足 1 小时"
            most = f"学满 {hours.total} 学时不停地学也要{_days(needed)}"
            yield Doubt(key, f"开始得最晚的，学习时间{shortest}；{most}。")


def _shortest(programme: Programme) -> Iterator[tuple[str, timedelta]]:
    """The shortest study periods that people can get, with the key that makes them short."""
    study, window = programme.study, programme.sign_up.window
    if study is None:
        return
    if isinstance(study.period, FromPayment):
        moments = [on_clock(day, time(23, 59)) for day in _DAYS]
        yield "study.period", min(rules.study_deadline(programme, paid) - paid for paid in moments)
    elif isinstance(study.period, CalendarYear):
        last = on_clock(_DAYS[-1], time(23, 59, 59))
        yield "study.period", rules.study_deadline(programme, last, year=_DAYS[-1].year) - last
    elif isinstance(window, MonthlyWindow) and "this" in window.exam_months:
        lengths = []
        for first in (day for day in _DAYS if day.day == 1):
            paid = on_clock(first.replace(day=window.closes_day), window.closes_at)
            exam_day = add_months(first, 1) - timedelta(days=1)
            lengths.append(rules.study_deadline(programme, paid, exam_day=exam_day) - paid)
        yield "sign_up.window.exam_months", min(lengths)


def _days(length: timedelta) -> str:
    hours = round(max(length, timedelta(0)) / timedelta(hours=1), 1)
    return f" {hours:g} 小时" if hours < 48 else f" {round(hours / 24, 1):g} 天"


def _sittings(programme: Programme) -> Iterator[Doubt]:
    """Whether whoever signs up in time can still apply, and study, for an exam of the same month."""
    window = programme.sign_up.window
    sittings = programme.exam.sittings if programme.exam else None
    if sittings is None:
        return
    if programme.study and isinstance(programme.study.period, UntilBeforeExam):
        study_ends = (-programme.study.period.days_before, programme.study.period.closes_at)
        if study_ends > (-sittings.days_before, sittings.closes_at):
            yield Doubt("exam.sittings", "考试申请先于学习截止：最后学完的人已不能申请。")
    if isinstance(window, MonthlyWindow) and "this" in window.exam_months:
        closes = on_clock(_DAYS[0].replace(day=window.closes_day), window.closes_at)
        days = _DAYS[:31]
        first = next((day for day in days if rules.exam_application(programme, day)[1] > closes), None)
        if first is None:
            yield Doubt("sign_up.window.exam_months", "考试申请总是先于报名截止：报了当月考试的人可能无法申请。")
        else:
            yield Doubt(
                "exam.sittings",
                f"当月考试须排在每月 {first.day} 日或以后：更早的场次，申请截止时报名还没有结束。",
            )


def _exam(programme: Programme) -> Iterator[Doubt]:
    exam = programme.exam
    if exam is None:
        return
    if exam.attempts is not None and programme.make_up is None:
        yield Doubt("make_up", f"{exam.attempts} 次机会用完后没有补考，只能重新报名缴费。")
    if exam.crash_grace_seconds >= exam.minutes * 60:
        yield Doubt("exam.crash_grace_seconds", "闪退宽限不短于考试本身，等于中途退出没有后果。")
    if exam.pass_score == exam.total_score:
        yield Doubt("exam.pass_score", "须得满分才合格。")
    if "study" not in programme.stages and exam.requires_study_complete:
        yield Doubt("exam.requires_study_complete", "没有学习环节，却要求学完才能考试。")
    if exam.within_study_period and programme.study is None:
        yield Doubt("exam.within_study_period", "没有学习期限，却要求在期限内考完。")


def _audit(programme: Programme) -> Iterator[Doubt]:
    study = programme.study
    if study is None:
        return
    if study.audit and study.captures is None:
        yield Doubt("study.captures", "学时要审核，却没有抓拍可看。")
    if study.audit and "study_now" not in _purposes(programme):
        yield Doubt("face.purposes", "学时要审核，开始学习时却不识别人脸。")
    if study.captures and study.captures.per_hour_at_most * study.captures.minutes_apart > 60:
        yield Doubt("study.captures.per_hour_at_most", "按最短间隔，一小时排不下最多的次数。")
    if programme.face and programme.face.web_by_phone_qr and "mini_program" not in study.clients:
        yield Doubt("face.web_by_phone_qr", "网页要用小程序扫码识别，学习端口里却没有小程序。")


def _purposes(programme: Programme) -> set[str]:
    return {rule.purpose for rule in programme.face.purposes} if programme.face else set()


def _messages(programme: Programme) -> Iterator[Doubt]:
    """Decisions of which nobody would be told."""
    audit = programme.study.audit if programme.study else None
    decided = {
        "photo_decided": programme.photo is not None and programme.photo.reviewed,
        "extension_decided": programme.extension is not None and programme.extension.reviewed,
        "make_up_decided": programme.make_up is not None and programme.make_up.reviewed,
        "hours_passed": audit is not None,
        "hours_purged": audit is not None,
    }
    sms = msgspec.structs.asdict(programme.authority.sms.templates)
    wechat = msgspec.structs.asdict(programme.authority.wechat_templates)
    for name, happens in decided.items():
        if happens and sms[name] is None and wechat[name] is None:
            yield Doubt(f"authority.sms.templates.{name}", f"有{_SMS_OF_DECISIONS[name]}，结果却不通知本人。")


def _contacts(programme: Programme) -> Iterator[Doubt]:
    """Sentences on the screen say whom to call; without a figure in it, it is no number."""
    for contacts in (programme.authority.contacts, *(programme.authority.contacts_for_kinds or ())):
        key = "contacts_for_kinds" if isinstance(contacts, KindContacts) else "contacts"
        numbers = {
            str(value) for name, value in msgspec.structs.asdict(contacts).items() if name != "certificate_kinds"
        }
        for number in sorted(numbers):
            if not any(character.isdigit() for character in number):
                yield Doubt(f"authority.{key}", f"“{number}”不是电话号码，开放前须补上。")
