"""Whatever is done with a code, by whom and in which order: one session at most, for whoever said yes, in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from app.account import service as account
from app.account.models import Person, Session
from app.core.access import Identity
from app.core.clock import utcnow
from app.core.errors import Problem
from app.face import scan
from app.wechat import service as wechat
from tests import factories
from tests.wechat.scanning import Phone
from tests.world import World

BEGAN = utcnow()
few = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
steps = st.lists(
    st.tuples(
        st.sampled_from(["scan", "confirm", "deny", "face", "log_out", "go_on", "thief"]),
        st.sampled_from([0, 1]),  # whose phone
        st.sampled_from([0, 1, 61, 121, 301]),  # seconds that pass first
    ),
    max_size=10,
)


class Scene:
    """One page, two phones, and what is known to have happened."""

    def __init__(self, world: World):
        self.now = BEGAN
        self.phones = [Phone(world, factories.a_person(now=BEGAN)) for _ in range(2)]
        self.who = [self._identity(phone.token) for phone in self.phones]
        made = wechat.make_ticket("login", "yunnan", user_agent="", address="10.0.0.1", now=self.now)
        self.id, self.secret = made.ticket.id, made.secret
        self.scanned_at: dict[int, datetime] = {}
        self.confirmed: dict[int, datetime] = {}
        self.denied = False
        self.faces: set[int] = set()
        self.tokens: set[str] = set()

    @staticmethod
    def _identity(token: str) -> Identity:
        who = account.authenticate(token, now=utcnow())
        assert who is not None
        return who

    def step(self, verb: str, phone: int) -> None:
        """Do it; what is refused is refused in words."""
        try:
            getattr(self, verb)(phone)
        except Problem as problem:
            if problem.kind.status >= 500:
                raise

    def scan(self, phone: int) -> None:
        scan.question(self.id, self.who[phone], now=self.now)
        self.scanned_at.setdefault(phone, self.now)
        assert self.now < BEGAN + timedelta(minutes=2) or phone in self.scanned_at
        assert len(self.scanned_at) == 1, "a second phone took it"

    def confirm(self, phone: int) -> None:
        scan.confirm(self.id, self.who[phone], now=self.now)
        assert phone in self.scanned_at
        assert phone in self.faces
        self.confirmed.setdefault(phone, self.now)

    def deny(self, phone: int) -> None:
        scan.deny(self.id, self.who[phone], now=self.now)
        assert phone in self.scanned_at
        assert not self.tokens, "the page had gone on"
        self.denied = True

    def face(self, phone: int) -> None:
        self.phones[phone].pass_face()
        self.faces.add(phone)

    def log_out(self, phone: int) -> None:
        account.end_sessions(self.phones[phone].person.id, now=self.now)

    def go_on(self, _phone: int) -> None:
        opened = scan.go_on(self.id, self.secret, now=self.now)
        assert not self.denied
        (phone,) = self.confirmed
        assert self.now < self.confirmed[phone] + timedelta(minutes=2)
        assert opened.token is not None
        self.tokens.add(opened.token)

    def thief(self, _phone: int) -> None:
        scan.go_on(self.id, "not the secret", now=self.now)
        raise AssertionError("without the secret")


WHOLE = [("scan", 0, 0), ("face", 0, 1), ("confirm", 0, 61), ("go_on", 0, 1)]


@few
@example([*WHOLE, ("go_on", 0, 61), ("deny", 0, 0), ("log_out", 0, 0), ("go_on", 0, 0)])
@example([*WHOLE[:3], ("deny", 0, 1), ("go_on", 0, 0)])
@example([*WHOLE[:3], ("log_out", 0, 1), ("go_on", 0, 0)])
@example([("scan", 0, 0), ("scan", 1, 0), ("face", 1, 0), ("confirm", 1, 0), ("go_on", 1, 0)])
@example([*WHOLE[:3], ("go_on", 0, 121)])
@given(steps)
def test_any_sequence_ends_well(world: World, sequence: list[tuple[str, int, int]]) -> None:
    for model in (Session, Person):
        model.delete().execute()
    scene = Scene(world)
    for verb, phone, seconds in sequence:
        scene.now += timedelta(seconds=seconds)
        scene.step(verb, phone)
    opened = list(Session.select().where(Session.channel == "web"))
    assert len(opened) == len(scene.tokens) <= 1
    if opened:
        (phone,) = scene.confirmed
        assert opened[0].person_id == scene.phones[phone].person.id
