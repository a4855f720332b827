"""Exam rooms: a bank, people who may sit an exam, and their answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.account.models import Person
from app.core.clock import utcnow
from app.core.ids import new_id
from app.enrol.models import Enrolment
from app.exam import service
from app.exam.closing import Outcome
from app.exam.models import Attempt, Question, QuestionVersion
from app.exam.scoring import Answer, unpack_answers, unpack_key, write_choice
from app.study.models import Course, Lesson, LessonProgress, progress_id
from tests import factories

SECRET = "解析之秘"  # stands in every explanation: must never be seen before the hand-in


def a_bank(
    subject: str = "TJ", *, single: int = 30, multiple: int = 14, judge: int = 20, programme: str = "yunnan"
) -> None:
    """Questions of one subject; the right options are the first, or the first two."""
    questions, versions = [], []
    for kind, count in (("single", single), ("multiple", multiple), ("judge", judge)):
        for number in range(count):
            question_id, version_id = new_id(), new_id()
            options = ["正确", "错误"] if kind == "judge" else [f"{kind}{number}选项{place}" for place in range(4)]
            questions.append(
                {
                    "id": question_id,
                    "programme": programme,
                    "subject": subject,
                    "type": kind,
                    "stem_sha256": f"{subject}{kind}{number}",
                    "version_id": version_id,
                }
            )
            versions.append(
                {
                    "id": version_id,
                    "question_id": question_id,
                    "number": 1,
                    "type": kind,
                    "stem": f"{subject}第{number}题（{kind}）",
                    "options": json.dumps(options, ensure_ascii=False),
                    "mask": 3 if kind == "multiple" else 1,
                    "explanation": f"{SECRET}{number}",
                    "import_id": new_id(),
                }
            )
    QuestionVersion.insert_many(versions).execute()
    Question.insert_many(questions).execute()


def a_course(kind_code: str = "TJ", programme: str = "yunnan") -> Lesson:
    """A course of one lesson; the same one when it is there."""
    course = Course.get_or_none(Course.kind_code == kind_code) or Course.create(
        programme=programme, kind_code=kind_code, title="课程"
    )
    lesson: Lesson = Lesson.get_or_none(Lesson.course == course) or Lesson.create(
        course=course, number=1, title="第一课", seconds=60, video="1.mp4"
    )
    return lesson


def studied(enrolment: Enrolment, *, now: datetime) -> None:
    """The enrolment's course is complete, in SQL."""
    lesson = a_course(enrolment.kind_code)
    LessonProgress.create(
        id=progress_id(enrolment.id, lesson.id),
        enrolment_id=enrolment.id,
        lesson_id=lesson.id,
        person_id=enrolment.person_id,
        seconds=60,
        chunk_seconds=10,
        needed_chunks=6,
        rate_percent=100,
        bitmap=b"\x3f",
        credited_chunks=6,
        updated_at=now,
        completed_at=now,
    )


@dataclass
class Candidate:
    """A person who has studied everything; `now` is the moment of the room's clock."""

    person: Person
    enrolment: Enrolment
    now: datetime
    attempt_id: str = ""

    def later(self, seconds: float) -> datetime:
        self.now += timedelta(seconds=seconds)
        return self.now

    def start(self, subject: str = "TJ") -> Attempt:
        opened = service.start(self.enrolment.id, self.person.id, subject, now=self.now)
        self.attempt_id = opened.attempt.id
        return opened.attempt

    def row(self) -> Attempt:
        found: Attempt = Attempt.get_by_id(self.attempt_id)
        return found

    def after_deadline(self, seconds: float) -> datetime:
        deadline: datetime = self.row().deadline
        return deadline + timedelta(seconds=seconds)

    def right(self, number: int) -> str:
        """The right choice of a question, as letters."""
        return write_choice(unpack_key(bytes(self.row().key))[number - 1].mask)

    def save(self, number: int, choice: str, version: int = 0) -> Answer:
        return service.save_answer(self.attempt_id, self.person.id, number, choice, version, now=self.now)[1]

    def saved(self, number: int) -> Answer:
        return unpack_answers(bytes(self.row().answers))[number - 1]

    def bring(self, numbers: range) -> list[service.Brought]:
        """Right answers to these questions, not sent before."""
        return [service.Brought(number, self.right(number), 0) for number in numbers]

    def hand_in(self, numbers: range = range(0)) -> Outcome:
        brought = self.bring(numbers)
        return service.hand_in(self.attempt_id, self.person.id, brought, now=self.now)[0]

    def open(self) -> service.OpenPaper:
        return service.open_paper(self.attempt_id, self.person.id, now=self.now)


def a_candidate(*, now: datetime | None = None, kind_code: str = "TJ", bank: bool = True) -> Candidate:
    """A person who may begin the exam of this kind."""
    now = now or utcnow()
    person = factories.a_person(now=now)
    entry = factories.a_roster_entry(person, kind_code=kind_code)
    enrolment = factories.an_enrolment(person, entry=entry, now=now)
    studied(enrolment, now=now)
    if bank and not Question.select().where(Question.subject == kind_code).exists():
        a_bank(kind_code)
    return Candidate(person, enrolment, now)
