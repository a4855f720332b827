"""The demonstration's staff, one of each role, and some work on their desks.

make demo-codes DATA_DIR=…     shows what their authenticators show now
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from app import wiring
from app.account import service as account
from app.cases import service as cases
from app.core import crypto, db, passwords
from app.core.clock import utcnow
from app.core.db import transaction
from app.core.outbox import OutboxMessage
from app.core.staff import EVERYWHERE, Right
from app.face import review, store, tries
from app.face.models import FaceRecord
from app.face.status import PhotoStatus
from app.staff import factor
from app.staff import service as staff
from app.staff.models import Member, MemberRight
from config.settings import load
from ops.rosters import MadeUp
from sandbox.faces import make_face, person_of

PASSWORD = "demo-console-2026"  # noqa: S105 - the demonstration's, printed by `make run`
MEMBERS = (
    ("shenhe", "王芳", Right.REVIEWER, ""),
    ("kefu", "李敏", Right.SUPPORT, ""),
    ("kefu2", "何静", Right.SUPPORT, ""),
    ("kefu3", "马强", Right.SUPPORT, ""),
    ("kefu4", "杨帆", Right.SUPPORT, ""),
    ("caiwu", "赵会计", Right.FINANCE, ""),
    ("caiwu2", "孙会计", Right.FINANCE, ""),
    ("jiaowu", "周老师", Right.TEACHING, ""),
    ("guanli", "陈主任", Right.ADMINISTRATOR, EVERYWHERE),
    ("guanli2", "吴主任", Right.ADMINISTRATOR, EVERYWHERE),
)
PHOTOS, REPLACEMENTS, DEAD = 24, 3, 2


def make(programme: str, people: list[MadeUp]) -> None:
    """Make the accounts, set up, and the cases about the last of `people`. Once."""
    now = utcnow()
    hashed = passwords.hash_(PASSWORD)
    for login, name, right, place in MEMBERS:
        if staff.by_login(login) is None:
            values = {"password_hash": hashed, "totp": factor.new_secret(), "totp_at": now, "created_at": now}
            member = Member.create(login=login, name=name, **values)
            MemberRight.create(member_id=member.id, right=right, programme=place or programme)
    found = [account.find_by_id_number(one.id_number) for one in people[-PHOTOS - REPLACEMENTS :]]
    persons = [person for person in found if person is not None]
    for number, person in enumerate(persons):
        with transaction():
            when = now - timedelta(hours=3 * (len(persons) - number))
            picture = make_face(person_of(person.id_number))
            name = store.put("portrait", person.id, picture, now=now)
            looked_at = number < PHOTOS
            record = tries.ensure_record(person.id)
            FaceRecord.update(
                photo_file=name,
                photo_status=PhotoStatus.REVIEW if looked_at else PhotoStatus.CONFIRMED,
                photo_index=crypto.index("face_record.photo", hashlib.sha256(picture).hexdigest()),
                photo_at=when,
            ).where(FaceRecord.id == record.id).execute()
            if looked_at:
                review.ask(person.id, programme, name, now=when)
            else:
                facts: dict[str, str | int | None] = {"reason": "照片是三年前的，现在戴眼镜了"}
                subject = f"person:{person.id}"
                cases.file(review.REPLACEMENT, subject, facts, programme=programme, person_id=person.id, now=when)
    for number in range(DEAD):
        message = OutboxMessage.create(
            event="demo.nothing", subscriber="demo", key=f"demo:{number}", payload="{}", status="dead", attempts=3,
            available_at=now, created_at=now, last_error="TimeoutError",
        )  # fmt: skip
        said: dict[str, str | int | None] = {"event": message.event, "subscriber": message.subscriber}
        cases.file("outbox.dead", message.id, {**said, "last_error": message.last_error}, now=now)


def lines() -> list[str]:
    """Login, role, the authenticator's secret and what it shows now, of each."""
    found = []
    for login, name, right, _ in MEMBERS:
        member = staff.by_login(login)
        if member is not None and member.totp_sealed is not None:
            code = staff.code_at(member.totp, utcnow())
            found.append(f"    {login}\t{name}\t{right}\t{member.totp}\t{code}")
    return found


def main() -> None:
    """Print them."""
    wiring.start(load())
    with db.connection():
        print("\n".join(lines()))


if __name__ == "__main__":
    main()
