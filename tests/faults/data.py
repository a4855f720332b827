"""Faults of personal data, as functions: each gives the number of violations; its twin says whether the experiment
fails once the guard is off, as it must.

D1: canaries go the whole way through a running copy, and are nowhere in the clear afterwards. D2: keys are replaced
under writes, by a process that is killed ten times.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event, Thread
from unittest import mock

import structlog

from app import wiring
from app.account import service as account
from app.account.models import Person
from app.account.people import NewPerson, find_or_create_people
from app.core import crypto, db, rotation
from app.core import logging as product_logging
from app.core import queue as queues
from app.core import redis as redis_clients
from app.core.clock import utcnow
from app.core.crypto import CannotOpen, Vault
from app.core.db import compare_and_set
from app.enrol.models import RosterEntry
from app.face import queries as faces
from app.policy import load as policy
from app.policy.days import shanghai_day
from config.settings import ROOT
from ops import rosters
from ops.client import Client
from ops.databases import own_database
from ops.rosters import MadeUp
from ops.stack import Stack
from ops.trainee import OWN_PASSWORD, Journey
from tests.certificate.offices import a_photo
from tests.factories import a_person, a_roster_entry, an_id_number
from tests.faults.canary import Hit, Search, as_bytes
from tests.rings import Rings, rings_of
from tests.world import World

OPENID = "oCanary5f1d0e7c2b9a48KxQzT"
COMPANY = {
    "kind": "enterprise",
    "title": "云南卡纳里雀建筑劳务有限公司",
    "taxpayer_number": "11320000MB151840XJ",
    "email": "canary-5f1d@example.com",
    "bank_name": "卡纳里雀银行",
    "bank_account": "6217003860091725",
}
# the providers' side of the street, what the regulator handed in, keys, and what the supervisor says of demo people
NOT_OURS = ("sandbox/", "demo/", "secrets/", "logs/sandbox.log", "run.log")


# --- D1 ----------------------------------------------------------------------------------------------------------


class CanaryJourney(Journey):
    """A journey of one certain person, who also binds WeChat, and of whom nonsense is sent along the way."""

    def log_in(self) -> None:
        """With the first password; then everything that may go wrong, with the canaries in it."""
        body = {"programme": "yunnan", "id_number": self.who.id_number, "password": "12345678", "channel": "web"}
        self.client.token = self.client.post("/api/v1/login", body)["token"]
        self.nonsense()

    def nonsense(self) -> None:
        """Requests that are refused, and a provider that answers nonsense, while canaries pass through."""
        number, name, phone = self.who.id_number, self.who.name, self.who.phone
        for path in ("/api/v1/login", "/api/v1/checkout", "/api/v1/sign-ups", "/api/v1/password-reset"):
            for body in ({number: name}, {"id_number": number, "name": name, "phone": phone}, [number, name]):
                self.client.raw("POST", path, json=body)
            self.client.raw("POST", path, data=f'{{"x":"{number}'.encode())
        for path in (f"/nowhere/{number}", f"/verify/{number}", f"/api/v1/orders/{number}?phone={phone}"):
            self.client.raw("GET", path, headers={"X-Request-Id": number, "User-Agent": name.encode().hex()})
        self.client.raw("POST", "/api/v1/callbacks/wechatpay/1", json={"payer": {"openid": OPENID, "name": name}})
        self.sandbox.post("/_knobs", {"provider": "baidu", "operation": "person_verify", "kind": "garbage"})

    def fill_in_payer(self) -> None:
        """An enterprise's details, wrong at first, then kept; and the person's own again."""
        for change in ({"taxpayer_number": COMPANY["title"]}, {"phone": COMPANY["email"]}):
            self.client.raw("PUT", "/api/v1/payer", json=COMPANY | change)
        self.client.put("/api/v1/payer", json=COMPANY)
        self.client.put("/api/v1/payer", json={"kind": "person", "email": COMPANY["email"]})

    def bind_wechat(self) -> None:
        """Sign in with a WeChat that nobody has, and bind it, of which the phone is told, with trouble."""
        self.sandbox.post("/_knobs", {"provider": "sms", "operation": "send", "kind": "garbage"})
        known = self.sandbox.post("/_control/wechat/login_code", {"openid": OPENID})
        answer = self.client.post("/api/v1/wechat/login", {"programme": "yunnan", "code": known["code"]})
        body = {"bind_ticket": answer["bind_ticket"], "password": OWN_PASSWORD}
        self.client.post("/api/v1/wechat/bind", body)
        time.sleep(3)  # the notice is on its way


def a_canary() -> MadeUp:
    """A person whose data stand out."""
    today = shanghai_day(utcnow())
    kind = next(k for k in policy.in_force("yunnan", utcnow()).certificate_kinds if "continuing" in k.business)
    return MadeUp(
        name="迪丽热巴·卡纳里雀",
        id_number=an_id_number(990_001),
        phone="13970519824",
        kind=kind.title,
        certificate_no=f"滇{kind.code}(2019)9055713",
        issued_on=today - timedelta(days=600),
        expires_on=today + timedelta(days=120),
    )


def d1(world: World, tries: int) -> int:
    """The whole journey, `tries` times, in copies of their own over this world's kind of database."""
    server = world.settings.database_url
    violations = 0
    for _ in range(tries):
        with (
            tempfile.TemporaryDirectory(prefix="canary-") as folder,
            tempfile.TemporaryDirectory(prefix="canary-roster-") as outside,
            own_database("" if server.startswith("sqlite") else server, Path(folder), durable=False) as url,
        ):
            hits = walk(Path(folder), Path(outside), url)
            for hit in sorted(set(map(str, hits)))[:20]:
                print(f"  in the clear: {hit}", flush=True)
            violations += len(hits)
    return violations


