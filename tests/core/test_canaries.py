"""Each process looks, before it serves, whether its keys are those that the database was written with."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.account.models import Person
from app.core import canaries, db, migrate
from app.core.canaries import FIELDS, INDEX, KeyCanary
from app.core.clock import utcnow
from config.settings import ROOT, Secrets, SettingsError
from ops import manage
from tests.core.test_migrations import fresh
from tests.factories import a_person, a_session
from tests.rings import Rings, rings_of
from tests.world import World

WRONG = "k1:" + base64.b64encode(b"w" * 32).decode()


@pytest.fixture
def rings(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Rings]:
    """The world's keys, and new ones; the command line reads its settings from the environment."""
    settings = world.settings
    monkeypatch.setenv("SECRETS_DIR", str(settings.secrets.directory))
    with rings_of(world) as found:
        yield found


def start(rings: Rings, stage: str, monkeypatch: pytest.MonkeyPatch | None = None, /, **instead: str) -> None:
    """A process starts with the rings of this stage."""
    environ = rings.environ(stage) | instead  # type: ignore[arg-type]
    if monkeypatch is not None:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
    canaries.check(Secrets(rings.world.settings.secrets.directory, environ), now=utcnow())
    rings.use(stage)  # type: ignore[arg-type]


def run(*arguments: str) -> int:
    """One command, in this process and this world."""
    options = manage.parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def test_an_empty_database_learns_the_keys_and_knows_them_again(rings: Rings) -> None:
    start(rings, "old")
    known = [(row.secret, row.key_id, row.needed) for row in KeyCanary.select()]
    names = ("app.field_keys", "app.index_key", "app.photo_keys", "app.secret_key")
    assert sorted(known) == [(name, "k1", True) for name in names]
    start(rings, "old")
    assert KeyCanary.select().count() == 4


def test_a_database_without_tables_has_nothing_to_compare(world: World, rings: Rings, tmp_path: Path) -> None:
    with fresh(world, tmp_path):
        start(rings, "old")
        migrate.up()
        start(rings, "old")
        assert KeyCanary.select().count() == 4


@pytest.mark.parametrize("name", ["app.field_keys", "app.photo_keys", "app.index_key"])
def test_a_wrong_key_stops_the_start_and_names_itself(rings: Rings, name: str) -> None:
    start(rings, "old")
    with pytest.raises(SettingsError, match=rf"'{name}': key 'k1' is not the one"):
        start(rings, "old", **{name.upper().replace(".", "_"): WRONG})


@pytest.mark.parametrize("name", ["app.field_keys", "app.photo_keys", "app.index_key"])
def test_a_lost_key_stops_the_start_and_names_itself(rings: Rings, name: str) -> None:
    start(rings, "old")
    variable = name.upper().replace(".", "_")
    with pytest.raises(SettingsError, match=rf"'{name}': key 'k1' is missing"):
        start(rings, "old", **{variable: rings.environ("new")[variable]})
    start(rings, "old")


def test_whoever_wants_everybody_signed_out_may_replace_the_signing_key(rings: Rings) -> None:
    start(rings, "old")
    start(rings, "old", APP_SECRET_KEY=rings.environ("new")["APP_SECRET_KEY"])


