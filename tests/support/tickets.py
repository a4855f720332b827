"""Help tickets for tests."""

from __future__ import annotations

from datetime import datetime

from app.account import service as account
from app.account.models import Person
from app.core.access import Identity
from app.core.clock import utcnow
from app.core.ids import new_id
from app.support import service
from app.support.models import Ticket
from sandbox.faces import make_face


def who(person: Person, *, now: datetime | None = None) -> Identity:
    """The person, signed in to yunnan."""
    token = account.open_session(person.id, "yunnan", "web", activated=True, now=now or utcnow())
    found = account.authenticate(token, now=now or utcnow())
    assert found is not None
    return found


def a_ticket(
    person: Person, text: str = "我昨天缴费了，还是不能学习。", *, pictures: int = 0, now: datetime | None = None
) -> Ticket:
    """A matter that the person wrote, with so many pictures."""
    now = now or utcnow()
    me = who(person, now=now)
    names = [service.add_picture(me, f"picture-{new_id()}", make_face(one), now=now) for one in range(pictures)]
    return service.write(me, f"ticket-{new_id()}", "payment", text, names, now=now)