def walk(directory: Path, outside: Path, url: str) -> list[Hit]:
    """One journey over the database at `url`; what it left in the clear, while the copy runs and after it stopped."""
    who = a_canary()
    roster = outside / "roster.xlsx"
    rosters.write(roster, [who])
    canaries = {
        "ID number": who.id_number,
        "name": who.name,
        "phone": who.phone,
        "certificate number": who.certificate_no,
        "openid": OPENID,
        "invoice title": COMPANY["title"],
        "invoice e-mail": COMPANY["email"],
        "invoice bank account": COMPANY["bank_account"],
        "password": OWN_PASSWORD,
    }
    with Stack(directory, DATABASE_URL=url, LOG_LEVEL="DEBUG") as stack:
        argv = [sys.executable, "-m", "ops.manage", "import-roster", str(roster), "--programme", "yunnan"]
        argv += ["--by", "the canary"]
        environment = os.environ | {"DATA_DIR": str(directory), "DATABASE_URL": url, "PORT": str(stack.port)}
        environment |= {"REDIS_URL": f"unix://{directory}/redis.sock", "SECRETS_DIR": str(directory / "secrets")}
        subprocess.run(argv, cwd=ROOT, env=environment, check=True, timeout=120, stdout=subprocess.DEVNULL)
        programme = policy.in_force("yunnan", utcnow())
        clients = Client(stack.base_url, patience=30), Client(stack.sandbox_url, patience=30)
        journey = CanaryJourney(*clients, programme, say=lambda _text: None)
        journey.person = who
        journey.walk()
        journey.fill_in_payer()
        journey.bind_wechat()
        assert journey.client.token
        search = Search(canaries | {"session token": journey.client.token})
        hits = list(search.in_files(directory, without=NOT_OURS))
        there = Search({"order": journey.evidence["order_id"]}).in_database(url)
        queued = Search({"a job": "jobs.entries.deliver_outbox"}).in_files(directory / "redis", without=())
        if not list(there) or not list(queued):
            raise AssertionError("the search does not even find what is there")
    hits += search.in_files(directory, without=NOT_OURS)
    return hits + list(search.in_database(url))