def test_keys_change_as_the_manual_says_and_in_no_other_order(
    rings: Rings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start(rings, "old", monkeypatch)
    a_person()
    assert run("check-keys") == 0
    assert "k1 is the only key" in capsys.readouterr().out
    start(rings, "both", monkeypatch)
    assert run("check-keys") == 1, "k2 is no older key: it is the next one"
    told = capsys.readouterr().out
    assert "app.index_key: k2 has not written yet" in told
    assert "can be dropped" not in told
    start(rings, "swapped", monkeypatch)
    with pytest.raises(SettingsError, match=r"'app.field_keys': key 'k1' is missing"):
        start(rings, "new")
    assert run("check-keys") == 1
    told = capsys.readouterr().out
    assert f"{FIELDS}: k1 is needed by person.id_number_sealed (1)" in told
    assert f"{INDEX}: k1 is needed by person.id_number_index (1)" in told
    assert f"{FIELDS}: k1 can be dropped" not in told
    with pytest.raises(SettingsError, match=r"'app.field_keys': key 'k1' is missing"):
        start(rings, "new")
    assert run("rotate-keys", "--batch", "1", "--by", "王芳") == 0
    told = capsys.readouterr().out
    assert "person: 1 written anew" in told
    assert f"{FIELDS}: k1 can be dropped, once no process runs that was started before 20" in told
    assert run("check-keys") == 0
    start(rings, "swapped", monkeypatch)
    start(rings, "new", monkeypatch)
    assert Person.get().name == "张建国"


def test_a_key_that_writes_again_is_needed_again(rings: Rings, monkeypatch: pytest.MonkeyPatch) -> None:
    start(rings, "swapped", monkeypatch)
    run("check-keys")
    start(rings, "both")
    with pytest.raises(SettingsError, match=r"'k1' is missing"):
        start(rings, "new")


def test_a_new_key_that_two_hosts_do_not_agree_on_is_noticed_before_it_writes(rings: Rings) -> None:
    start(rings, "old")
    start(rings, "both")
    other = rings.environ("both") | {"APP_INDEX_KEY": f"{rings.environ('old')['APP_INDEX_KEY']} k2:{WRONG[3:]}"}
    with pytest.raises(SettingsError, match=r"'app.index_key': key 'k2' is not the one"):
        canaries.check(Secrets(None, other), now=utcnow())


def test_of_two_processes_that_start_at_once_with_different_keys_one_stops(
    rings: Rings, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = db.insert_once

    def slower(model: type[KeyCanary], **values: Any) -> bool:
        monkeypatch.setattr(canaries, "insert_once", real)
        canaries.check(Secrets(None, rings.environ("old")), now=utcnow())
        return real(model, **values)

    monkeypatch.setattr(canaries, "insert_once", slower)
    with pytest.raises(SettingsError, match=r"'app.field_keys': key 'k1' is not the one"):
        start(rings, "old", APP_FIELD_KEYS=WRONG)


def test_the_old_signing_key_is_kept_as_long_as_sessions_that_it_signed(
    rings: Rings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    start(rings, "old", monkeypatch)
    person = a_person()
    a_session(person)
    start(rings, "swapped", monkeypatch)
    assert run("rotate-keys", "--by", "王芳") == 0
    assert "app.secret_key: k1 is needed by session (1)" in capsys.readouterr().out
    assert run("check-keys") == 1
    told = capsys.readouterr().out
    assert "app.secret_key: k1 can be dropped" not in told
    later = utcnow() + timedelta(days=31)
    monkeypatch.setattr("ops.keys.utcnow", lambda: later)
    assert run("check-keys") == 0
    assert "app.secret_key: k1 can be dropped" in capsys.readouterr().out


PROCESSES = (
    ("-m", "jobs.worker"),
    ("-m", "jobs.cron"),
    ("-m", "jobs.flusher"),
    ("-m", "ops.manage", "audit"),
    ("-c", "import wsgi"),
)


@pytest.mark.slow
@pytest.mark.parametrize("process", PROCESSES, ids=[" ".join(arguments) for arguments in PROCESSES])
def test_every_process_looks_before_it_serves(world: World, rings: Rings, process: tuple[str, ...]) -> None:
    start(rings, "old")
    settings = world.settings
    environ = os.environ | {
        "DATA_DIR": str(settings.data_dir),
        "SECRETS_DIR": str(settings.secrets.directory),
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "APP_INDEX_KEY": WRONG,
    }
    done = subprocess.run(
        [sys.executable, *process], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    assert done.stderr.strip().splitlines()[-1].startswith("secret 'app.index_key': key 'k1' is not the one")
