"""A programme file that is wrong stops the start and names itself and the key."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from app.policy import load
from app.policy.release import main, release
from app.policy.schema import Programme
from config.settings import ROOT
from tests.policy.conftest import DELIVERED, FILE

Edit = Callable[[str, str], None]


def refused(directory: Path) -> str:
    """The one line with which loading `directory` stops."""
    with pytest.raises(load.ProgrammeError) as stopped:
        load.read_all(directory)
    line = str(stopped.value)
    assert "\n" not in line
    return line


def test_the_delivered_directory_loads_and_holds_yunnan() -> None:
    found = load.read_all(DELIVERED)
    assert ("yunnan", date(2021, 2, 1)) in found


def test_an_unknown_key_names_the_file_and_the_key(copied: Path, edit: Edit) -> None:
    edit("order_minutes = 30", "order_minutes = 30\ncolour = 1")
    assert refused(copied) == f"{FILE}: fee.colour: unknown key"


def test_an_unknown_key_inside_a_list_names_its_place(copied: Path, edit: Edit) -> None:
    edit('{ type = "judge", count = 15', '{ type = "judge", hard = true, count = 15')
    assert refused(copied).startswith(f"{FILE}: exam.paper[")
    assert refused(copied).endswith("hard: unknown key")


def test_a_missing_key_names_the_file_and_the_key(copied: Path, edit: Edit) -> None:
    edit("order_minutes = 30", "")
    assert refused(copied).startswith(f"{FILE}: fee.order_minutes: missing key")


def test_no_key_at_all_has_a_silent_default(document: dict[str, Any]) -> None:
    def keys(node: Any) -> list[tuple[dict[str, Any], str]]:
        if isinstance(node, list):
            return [found for item in node for found in keys(item)]
        if not isinstance(node, dict):
            return []
        return [found for item in node.values() for found in keys(item)] + [(node, key) for key in node]

    assert len(keys(document)) > 150
    for table, key in keys(document):
        kept = table.pop(key)
        with pytest.raises(load.ProgrammeError, match=rf"^f: (.*\.)?{key}: missing key"):
            load.parse(document, "f")
        table[key] = kept
    load.parse(document, "f")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("amount_fen = 20000", 'amount_fen = "200"', "fee.amount_fen: expected `int`, got `str`"),
        ("amount_fen = 20000", "amount_fen = 200.5", "fee.amount_fen: expected `int`, got `float`"),
        ("amount_fen = 20000", "amount_fen = 0", "fee.amount_fen: expected `int` >= 1"),
        ("payer_retype = true", "payer_retype = 1", "fee.payer_retype: expected `bool`, got `int`"),
        ("amount_fen = 20000", 'amount_fen = "none"', "fee.amount_fen: expected `int`"),
        ('per = "certificate"', 'per = "person"', "fee.per: invalid enum value 'person'"),
        ("version = 2021-02-01", 'version = "soon"', "version: invalid RFC3339"),
        ('kind = "from_payment"', 'kind = "for_ever"', "study.period.kind: invalid value 'for_ever'"),
    ],
)
def test_a_wrong_value_names_the_file_and_the_key(copied: Path, edit: Edit, old: str, new: str, line: str) -> None:
    edit(old, new)
    assert refused(copied).startswith(f"{FILE}: {line}")


def test_what_is_not_toml_names_the_file(copied: Path, edit: Edit) -> None:
    edit("[fee]", "[fee")
    assert refused(copied).startswith(f"{FILE}: not TOML: ")


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("count = 25", "count = 24", "exam: the parts of paper add up to 98, not to total_score 100"),
        ("pass_score = 60", "pass_score = 101", "exam: pass_score 101 is more than total_score 100"),
        ('"payment", ', "", "fee: stands there if and only if stages names 'payment'"),
        ('"study", ', "", "study: stands there if and only if stages names 'study'"),
        ('"payment", "photo"', '"payment", "payment", "photo"', "stages: a stage stands there twice"),
        ('stages = ["sign_up", "payment"', 'stages = ["payment", "sign_up"', "stages: the first one is"),
        ('unionpay = "yunnan.unionpay"', 'unionpay = "none"', "authority.secrets.unionpay: missing"),
        ('baidu = "yunnan.baidu"', 'baidu = "none"', "authority.secrets.baidu: missing"),
        ('face_plan = "yunnan-h5"', 'face_plan = "none"', "authority.face_plan: missing"),
        (
            'web = ["wechat_native", "alipay_qr", "unionpay_b2c"]',
            'web = ["bank_transfer"]',
            "fee.bank_transfer: stands there",
        ),
        ('code = "B"\ntitle', 'code = "A"\ntitle', "certificate_kinds: code 'A' stands there twice"),
        ("at_least = 3, at_most = 5", "at_least = 6, at_most = 5", "invoice.after_payment: at_least is more than"),
        ("attempts = 5                   #", 'attempts = "none" #', "make_up: there is no limit of attempts"),
        ('activation_code = "2100001"', 'activation_code = "none"', "authority.sms.templates.activation_code: "),
        (
            'kind = "last_of_account", characters = 6 }',
            'kind = "last_of_account", characters = 0 }',
            "login.enterprise.first_passwords[0].rule.characters: expected `int` >= 1",
        ),
    ],
)
def test_rules_that_contradict_each_other_are_refused(
    copied: Path, edit: Edit, old: str, new: str, line: str
) -> None:
    edit(old, new)
    assert refused(copied).startswith(f"{FILE}: {line}")


def test_rules_for_a_kind_of_certificate_that_does_not_exist_are_refused(copied: Path, edit: Edit) -> None:
    edit('[[login.person.first_passwords]]\ncertificate_kinds = "none"',
         '[[login.person.first_passwords]]\ncertificate_kinds = ["C9"]')  # fmt: skip
    assert refused(copied) == f"{FILE}: login.person.first_passwords: no kind of certificate has the code 'C9'"


def test_the_files_name_is_its_key_and_its_day(copied: Path) -> None:
    (copied / FILE).rename(copied / "yunnan" / "2021-02-02.toml")
    assert refused(copied) == "yunnan/2021-02-02.toml: version: 2021-02-01 is not the file's name 2021-02-02"
    (copied / "yunnan" / "2021-02-02.toml").rename(copied / "yunnan" / "2021-02-01.toml")
    (copied / "yunnan").rename(copied / "henan")
    assert refused(copied) == "henan/2021-02-01.toml: key: 'yunnan' is not the folder's name 'henan'"


def test_the_same_version_in_two_files_is_refused(copied: Path) -> None:
    shutil.copytree(copied / "yunnan", copied / "zhukao")
    assert refused(copied) == "zhukao/2021-02-01.toml: yunnan 2021-02-01 stands in another file too"


@pytest.mark.parametrize(
    "name", ["yunnan/2021-2-1.toml", "yunnan/notes.txt", "2021-02-01.toml", "a/b/2021-02-01.toml"]
)
def test_a_stray_file_is_named(copied: Path, name: str) -> None:
    (copied / name).parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(copied / FILE, copied / name)
    assert refused(copied).startswith(f"{name}: a programme file is named <key>/<YYYY-MM-DD>.toml")


def test_an_empty_or_missing_directory_is_refused(copied: Path, tmp_path: Path) -> None:
    assert refused(tmp_path / "nowhere").endswith("no such directory of programmes")
    shutil.rmtree(copied / "yunnan")
    assert refused(copied).endswith("holds no programme file")


# --- released files ------------------------------------------------------------------------------------------------


def test_a_released_file_loads_as_long_as_nobody_edits_it(copied: Path) -> None:
    assert release(copied / FILE) == FILE
    load.read_all(copied)


def test_an_edited_released_file_stops_the_start_and_is_named(copied: Path, edit: Edit) -> None:
    edit("order_minutes = 30", "order_minutes = 31")
    load.read_all(copied)  # not released yet: edits are welcome
    release(copied / FILE)
    edit("order_minutes = 31", "order_minutes = 30")
    assert refused(copied).startswith(f"{FILE}: was released and has been edited")


def test_even_a_released_comment_is_not_edited(copied: Path, edit: Edit) -> None:
    release(copied / FILE)
    edit("# ours", "# mine")
    assert refused(copied).startswith(f"{FILE}: was released and has been edited")


def test_a_released_file_is_not_taken_away(copied: Path) -> None:
    release(copied / FILE)
    (copied / FILE).unlink()
    assert refused(copied).startswith(f"{FILE}: was released and is missing")


def test_the_list_of_released_files_is_not_taken_away(copied: Path) -> None:
    (copied / load.MANIFEST).unlink()
    assert refused(copied).startswith("released.toml: missing")
    (copied / load.MANIFEST).write_text('"yunnan/2021-02-01.toml" = 5\n', encoding="utf-8")
    assert refused(copied).startswith("released.toml: ")


def test_releasing_twice_writes_one_line(copied: Path) -> None:
    release(copied / FILE)
    once = (copied / load.MANIFEST).read_text(encoding="utf-8")
    release(copied / FILE)
    assert (copied / load.MANIFEST).read_text(encoding="utf-8") == once


def test_a_second_release_does_not_bless_an_edit(copied: Path, edit: Edit) -> None:
    release(copied / FILE)
    edit("order_minutes = 30", "order_minutes = 31")
    with pytest.raises(load.ProgrammeError, match="has been edited"):
        release(copied / FILE)


def test_a_file_that_is_wrong_is_not_released(copied: Path, edit: Edit) -> None:
    edit("count = 25", "count = 24")
    with pytest.raises(load.ProgrammeError):
        release(copied / FILE)
    assert load.released(copied) == {}


def test_the_release_command_adds_the_file(copied: Path) -> None:
    command = [sys.executable, "-m", "app.policy.release", str(copied / FILE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == f"released: {FILE}\n"
    assert load.released(copied) == {FILE: load.checksum(copied / FILE)}
    with pytest.raises(SystemExit, match="usage: "):
        main([])
    with pytest.raises(load.ProgrammeError, match="no such file"):
        main([str(copied / "yunnan" / "2020-01-01.toml")])


# --- what the others ask -------------------------------------------------------------------------------------------


@pytest.fixture
def two_versions(copied: Path, loaded_again: None) -> None:
    """yunnan of 2021-02-01, and of 2022-01-01 with another price."""
    text = (copied / FILE).read_text(encoding="utf-8")
    later = text.replace("version = 2021-02-01", "version = 2022-01-01").replace("= 20000", "= 25000")
    (copied / "yunnan" / "2022-01-01.toml").write_text(later, encoding="utf-8")
    load.init(copied)


def amount(programme: Programme) -> int:
    assert programme.fee is not None
    return programme.fee.amount_fen


@pytest.mark.usefixtures("two_versions")
def test_the_version_in_force_changes_at_midnight_in_shanghai() -> None:
    assert amount(load.in_force("yunnan", datetime(2021, 12, 31, 15, 59, 59, tzinfo=UTC))) == 20000
    assert amount(load.in_force("yunnan", datetime(2021, 12, 31, 16, 0, 0, tzinfo=UTC))) == 25000
    assert amount(load.in_force("yunnan", date(2021, 12, 31))) == 20000
    assert amount(load.in_force("yunnan", date(2022, 1, 1))) == 25000


@pytest.mark.usefixtures("two_versions")
def test_a_programme_is_found_by_key_and_version() -> None:
    assert amount(load.programme("yunnan", date(2021, 2, 1))) == 20000
    assert amount(load.programme("yunnan", "2022-01-01")) == 25000
    assert [each.version.year for each in load.all_programmes()] == [2021, 2022]


@pytest.mark.usefixtures("two_versions")
def test_what_does_not_exist_is_said() -> None:
    with pytest.raises(load.UnknownProgramme):
        load.programme("yunnan", date(2021, 2, 2))
    with pytest.raises(load.UnknownProgramme):
        load.programme("yunnan", "soon")
    with pytest.raises(load.UnknownProgramme):
        load.programme("hainan", date(2021, 2, 1))
    with pytest.raises(load.UnknownProgramme):
        load.in_force("yunnan", date(2021, 1, 31))
    with pytest.raises(ValueError, match="time zone"):
        load.in_force("yunnan", datetime(2021, 12, 31, 16))  # noqa: DTZ001


@pytest.mark.usefixtures("two_versions")
def test_a_directory_that_is_wrong_leaves_what_was_loaded(copied: Path) -> None:
    (copied / "yunnan" / "2022-01-01.toml").write_text("", encoding="utf-8")
    with pytest.raises(load.ProgrammeError):
        load.init(copied)
    assert len(load.all_programmes()) == 2


def test_a_programme_cannot_be_changed_in_memory(yunnan: Programme) -> None:
    with pytest.raises(AttributeError, match="immutable"):
        yunnan.title = "x"  # type: ignore[misc]
    assert hash(yunnan) == hash(msgspec.structs.replace(yunnan))


def test_no_line_of_the_application_compares_with_a_programmes_key() -> None:
    keys = {key for key, _ in load.read_all(DELIVERED)}
    for path in (ROOT / "app").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Compare | ast.match_case):
                texts = {leaf.value for leaf in ast.walk(node) if isinstance(leaf, ast.Constant)}
                assert not keys & texts, f"{path}:{ast.unparse(node)}"
