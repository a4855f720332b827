"""Work on desks: photos under review, and what a page shows of them."""

from __future__ import annotations

import html
import re
from datetime import datetime
from typing import Any

from app.account.models import Person
from app.cases.models import Case
from app.core.clock import utcnow
from app.core.db import transaction
from app.face import review, store, tries
from app.face.models import FaceRecord
from app.face.status import PhotoStatus
from sandbox.faces import make_face, person_of
from tests import factories


def a_photo_case(
    person: Person | None = None, *, programme: str = "yunnan", now: datetime | None = None, **values: Any
) -> Case:
    """A photo that waits for a reviewer (of a new person, unless one is given)."""
    now = now or utcnow()
    person = person or factories.a_person(**values)
    name = store.put("portrait", person.id, make_face(person_of(person.id_number)), now=now)
    record = tries.ensure_record(person.id)
    FaceRecord.update(photo_file=name, photo_status=PhotoStatus.REVIEW, photo_at=now, photo_index="x").where(
        FaceRecord.id == record.id
    ).execute()
    with transaction():
        review.ask(person.id, programme, name, now=now)
    case: Case = Case.get(Case.subject == review.subject_of(name))
    return case


def photo_of(case: Case) -> str:
    """How far the photo of the case's person is."""
    return str(FaceRecord.get(FaceRecord.person_id == case.person_id).photo_status)


def told(page: str) -> list[str]:
    """The texts of messages that a page shows, in its order."""
    found = re.findall(r'<p class="sms[^"]*"><b>将发短信</b>(.*?)</p>', page, re.DOTALL)
    return [html.unescape(text).strip() for text in found]