def d1_twin(world: World) -> bool:
    """Leaks of each sort, in the product's own code with one guard off, are found: a field that is not encrypted, a
    log line that is not redacted, a job that carries more than an id."""
    with tempfile.TemporaryDirectory(prefix="leaks-") as folder:
        return all(list(leak(world, Path(folder))) for leak in (leaking_field, leaking_log, leaking_job))


def leaking_field(world: World, _folder: Path) -> Iterator[Hit]:
    """Persons are written without encryption."""

    def seal_bytes(self: Vault, value: bytes, aad: str) -> bytes:
        return self.current.encode() + b"\0" + b"n" * 12 + value

    with mock.patch.object(Vault, "seal_bytes", seal_bytes):
        number = an_id_number()
        Person(id_number=number, name="张建国", created_at=utcnow()).save(force_insert=True)
    yield from Search({"ID number": number}).in_database(world.settings.database_url)


def leaking_log(world: World, folder: Path) -> Iterator[Hit]:
    """A log line names the person, and nothing redacts it."""
    number = an_id_number()
    with (folder / "web.log").open("w") as file, mock.patch.object(sys, "stderr", file):
        with mock.patch.object(product_logging, "redact", lambda _logger, _method, event: event):
            product_logging.init(world.settings)
            structlog.get_logger("leak").error("refused", text=f"the ID number {number}")
        product_logging.init(world.settings)
        structlog.get_logger("no leak").error("refused", text=f"the ID number {number}")
    product_logging.init(world.settings)
    hits = list(Search({"ID number": number}).in_files(folder, without=()))
    if len(hits) == 1:  # of two lines, the one that was not redacted
        yield from hits


def leaking_job(_world: World, _folder: Path) -> Iterator[Hit]:
    """A job carries the ID number itself, packed as RQ packs it."""
    number = an_id_number()
    queues.queue().enqueue("jobs.entries.nothing", number, "a" * 500)
    client = redis_clients.queue()
    for key in client.keys("rq:job:*"):
        for value in client.hgetall(key).values():
            yield from Search({"ID number": number}).in_bytes("a job", as_bytes(value))


# --- D2 ----------------------------------------------------------------------------------------------------------

PEOPLE = 400
PHOTOS = 60


class Writer(Thread):
    """The product at work while keys are replaced: people change their phones, new ones come, all are looked up."""

    def __init__(self, known: dict[str, str]):
        super().__init__(daemon=True)
        self.known, self.missed, self.writes = known, 0, 0
        self._over = Event()
        self._random = random.Random(1)

    def run(self) -> None:
        with db.connection():
            while not self._over.wait(0.01):
                number = self._random.choice(list(self.known))
                person = account.find_by_id_number(number)
                if person is None or person.phone != self.known[number]:
                    self.missed += 1
                    continue
                phone = f"139{self._random.randrange(10**8):08d}"
                fresh = Person(id=person.id, phone=phone)
                changed = {"phone_sealed": fresh.phone_sealed, "phone_index": fresh.phone_index}
                Person.update(changed).where(Person.id == person.id).execute()
                self.known[number] = phone
                self.writes += 1
                if self.writes % 5 == 0:
                    other = an_id_number()
                    find_or_create_people([NewPerson(other, "张新来", phone)], now=utcnow())
                    self.known[other] = phone

    def end(self) -> None:
        self._over.set()
        self.join()


