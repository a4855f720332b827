"""Settings, money, ids, logs, the database's one door."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import peewee
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import db, engines, money
from app.core.audit import AuditEntry
from app.core.ids import new_id
from app.core.inbox import InboxMessage
from app.core.logging import redact, redact_text
from config.settings import SecretMissing, Settings, SettingsError, load
from tests.world import World

NOW = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PROVIDERS", "maybe"),
        ("PORT", "http"),
        ("DATABASE_URL", "oracle://x"),
        ("DATABASE_CONNECTIONS", "0"),
        ("REDIS_URL", "memcache://x"),
        ("LOG_LEVEL", "LOUD"),
        ("TRUSTED_PROXIES", "-1"),
        ("DEMO", "yes"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_names_itself(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=name):
        load({name: value})


def test_live_providers_want_https(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="PUBLIC_URL"):
        load({"PROVIDERS": "live", "PUBLIC_URL": "http://example.cn"})


def test_a_missing_secret_names_its_variable() -> None:
    with pytest.raises(SecretMissing, match="YUNNAN_WECHATPAY_API_V3_KEY"):
        load({"SECRETS_DIR": "/nonexistent"}).secrets.get("yunnan.wechatpay.api_v3_key")
    assert issubclass(SecretMissing, Exception), "a request that misses one is answered, and the process goes on"


STARTS = """
import os, sys
from app import create_app
for name in sys.argv[1:]:
    os.environ["SECRETS_DIR"] = name
    try:
        create_app()
        print("started")
    except SystemExit as error:
        print(error)
