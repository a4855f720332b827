"""The first screen in one answer: who I am, my trainings, and for each the one next step."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.account import service as account
from app.certificate import queries as proofs
from app.certificate.status import Status as ProofStatus
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.core.errors import Problem
from app.enrol import queries as enrolments
from app.enrol.status import Status
from app.exam import service as exam
from app.face import service as face
from app.pay import queries as orders
from app.pay.status import OrderStatus
from app.study import service as study
from app.study.errors import NO_COURSE


@dataclass(frozen=True)
class Step:
    """What to do next: a code for the screens, and the words on the button."""

    code: str
    text: str


@dataclass(frozen=True)
class Training:
    """One training as its card shows it. Percent and hours are of study; scores are per subject, the best kept."""

    enrolment_id: str
    title: str
    kind: str
    certificate_no: str
    status: str
    status_text: str
    stages: list[dict[str, object]]
    next: Step
    order_id: str | None
    study_deadline: datetime | None
    days_left: int | None
    percent: int
    lessons: int
    lessons_done: int
    subjects: list[dict[str, object]]
    proof_number: str | None
    warning: str | None
    contact: str


STATUS_TEXT = {
    Status.SIGNED_UP: "待缴费",
    Status.STUDYING: "进行中",
    Status.PASSED: "已合格",
    Status.COMPLETED: "已完成",
    Status.LAPSED: "已过期",
}


_DISPUTED = Step("payment_disputed", "付款正在由工作人员核对，请不要重复支付")
_WAIT_PAYMENT = Step("wait_payment", "已付款，正在开通学习")


def me(person_id: str) -> dict[str, object]:
    """The person, masked."""
    person = account.get_person(person_id)
    return {
        "name": mask_name(person.name),
        "id_number": mask_id_number(person.id_number),
        "phone": mask_phone(person.phone),
        "photo": face.photo_ready(person_id),
    }


def trainings(person_id: str, *, now: datetime) -> list[Training]:
    """Every training of the person, the newest first."""
    rows = enrolments.of_person(person_id)
    photo = face.photo_ready(person_id)
    return [_training(card, photo, now) for card in enrolments.cards(rows, now=now)]


def _training(card: enrolments.Card, photo: bool, now: datetime) -> Training:
    row = card.enrolment
    began = row.status != Status.SIGNED_UP
    done = _summary(row.id) if began else None
    subjects = exam.status(row, now=now) if began else []
    proof = proofs.of_enrolment(row.id)
    issued = proof is not None and proof.status == ProofStatus.VALID
    order = orders.get_order(row.order_id) if row.order_id and not began else None
    waits = order is not None and order.status == OrderStatus.PENDING and order.expires_at > now
    paid = order is not None and order.status == OrderStatus.PAID  # the enrolment hears of it a moment later
    disputed = not began and orders.in_dispute([enrolments.sku(row.id)])
    complete = done is not None and done.complete
    passed = bool(subjects) and all(subject.passed for subject in subjects)
    sitting = any(subject.open_attempt_id for subject in subjects)
    next_ = _next(row.status, waits, photo, complete, passed, issued, sitting)
    if disputed or paid:
        next_ = _DISPUTED if disputed else _WAIT_PAYMENT
    deadline = row.study_deadline
    stages = [
        ("报名", True),
        ("缴费", began),
        ("学习", complete or passed),
        ("考试", passed or row.status in (Status.PASSED, Status.COMPLETED)),
        ("证明", issued),
    ]
    return Training(
        enrolment_id=row.id,
        title=card.programme.title,
        kind=card.kind_title,
        certificate_no=card.certificate_no,
        status=row.status,
        status_text=STATUS_TEXT[Status(row.status)],
        stages=[{"title": title, "done": is_done} for title, is_done in stages],
        next=next_,
        order_id=row.order_id,
        study_deadline=deadline,
        days_left=max(0, (deadline - now).days) if deadline and row.status == Status.STUDYING else None,
        percent=done.percent if done else 0,
        lessons=done.lessons if done else 0,
        lessons_done=done.lessons_done if done else 0,
        subjects=[
            {
                "subject": subject.subject,
                "title": subject.title,
                "best_score": subject.best_score,
                "attempts_left": subject.attempts_left,
                "passed": subject.passed,
            }
            for subject in subjects
        ],
        proof_number=proof.number if proof is not None and issued else None,
        warning=card.warning.sentence if card.warning else None,
        contact=card.contact,
    )


def _summary(enrolment_id: str) -> study.Summary | None:
    """How far the study is; None while the kind of certificate has no course yet, which must not hide the rest."""
    try:
        return study.summary(enrolment_id)
    except Problem as problem:
        if problem.kind is not NO_COURSE:
            raise
        return None


def _next(status: str, waits: bool, photo: bool, complete: bool, passed: bool, issued: bool, sitting: bool) -> Step:
    if status == Status.SIGNED_UP:
        return Step("pay", "去支付") if waits else Step("checkout", "核对信息并缴费")
    if issued:
        return Step("proof", "查看合格证明")
    if not photo:
        return Step("photo", "上传头像")
    if status == Status.LAPSED:
        return Step("expired", "学习期已过，请联系客服")
    if passed or status in (Status.PASSED, Status.COMPLETED):
        return Step("wait_proof", "证明正在出具，请稍候")
    if sitting:
        return Step("exam", "继续考试")
    return Step("exam", "去考试") if complete else Step("study", "立即学习")
