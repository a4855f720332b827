"""The one thing to do next about an exam: what a screen's button says, so that no screen needs the rules. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.account.errors import CONSENT_NEEDED
from app.core.errors import ProblemKind
from app.enrol.errors import NOT_PAID_YET, STUDY_PERIOD_OVER
from app.exam import errors
from app.policy import rules
from app.policy.parties import Subject
from app.policy.schema import Programme
from app.study.errors import NO_COURSE


@dataclass(frozen=True)
class Step:
    """A code for the screens, the words on the button, and what it is done with. `settled`: there is nothing to do
    here, and its words say why."""

    code: str
    text: str
    attempt_id: str | None = None
    subject: str | None = None
    phone: str | None = None


def of_subject(
    programme: Programme,
    kind_code: str,
    subject: str,
    *,
    refusal: ProblemKind | None,
    passed: Collection[str],
    mine: str | None,
    other: str | None,
) -> Step:
    """What to do about a subject. `passed`: the subjects that are. `mine`, `other`: the open attempt, of this subject
    or of another one."""
    if mine is not None:
        return Step("resume", "继续考试", attempt_id=mine, subject=subject)
    if subject in passed:
        if left := _left(programme, kind_code, passed):
            more = f"，出具{rules.proof_title(programme)}" if programme.proof is not None else "，就全部完成"
            return Step("settled", f"再考过{'、'.join(f'“{each.title}”' for each in left)}{more}", subject=subject)
        return _done(programme, "passed", subject)
    contacts = rules.contacts(programme, kind_code)
    steps = {
        NOT_PAID_YET: Step("pay", "去缴费"),
        STUDY_PERIOD_OVER: Step("expired", "联系客服办理延期", phone=contacts.extension),
        CONSENT_NEEDED: Step("photo", "先同意使用人脸信息，上传头像"),
        NO_COURSE: Step("wait_course", "课程正在准备，请稍后再来", phone=contacts.study),
        errors.STUDY_NOT_COMPLETE: Step("study", "去学完课程"),
        errors.ANOTHER_EXAM_OPEN: Step("other_exam", "回到没有交卷的考试", attempt_id=other),
        errors.NO_ATTEMPTS_LEFT: Step("make_up", "联系客服办理补考", phone=contacts.make_up),
    }
    return steps[refusal] if refusal is not None else Step("start", "开始考试", subject=subject)


def after(
    programme: Programme, kind_code: str, subject: str, *, passed: Collection[str], attempts_left: int | None
) -> Step:
    """What to do after an attempt in `subject`; `passed`: the subjects that have a pass by now."""
    left = _left(programme, kind_code, passed)
    if subject not in passed:
        if attempts_left == 0:
            phone = rules.contacts(programme, kind_code).make_up
            return Step("make_up", "考试次数已用完，请联系客服办理补考", phone=phone)
        return Step("again", "再考一次", subject=subject)
    if left:
        return Step("other_subject", f"去考“{left[0].title}”", subject=left[0].code)
    return _done(programme, "proof", None)


def _left(programme: Programme, kind_code: str, passed: Collection[str]) -> list[Subject]:
    kind = rules.certificate_kind(programme, kind_code)
    return [each for each in kind.subjects if each.code not in passed] if kind else []


def _done(programme: Programme, code: str, subject: str | None) -> Step:
    """Every subject is passed: the proof is there in a moment, where the programme gives one."""
    if programme.proof is None:
        return Step("settled", "考试全部合格，没有别的要办了", subject=subject)
    return Step(code, f"查看{rules.proof_title(programme)}", subject=subject)