"""


@pytest.mark.slow
def test_a_missing_or_malformed_secret_stops_the_start_and_names_itself(settings: Settings, tmp_path: Path) -> None:
    names = [
        "app.field_keys",
        "yunnan.baidu.plan_id",
        "yunnan.tencent_sms.sdk_app_id",
        "yunnan.wechat.secret",
        "yunnan.wechatpay.api_v3_key",
    ]
    for name in [*names, "malformed", "all"]:
        shutil.copytree(settings.secrets.directory or Path(), tmp_path / name)
        (tmp_path / name / name).unlink(missing_ok=True)
    (tmp_path / "malformed" / "yunnan.wechatpay.merchant_private_key").write_text("no key")
    command = [sys.executable, "-c", STARTS, *(str(tmp_path / name) for name in [*names, "malformed", "all"])]
    done = subprocess.run(command, env={"DATA_DIR": str(tmp_path)}, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert len(lines) == 7, done.stderr
    for name, line in zip(names, lines, strict=False):
        assert f"secret {name!r} is missing" in line
    assert "'yunnan.wechatpay' is malformed" in lines[5]
    assert "no key" not in done.stdout
    assert lines[6] == "started"


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:Geheim-1%@h/x",
        "postgresql://u:Geheim-1@h",
        "mysql://u:Geheim-1@h/",
        "mysql://u:Geheim-1@/x",
        "mysql://u:Geheim-1@h:http/x",
        "mysql://u:Geheim-1@h/x?charset=latin1",
        "mysql://u:Geheim-1@h/x?tls=/nonexistent.pem",
    ],
)
def test_a_database_url_that_is_none_names_itself_and_no_password(url: str) -> None:
    with pytest.raises(ValueError, match="DATABASE_URL") as wrong:
        engines.make(url, connections=1)
    assert "Geheim" not in str(wrong.value)


@given(st.integers(-(10**12), 10**12))
def test_fen_and_yuan_are_inverse(fen: int) -> None:
    assert money.fen(money.yuan(fen)) == fen


@pytest.mark.parametrize("text", ["", "1.001", "NaN", "Infinity", "abc", "1,00"])
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a"):
        money.fen(text)


def test_ids_are_in_order_of_time_and_differ() -> None:
    ids = [new_id() for _ in range(2000)]
    assert len(set(ids)) == 2000
    assert ids == sorted(ids)
    assert all(len(i) == 16 for i in ids)


def test_forked_processes_make_other_ids_than_each_other() -> None:
    seen = set()
    for _ in range(4):
        reading, writing = os.pipe()
        if os.fork() == 0:
            os.write(writing, new_id()[-8:].encode())  # the part that is left to chance
            os._exit(0)
        os.wait()
        seen.add(os.read(reading, 8))
        os.close(reading)
        os.close(writing)
    assert len(seen) == 4


def test_logs_hold_no_personal_data() -> None:
    event = redact(
        None,
        "info",
        {
            "event": "login 110101199003070011 from 13800138000",
            "password": "hunter2",
            "nested": {"openid": "oABC", "text": "Bearer abc.def"},
            "list": ["13912345678"],
        },
    )
    text = str(event)
    for secret in ("110101199003070011", "13800138000", "hunter2", "oABC", "abc.def", "13912345678"):
        assert secret not in text
    assert redact_text("110101199003070011") == "110***********0011"


def test_a_moment_without_a_zone_is_refused(world: World) -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        AuditEntry.create(at=datetime(2026, 1, 1), actor="a", action="b", subject="c", data="")  # noqa: DTZ001


def test_moments_keep_their_microseconds(world: World) -> None:
    moment = NOW.replace(microsecond=123456)
    AuditEntry.create(at=moment, actor="a", action="b", subject="c", data="")
    assert AuditEntry.get().at == moment


def test_compare_and_set_has_one_winner(world: World) -> None:
    row = AuditEntry.create(at=NOW, actor="a", action="b", subject="c", data="")
    assert db.compare_and_set(AuditEntry, row.id, {"action": "b"}, {"action": "d"})
    assert not db.compare_and_set(AuditEntry, row.id, {"action": "b"}, {"action": "e"})
    assert AuditEntry.get().action == "d"


def test_callbacks_run_after_the_commit_and_not_after_a_rollback(world: World) -> None:
    ran: list[str] = []
    with db.transaction():
        db.after_commit(lambda: ran.append("first"))
        with db.transaction():
            db.after_commit(lambda: ran.append("inner"))
        assert ran == []
    assert ran == ["first", "inner"]

    def rolled_back() -> None:
        with db.transaction():
            db.after_commit(lambda: ran.append("never"))
            raise peewee.IntegrityError

    with pytest.raises(peewee.IntegrityError):
        rolled_back()
    with db.transaction():
        pass
    assert ran == ["first", "inner"]


def test_transactions_are_isolated_as_promised(world: World) -> None:
    engine = engines.make(world.settings.database_url, connections=1)  # as the product opens it

    def told(question: str) -> str:
        return str(engine.execute_sql(question).fetchone()[0])

    if isinstance(engine, engines.Sqlite):
        assert told("PRAGMA journal_mode") == "wal"
        assert told("PRAGMA synchronous") == "2"
    elif isinstance(engine, engines.Postgresql):
        assert told("SHOW transaction_isolation") == "read committed"
        assert told("SHOW timezone") == "UTC"
        assert told("SHOW lock_timeout") == "5s"
    else:
        assert told("SELECT @@session.tx_isolation") == "READ-COMMITTED"
        assert told("SELECT @@session.time_zone") == "+00:00"
        assert "STRICT_ALL_TABLES" in told("SELECT @@session.sql_mode")
        assert told("SELECT @@innodb_flush_log_at_trx_commit") == "1"
    engine.close_all()


def test_only_a_taken_unique_key_means_that_a_row_is_there(world: World) -> None:
    values = {"provider": "p", "external_id": "1", "body": "b", "available_at": NOW, "received_at": NOW}
    assert db.insert_once(InboxMessage, **values)
    assert not db.insert_once(InboxMessage, **values)
    with pytest.raises(peewee.IntegrityError, match=r"(?i)not.null|cannot be null"):
        db.insert_once(InboxMessage, **{**values, "external_id": "2", "received_at": None})


class PostgresError(Exception):
    """What psycopg raises: the SQLSTATE is an attribute."""

    def __init__(self, sqlstate: str):
        super().__init__("text")
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("cause", "taken"),
    [
        (PostgresError("23505"), True),
        (PostgresError("23503"), False),
        (Exception(1062, "Duplicate entry"), True),
        (Exception(1452, "Cannot add a child row"), False),
    ],
)
def test_other_databases_say_it_in_their_own_words(cause: Exception, taken: bool) -> None:
    assert engines.is_taken(peewee.IntegrityError(cause)) is taken


def test_mariadb_keeps_microseconds_too(world: World) -> None:
    maria = peewee.MySQLDatabase("x", field_types=engines.column_types("mysql://localhost/x"))
    with AuditEntry.bind_ctx(maria):
        sql, _ = AuditEntry._schema._create_table().query()
    assert "`at` DATETIME(6)" in sql
    plain = peewee.PostgresqlDatabase("x", field_types=engines.column_types("postgresql://localhost/x"))
    with AuditEntry.bind_ctx(plain):
        sql, _ = AuditEntry._schema._create_table().query()
    assert '"at" TIMESTAMP' in sql