def start_rotation(world: World, rings: Rings) -> subprocess.Popen[bytes]:
    """`rotate-keys`, in a process of its own; it has begun to write when this comes back."""
    environment = os.environ | rings.environ("swapped")
    environment |= {"DATA_DIR": str(world.data_dir), "SECRETS_DIR": str(world.data_dir / "secrets")}
    environment |= {"DATABASE_URL": world.settings.database_url, "REDIS_URL": world.settings.redis_url}
    argv = [sys.executable, "-m", "ops.manage", "rotate-keys", "--batch", "4", "--pause", "0.02", "--by", "d2"]
    process = subprocess.Popen(
        argv, cwd=ROOT, env=environment | {"LOG_LEVEL": "WARNING"}, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    assert process.stderr is not None
    process.stderr.readline()
    return process


def some_data(world: World) -> dict[str, str]:
    """People with phones, certificates and photos, under the old keys; ID number → phone."""
    known = {}
    for number in range(PEOPLE):
        person = a_person(activated=False)
        known[person.id_number] = str(person.phone)
        a_roster_entry(person)
        if number < PHOTOS:
            a_photo(person, now=utcnow())
    return known


def lost(known: dict[str, str]) -> int:
    """How many people cannot be found, read, or have not what is known of them."""
    missing = 0
    for number, phone in known.items():
        try:
            person = account.find_by_id_number(number)
            missing += person is None or person.phone != phone or not person.name
        except CannotOpen:
            missing += 1
    for entry in RosterEntry.select():
        try:
            keys = crypto.indexes("roster_entry.certificate_no", entry.certificate_no)
            missing += entry.certificate_no_index not in keys
        except CannotOpen:
            missing += 1
    for person in Person.select().order_by(Person.id).limit(PHOTOS):
        try:
            missing += faces.read_photo(person.id) is None
        except CannotOpen:
            missing += 1
    return missing


def d2(world: World, tries: int) -> int:
    """`tries` kills during one rotation under writes; then it is brought to its end, and the old keys go."""
    with rings_of(world) as rings:
        known = some_data(world)
        rings.use("swapped")
        writer = Writer(known)
        writer.start()
        draw, kills = random.Random(2), 0
        for _ in range(tries):
            process = start_rotation(world, rings)
            time.sleep(draw.uniform(0.0, 0.35))
            kills += process.poll() is None
            process.kill()
            process.communicate()
        violations = tries - kills  # one that was over already was no kill
        rest = start_rotation(world, rings)
        rest.communicate(timeout=300)
        writer.end()
        violations += rest.returncode != 0
        violations += writer.missed + (writer.writes < tries)
        violations += len(rotation.stale(rotation.uses(wiring.models(), now=utcnow())))
        rings.use("new")
        return violations + lost(known)


def d2_twin(world: World) -> bool:
    """Without the overlap what was not yet written anew is lost; without the comparison, what somebody wrote
    meanwhile."""
    with rings_of(world) as rings:
        known = some_data(world)
        process = start_rotation(world, rings)
        process.kill()
        process.communicate()
        rings.use("new")
        unreadable = lost(known)
        rings.use("swapped")
        number = next(iter(known))
        real = rotation._change

        def slow(row: db.BaseModel) -> rotation.Change | None:
            change = real(row)
            if change is not None and isinstance(row, Person) and row.id_number == number:
                fresh = Person(id=row.id, phone="13900000001")
                compare_and_set(Person, row.id, {}, {"phone_sealed": fresh.phone_sealed})
            return change

        def blind(model: type[db.BaseModel], row_id: str, _seen: object, values: dict[str, object]) -> bool:
            return compare_and_set(model, row_id, {}, values)

        Person.update(phone_sealed=old_sealed(world, number)).where(
            Person.id_number_index.in_(crypto.indexes("person.id_number", number))
        ).execute()
        with mock.patch.object(rotation, "_change", slow), mock.patch.object(rotation, "compare_and_set", blind):
            rotation.rotate([Person], now=utcnow())
        person = account.find_by_id_number(number)
        return unreadable > 0 and person is not None and person.phone != "13900000001"


def old_sealed(world: World, number: str) -> str:
    """The person's phone under the old key, so that there is something to write anew."""
    person = account.find_by_id_number(number)
    assert person is not None
    vault = Vault(world.settings.secrets.keyring("app.field_keys"), world.settings.secrets.keyring("app.index_key"))
    return vault.seal("13800000009", f"person.phone.{person.id}")
