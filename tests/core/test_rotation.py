"""New keys for old: everything opens and is found before, while and after; then the old keys can go."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from app import wiring
from app.account import limits
from app.account import service as account
from app.account.models import LoginThrottle, Person, VerificationCode
from app.account.people import NewPerson, find_or_create_people
from app.certificate.models import ProofPhoto, photo_aad
from app.core import crypto, rotation
from app.core.clock import utcnow
from app.core.crypto import CannotOpen
from app.core.db import compare_and_set
from app.enrol.models import RosterEntry
from app.face import keys, queries, store
from app.face.models import FaceRecord
from app.wechat.models import Binding
from config.settings import FIRST_KEY, ROOT, Secrets, SettingsError
from tests.account.screens import Screens, sms_code
from tests.certificate.offices import a_graduate, a_photo
from tests.factories import a_person, a_roster_entry, auth
from tests.rings import Rings, rings_of
from tests.wechat.phones import a_bound_person, a_code, log_in
from tests.world import World


@pytest.fixture
def rings(world: World) -> Iterator[Rings]:
    """The world's keys, and new ones."""
    with rings_of(world) as found:
        yield found


def rotate() -> rotation.Outcome:
    """To the end, in small steps."""
    return rotation.rotate(wiring.models(), now=utcnow(), batch=2)


def stale() -> dict[rotation.Use, int]:
    """What still needs an old key."""
    return rotation.stale(rotation.uses(wiring.models(), now=utcnow()))


def test_everything_opens_and_is_found_with_both_keys_and_then_with_the_new_ones(world: World, rings: Rings) -> None:
    graduate = a_graduate()
    person = graduate.person
    number, phone = person.id_number, person.phone
    bound = a_bound_person(world, "o-canary")
    entry = a_roster_entry(person)
    certificate_no = entry.certificate_no
    photo = queries.read_photo(person.id)
    assert photo

    def all_is_there() -> None:
        found = account.find_by_id_number(number)
        assert found is not None
        assert (found.id, found.name, found.phone) == (person.id, "张建国", phone)
        (known,) = account.look_up_people([NewPerson(number, "张建国", None)])
        assert known is not None
        assert known.same_name
        keys = crypto.indexes("roster_entry.certificate_no", certificate_no)
        assert RosterEntry.get(RosterEntry.certificate_no_index.in_(keys)).certificate_no == certificate_no
        assert queries.read_photo(person.id) == photo
        sealed = bytes(ProofPhoto.get_by_id(graduate.proof.id).sealed)
        assert crypto.photos().open_bytes(sealed, photo_aad(graduate.proof.id)) == photo
        assert graduate.proof.name == "张建国"
        assert Binding.get(Binding.person_id == bound.id).openid == "o-canary"
        assert log_in(world, a_code(world.sandbox, "o-canary")).status_code == 200

    rings.use("both")
    all_is_there()
    rings.use("swapped")
    all_is_there()
    assert stale()
    outcome = rotate()
    assert outcome.wrong == []
    assert min(outcome.written[place] for place in ("person", "photos", "proof_photo", "proof", "binding")) > 0
    all_is_there()
    assert {use.place for use in stale()} <= GO_BY_THEMSELVES
    rings.use("new")
    all_is_there()
    rings.use("swapped")
    assert rotate().written.total() == 0


GO_BY_THEMSELVES = {
    "login_throttle.key",
    "login_throttle.account_key",
    "login_code.code_index",
    "login_code.address_index",
    "scan_ticket.asker_index",
    "verification_code.subject_index",
    "verification_code.asker_index",
    "verification_code.window_index",
    "face_record.photo_index",
    "face_check.nonce_index",
}


def test_every_place_that_cannot_be_written_anew_is_known(world: World, rings: Rings) -> None:
    """Whoever adds a keyed index that is not a `Sealed` attribute's says here how it goes."""
    one_way = set()
    for model in wiring.models():
        made_anew = {f"{name}_index" for name in rotation.sealed_names(model)} | set(model(id="x").rekeyed())
        for name in [*(n for n in model._meta.sorted_field_names if n.endswith("_index")), *model.keyed]:
            if name not in made_anew:
                one_way.add(f"{model._meta.table_name}.{name}")
    assert one_way == GO_BY_THEMSELVES


