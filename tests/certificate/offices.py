"""An office: people who have passed everything, with or without a photo."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import datetime

from PIL import Image

from app.account.models import Person
from app.certificate import queries, service
from app.certificate.models import Proof
from app.core import outbox
from app.core.clock import utcnow
from app.core.db import transaction
from app.enrol.models import Enrolment
from app.face import store
from app.face.models import FaceRecord
from app.face.status import PhotoStatus
from tests import factories

COLOUR = (200, 30, 40)  # of the photo, to be found on the paper


def a_photo(person: Person, *, now: datetime, colour: tuple[int, int, int] = COLOUR) -> None:
    """A confirmed photo of the person, in the photo store."""
    out = io.BytesIO()
    Image.new("RGB", (295, 413), colour).save(out, "JPEG", quality=95)
    file = store.put("portrait", person.id, out.getvalue(), now=now)
    values = {"photo_file": file, "photo_status": PhotoStatus.CONFIRMED}
    if not FaceRecord.update(values).where(FaceRecord.person_id == person.id).execute():
        FaceRecord.create(person_id=person.id, **values)


@dataclass
class Graduate:
    """A person who has passed every subject."""

    person: Person
    enrolment: Enrolment
    now: datetime

    @property
    def proof(self) -> Proof:
        found = queries.of_enrolment(self.enrolment.id)
        assert found is not None
        return found


def pass_all(enrolment: Enrolment, *, now: datetime) -> None:
    """The exam says that everything is passed, and the outbox delivers it."""
    with transaction():
        outbox.emit("exam.passed", enrolment.id, {"enrolment_id": enrolment.id}, now=now)
    outbox.sweep(now=now)


def a_graduate(*, photo: bool = True, now: datetime | None = None, name: str = "张建国") -> Graduate:
    """A person who passed at `now`; with a photo the proof is issued."""
    now = now or utcnow()
    person = factories.a_person(now=now, name=name)
    enrolment = factories.an_enrolment(person, now=now)
    if photo:
        a_photo(person, now=now)
    pass_all(enrolment, now=now)
    service.issue_waiting(now=now)
    outbox.sweep(now=now)
    return Graduate(person, enrolment, now)
