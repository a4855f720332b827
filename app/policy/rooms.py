"""Which programmes can be walked here: the one list of what the product has built.

A programme file may say more than the product can do: it is loaded, checked and told in sentences all the same, and
opens by itself when the last room it needs is built and its line here is gone. Nothing names a programme.
"""

from __future__ import annotations

from app.policy.admission import AlwaysOpen, Stage
from app.policy.schema import FromPayment, Programme

# The path that the services walk today, from end to end.
WALKED: tuple[Stage, ...] = ("sign_up", "payment", "photo", "study", "exam", "proof")
STAGES: dict[Stage, str] = {
    "sign_up": "报名",
    "materials": "资料审核",
    "confirmation": "机构确认",
    "payment": "缴费",
    "photo": "头像",
    "study": "学习",
    "exam": "考试",
    "hours_audit": "学时审核",
    "proof": "证明",
}


def missing(programme: Programme) -> tuple[str, ...]:
    """What the path of continuing education needs and the product does not have yet, in Chinese, for staff; empty:
    the programme is open. Side paths that are not built close nothing: see `by_hand`."""
    found = [STAGES[stage] for stage in programme.stages if stage not in WALKED]
    if not found and programme.stages != WALKED:
        found.append("其他顺序或更短的流程")
    sign_up, study, exam = programme.sign_up, programme.study, programme.exam
    if sign_up.source != "regulator_roster" or sign_up.steps is not None:
        found.append("个人自行登记报名")
    if not isinstance(sign_up.window, AlwaysOpen):
        found.append("按月或按年度选择报名")
    if study and not isinstance(study.period, FromPayment):
        found.append("按考试日或年度计算的学习期")
    if study and study.class_hours:
        found.append("学时累计")
    if programme.centre_exam and "exam" in programme.stages:
        found.append("考点考试的成绩登记")
    if exam and exam.sittings:
        found.append("考试场次与考试申请")
    return tuple(found)


def by_hand(programme: Programme) -> tuple[str, ...]:
    """Side paths of the file that the product does not walk yet: whoever needs one is told whom to call."""
    study = programme.study
    rules = {
        "新取证": programme.new_certification,
        "随机抓拍": study.captures if study else None,
        "刷题练习": programme.practice,
        "延期申请": programme.extension,
        "补考申请": programme.make_up,
        "到期换证": programme.renewal,
    }
    return tuple(name for name, rule in rules.items() if rule is not None)
