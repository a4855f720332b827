"""The staff and their work: cases decided over two years, some thousands that wait, and the audit log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from app.cases.models import Case
from app.cases.service import open_key
from app.core import crypto
from app.core.audit import AuditEntry
from app.core.db import transaction
from app.core.ids import new_id
from app.core.staff import EVERYWHERE, Right
from app.face import review, store
from app.face.models import FaceAttempt, FaceCheck, FaceRecord
from app.pay.models import PaymentAttempt
from app.staff import factor
from app.staff.models import Member, MemberRight
from bench.big.copying import Table, ready
from bench.big.draw import Draw, Place, day_end, sealed
from bench.big.money import Paid
from bench.big.people import Someone
from sandbox.faces import PERSONS, make_face
from tests.factories import password_hash

PASSWORD = "bench-console-2026"
LOGIN = "bench"  # an administrator of everything
STAFF = 200
DECIDED_DAYS = 730
PHOTOS, REPLACEMENTS, NO_TRY, MISMATCHES = 3000, 900, 500, 400
FACES = 60  # different pictures


def members(draw: Draw, where: list[Place]) -> list[str]:
    """The staff of the centre; gives them as they stand in the audit log."""
    hashed, found = password_hash(PASSWORD), []
    rights = [right for right in Right if right is not Right.ADMINISTRATOR]
    with transaction():
        for number in range(STAFF):
            first = number == 0
            at = draw.now - timedelta(days=700)
            member = Member.create(
                login=LOGIN if first else f"bench{number}", name=draw.name(), password_hash=hashed,
                totp=factor.new_secret(), totp_at=at, created_at=at,
            )  # fmt: skip
            right = Right.ADMINISTRATOR if first else rights[number % len(rights)]
            place = EVERYWHERE if first else where[number % len(where)].key
            MemberRight.create(member_id=member.id, right=right, programme=place)
            found.append(f"staff:{member.id}")
    return found


class Work:
    """Cases that were decided, and what the audit log says of people."""

    def __init__(self, draw: Draw, staff: list[str]):
        self._draw, self._staff = draw, staff
        self.case = Table(
            Case,
            "id kind subject programme person_id status open_key facts_sealed filed_at due_at decision_sealed "
            "decided_by decided_at",
        )
        self.audit = Table(AuditEntry, "id at actor action subject data")
        self.record = Table(FaceRecord, "id person_id photo_file photo_status photo_index photo_at")
        self.tables = (self.case, self.audit, self.record)

    def of(self, who: Someone) -> None:
        """The lines about one person; five of six had a photo looked at."""
        self._audited(who)
        if who.number % 6:
            self._decided(who)

    def _line(self, at: datetime, actor: str, action: str, subject: str, **data: str | None) -> None:
        self.audit.add(self._draw.id(at), at, ready(actor), ready(action), ready(subject), json.dumps(data))

    def _audited(self, who: Someone) -> None:
        me = f"person:{who.id}"
        self._line(who.created_at, "system:cli", "roster.imported", me)
        for action in ("consent.given", "photo.uploaded"):
            self._line(self._draw.after(who.created_at, 1, 500), me, action, me)

    def _decided(self, who: Someone) -> None:
        draw = self._draw
        filed = max(draw.ago(DECIDED_DAYS), who.created_at)
        at, by = draw.after(filed, 0.1, 40), draw.chance.choice(self._staff)
        row_id, file = draw.id(filed), draw.id(filed)
        subject = f"photo:{file}"
        self.case.add(
            row_id, ready(review.PHOTO), ready(subject), ready(who.place.key), ready(who.id), ready("decided"), None,
            sealed("case.facts", row_id, "{}"), filed, day_end(filed, 3), sealed("case.decision", row_id, "确认"),
            ready(by), at,
        )  # fmt: skip
        self._line(at, by, "case.claimed", f"case:{row_id}")
        self._line(at, by, "case.decided", f"case:{row_id}", kind=review.PHOTO, about=subject, decision="confirm")
        self.record.add(draw.id(filed), ready(who.id), None, ready("confirmed"), ready("0" * 32), filed)

    def waiting(self, people: list[Someone], paid: list[Paid]) -> None:
        """What waits: photos with their files, wishes for another photo, faces, payments that do not fit. `people`:
        of whom no photo was looked at yet."""
        if len(people) < PHOTOS + REPLACEMENTS + NO_TRY:
            raise SystemExit("too few persons for the cases that wait")
        faces = [make_face(number * (PERSONS // FACES)) for number in range(FACES)]
        for number, who in enumerate(people[:PHOTOS]):
            self._photo(who, faces[number % FACES])
        for who in people[PHOTOS : PHOTOS + REPLACEMENTS]:
            facts: dict[str, str | int] = {"reason": "照片是三年前的，现在戴眼镜了"}
            self._open(review.REPLACEMENT, f"person:{who.id}", who.place.key, who.id, facts, self._draw.ago(4))
        for who in people[PHOTOS + REPLACEMENTS :][:NO_TRY]:
            self._no_try(who)
        for attempt_id, person_id, programme in paid[:MISMATCHES]:
            attempt = PaymentAttempt.get_by_id(attempt_id)
            facts = {"wrong": "amount", "asked_fen": attempt.amount_fen, "paid_fen": 1, "transaction": "4200"}
            self._open("pay.mismatch", f"attempt:{attempt_id}", programme, person_id, facts, self._draw.ago(9))

    def _open(
        self, kind: str, subject: str, programme: str, person_id: str, facts: Mapping[str, str | int], filed: datetime
    ) -> None:
        row_id = self._draw.id(filed)
        self.case.add(
            row_id, ready(kind), ready(subject), ready(programme), ready(person_id), ready("open"),
            ready(open_key(kind, subject)), sealed("case.facts", row_id, json.dumps(facts)), filed,
            day_end(filed, 2), None, None, None,
        )  # fmt: skip

    def _photo(self, who: Someone, picture: bytes) -> None:
        filed = self._draw.ago(4)
        name = store.put("portrait", who.id, picture, now=filed)
        index = ready(crypto.index("face_record.photo", name))
        self.record.add(self._draw.id(filed), ready(who.id), ready(name), ready("review"), index, filed)
        self._open(review.PHOTO, review.subject_of(name), who.place.key, who.id, {}, filed)

    def _no_try(self, who: Someone) -> None:
        filed, check_id = self._draw.ago(3), new_id()
        FaceCheck.create(
            id=check_id, person_id=who.id, programme=who.place.key, version=who.place.version, purpose="login",
            method="picture", nonce_index="0" * 32, status="failed", attempts=5, created_at=filed, expires_at=filed,
        )  # fmt: skip
        for number in range(5):
            FaceAttempt.create(
                check_id=check_id, person_id=who.id, at=filed - timedelta(minutes=number), outcome="failed",
                reason="low_score", match_score=50.0 + number,
            )  # fmt: skip
        facts = {"person_id": who.id}
        self._open("face.no_try_left", f"face_check:{check_id}", who.place.key, who.id, facts, filed)