def test_without_the_old_keys_nothing_opens_before_the_rotation(world: World, rings: Rings) -> None:
    person = a_person()
    number = person.id_number
    rings.use("new")  # the overlap was left out
    assert account.find_by_id_number(number) is None
    with pytest.raises(CannotOpen):
        assert Person.get_by_id(person.id).name
    rotated = rotate()
    assert rotated.wrong
    assert "cannot be opened" in rotated.wrong[0]


def change_meanwhile(monkeypatch: pytest.MonkeyPatch, person: Person) -> None:
    """The person changes the phone after the rotation has read the row, and before it writes it."""
    real = rotation._change
    done: list[int] = []

    def slow(row: Any) -> Any:
        change = real(row)
        if isinstance(row, Person) and not done:
            done.append(1)
            mine = Person.get_by_id(person.id)
            mine.phone = "13900000001"
            mine.save(only=(Person.phone_sealed, Person.phone_index))
        return change

    monkeypatch.setattr(rotation, "_change", slow)


def test_what_is_changed_meanwhile_is_kept(world: World, rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    person = a_person()
    rings.use("swapped")
    change_meanwhile(monkeypatch, person)
    rotate()
    assert Person.get_by_id(person.id).phone == "13900000001"
    assert stale() == {}


def test_it_would_be_lost_without_the_comparison(world: World, rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    person = a_person()
    rings.use("swapped")
    change_meanwhile(monkeypatch, person)
    real = compare_and_set
    monkeypatch.setattr(rotation, "compare_and_set", lambda model, row_id, _, values: real(model, row_id, {}, values))
    rotate()
    assert Person.get_by_id(person.id).phone != "13900000001"


def test_a_photo_that_is_deleted_meanwhile_does_not_come_back(
    world: World, rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = a_person()
    a_photo(person, now=utcnow())
    name = FaceRecord.get().photo_file
    rings.use("swapped")
    real = store._write

    def slow(path: Any, *more: Any) -> None:
        FaceRecord.update(photo_file=None).execute()
        store.remove(name)
        real(path, *more)

    monkeypatch.setattr(store, "_write", slow)
    list(keys.rewrite(utcnow()))
    assert store.get(person.id, name) is None


def test_what_a_killed_run_left_beside_a_photo_is_no_hindrance(world: World, rings: Rings) -> None:
    person = a_person()
    a_photo(person, now=utcnow())
    name = FaceRecord.get().photo_file
    (store._root[0] / name).with_suffix(".rekeyed").write_bytes(b"half of it")
    rings.use("swapped")
    rotate()
    rings.use("new")
    assert store.get(person.id, name)
    assert not list(store._root[0].rglob("*.rekeyed"))


def test_a_guarded_account_stays_guarded(world: World, rings: Rings) -> None:
    person, clock = a_person(), utcnow()
    for number in range(limits.GUARD_AFTER):
        limits.begin_login(person.id_number, f"10.0.0.{number}", with_code=False, now=clock)
    rings.use("swapped")
    assert limits.begin_login(person.id_number, "10.0.1.1", with_code=False, now=clock).guarded
    moved = LoginThrottle.get(LoginThrottle.scope == "account")
    assert crypto.key_of_index(moved.key) == "k2", "a counter that is used is moved to today's key"
    assert limits.begin_login(person.id_number, "10.0.1.2", with_code=False, now=clock).guarded


def test_counters_and_codes_go_by_themselves(world: World, rings: Rings) -> None:
    person = a_person()
    Screens(world).login(person.id_number, "Falsch-2026")
    Screens(world).post("/password-reset/code", programme="yunnan", id_number=person.id_number)
    rings.use("swapped")
    rotate()
    assert {use.place.split(".")[0] for use in stale()} == {"login_throttle", "verification_code"}
    account.forget(now=utcnow() + timedelta(days=31))
    assert stale() == {}


def test_a_code_that_was_sent_before_is_good_afterwards(world: World, rings: Rings) -> None:
    person, screens = a_person(), Screens(world)
    body = {"programme": "yunnan", "id_number": person.id_number}
    assert screens.post("/password-reset/code", **body).status_code == 200
    code = sms_code(person.id_number, "reset")
    rings.use("swapped")
    again = screens.post("/password-reset/code", **body)
    assert again.status_code == 429, "the windows go on"
    answer = screens.post("/password-reset", code=code, new_password="Neues-Wort-27", **body)
    assert answer.status_code == 200
    assert VerificationCode.get().used_at


def test_a_wechat_code_is_taken_once_over_the_change(world: World, rings: Rings) -> None:
    a_bound_person(world, "o-once")
    code = a_code(world.sandbox, "o-once")
    assert log_in(world, code).status_code == 200
    rings.use("swapped")
    assert log_in(world, code).status_code == 409


def test_sessions_go_on_until_the_old_signing_key_is_dropped(world: World, rings: Rings) -> None:
    headers = auth(a_person())
    client = world.app.test_client()
    for stage, status in (("both", 200), ("swapped", 200), ("new", 401)):
        rings.use(stage)  # type: ignore[arg-type]
        assert client.get("/api/v1/me", headers=headers).status_code == status, stage


def test_nobody_is_entered_twice_while_the_keys_change(world: World, rings: Rings) -> None:
    person = a_person()
    number = person.id_number
    rings.use("swapped")
    assert find_or_create_people([NewPerson(number, "张建国", None)], now=utcnow()) == [person.id]
    assert Person.select().count() == 1


def test_two_rows_of_one_value_are_told_and_the_rest_is_done(world: World, rings: Rings) -> None:
    """Two hosts entered a person at one moment, one of them under each key: a person has to decide."""
    one, other = a_person(), a_person()
    rings.use("swapped")
    twin = Person(id_number=one.id_number, name="张建国", phone=None, created_at=utcnow())
    twin.save(force_insert=True)
    outcome = rotate()
    assert outcome.wrong == [f"person {one.id}: another row has the same value already"]
    assert crypto.key_of(Person.get_by_id(other.id).name_sealed) == "k2"


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("k1:AA== ", "32 bytes"),
        ("k1:!!", "base64"),
        ("toolong:" + "A" * 43 + "=", "id"),
        ("K1:" + "A" * 43 + "=", "id"),
        (f"k2:{'A' * 43}= k2:{'B' * 42}E=", "two keys"),
        (f"{'A' * 43}= {FIRST_KEY}:{'B' * 42}E=", "two keys"),
        (" ", "no key"),
    ],
)
def test_a_keyring_that_is_wrong_stops_the_start_and_names_itself(text: str, wrong: str) -> None:
    with pytest.raises(SettingsError, match=wrong) as stopped:
        Secrets(None, {"APP_FIELD_KEYS": text}).keyring("app.field_keys")
    assert "app.field_keys" in str(stopped.value)


def test_a_key_without_an_id_is_the_first_one() -> None:
    assert list(Secrets(None, {"APP_INDEX_KEY": "A" * 43 + "="}).keyring("app.index_key")) == [FIRST_KEY]


def test_the_first_keys_indexes_carry_no_mark_and_later_ones_do() -> None:
    ring = {"k2": b"2" * 32, "k1": b"1" * 32}
    vault = crypto.Vault(ring, ring)
    today, older = vault.indexes("a.b", "value")
    assert today == vault.index("a.b", "value")
    assert today.startswith("k2.")
    assert "." not in older
    assert len(today) == len(older) == 32
    assert (crypto.key_of_index(today), crypto.key_of_index(older)) == ("k2", "k1")


def test_look_ups_ask_under_every_key() -> None:
    """`column == crypto.index(…)` would miss what an older key wrote, until the rotation has come by."""
    wrong = []
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare) and "crypto.index(" in ast.unparse(node):
                wrong.append(f"{path.name}: {ast.unparse(node)}")
    assert wrong == []


SEALS = {  # who seals without a `Sealed` attribute, and how that comes under a new key
    "core/canaries.py": "a word under each key, to know it again",
    "face/store.py": "the holder 'photos'",
    "certificate/service.py": "the holder 'proof_photo'",
    "certificate/keys.py": "is that holder",
    "support/service.py": "the holder 'support_picture'",
    "support/keys.py": "is that holder",
    "reports/exports.py": "a file lives a day; one that cannot be opened is asked for anew",
    "wechat/providers/access_token.py": "lives two hours; one that cannot be opened is fetched anew",
}


def test_whatever_is_sealed_is_known_to_the_rotation() -> None:
    sealing = set()
    for path in (ROOT / "app").rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if ".seal(" in text or ".seal_bytes(" in text:
            sealing.add(str(path.relative_to(ROOT / "app")))
    assert sealing - {"core/crypto.py"} == set(SEALS)
