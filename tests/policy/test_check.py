"""`make programme-check`: the sentences, the doubts, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from app.policy import load
from app.policy.check import check, main
from app.policy.doubts import doubts
from app.policy.release import release
from config.settings import ROOT
from tests.policy.conftest import DELIVERED, FILE

Edit = Callable[[str, str], None]


def keys(document: dict[str, Any]) -> list[str]:
    """The keys of what is odd about a document, but for the rooms that are not built."""
    return [doubt.key for doubt in doubts(load.parse(document, "f")) if doubt.key != "stages"]


def delivered(key: str) -> dict[str, Any]:
    (path,) = (DELIVERED / key).glob("*.toml")
    return tomllib.loads(path.read_text(encoding="utf-8"))


# --- the command ---------------------------------------------------------------------------------------------------


def test_the_command_tells_the_file_and_ends_well_with_doubts() -> None:
    command = [sys.executable, "-m", "app.policy.check", str(DELIVERED / FILE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.startswith(f"{FILE}：格式正确。")
    assert "7. 缴费\n   · 每人每本证书 200.00 元。" in done.stdout
    assert "需要留意：" in done.stdout
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "\t@$(PY) -m app.policy.check $(FILE)\n" in makefile
    assert "sign_up.expired_refuse_after_days：证书过期 60 天内可以报名缴费，最多有 60 天已经不能换证" in done.stdout


def test_the_command_ends_with_one_and_names_file_and_key(copied: Path, edit: Edit) -> None:
    edit("order_minutes = 30", "order_minutes = 0")
    command = [sys.executable, "-m", "app.policy.check", str(copied / FILE)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"{FILE}: fee.order_minutes: expected `int` >= 1")


def test_a_draft_may_lie_anywhere_and_is_told_where_it_belongs(copied: Path, tmp_path: Path) -> None:
    draft = (copied / FILE).rename(tmp_path / "draft.toml")
    assert "放到 config/programmes/yunnan/2021-02-01.toml 才会生效" in check(draft)


def test_the_command_wants_one_file_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="usage: "):
        main([])
    with pytest.raises(load.ProgrammeError, match="no such file"):
        main([str(tmp_path / "none.toml")])


def test_a_released_file_can_be_told_too(copied: Path) -> None:
    release(copied / FILE)
    assert check(copied / FILE).startswith(f"{FILE}：格式正确。")


def test_a_study_period_that_is_too_short_is_told_in_words_and_not_as_none() -> None:
    (doubt,) = [doubt for doubt in doubts(load.parse(delivered("mohurd"), "f")) if doubt.key == "study.period"]
    assert doubt.sentence == "开始得最晚的，学习时间不足 1 小时；学满 32 学时不停地学也要 24 小时。"


# --- doubts --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("yunnan", ["sign_up.expired_refuse_after_days", "fee.channels.jsapi_on_ios"]),
        ("yunnan-legacy", ["fee.channels.jsapi_on_ios"]),
        ("henan", ["authority.contacts"]),
        ("qiannan", ["fee.channels.jsapi_on_ios", "invoice", "exam.sittings", "make_up", "authority.contacts"]),
        ("mohurd", ["fee.channels.jsapi_on_ios", "study.period"]),
    ],
)
def test_what_is_odd_about_the_five_files_is_known(key: str, expected: list[str]) -> None:
    assert keys(delivered(key)) == expected


def put(document: dict[str, Any], place: str, value: Any) -> None:
    """Set the value at `a.b.c`."""
    *tables, key = place.split(".")
    for table in tables:
        document = document[table]
    document[key] = value


YUNNAN_ODD: list[tuple[str, Any, str]] = [
    ("sign_up.expired_refuse_after_days", "none", "sign_up.expired_refuse_after_days"),
    ("sign_up.warn_before_expiry_days", 29, "sign_up.warn_before_expiry_days"),
    ("sign_up.warn_before_expiry_days", "none", "sign_up.warn_before_expiry_days"),
    ("fee.channels.mini_program", [], "fee.channels.mini_program"),
    ("fee.channels.phone_web", [], "fee.channels.phone_web"),
    ("invoice", "none", "invoice"),
    ("study.rate", 0.9, "study.rate"),
    ("study.rate", 1.1, "study.rate"),
    ("make_up", "none", "make_up"),
    ("exam.crash_grace_seconds", 7200, "exam.crash_grace_seconds"),
    ("exam.pass_score", 100, "exam.pass_score"),
    ("study.captures", {"per_hour_at_least": 2, "per_hour_at_most": 8, "minutes_apart": 8},
     "study.captures.per_hour_at_most"),
    ("study.clients", ["web"], "face.web_by_phone_qr"),
    ("authority.contacts.exam", "考试中心", "authority.contacts"),
]  # fmt: skip


@pytest.mark.parametrize(("place", "value", "key"), YUNNAN_ODD)
def test_one_odd_value_is_one_more_doubt(place: str, value: Any, key: str, document: dict[str, Any]) -> None:
    before = keys(document)
    if key in before:
        put(document, "sign_up.expired_refuse_after_days", 0)
        before = keys(document)
    assert key not in before
    put(document, place, value)
    assert key in keys(document)


@pytest.mark.parametrize(("days", "odd"), [(0, False), (1, True)])
def test_a_refusal_is_late_from_the_first_day_on_which_nobody_can_renew(
    days: int, odd: bool, document: dict[str, Any]
) -> None:
    document["sign_up"]["expired_refuse_after_days"] = days
    assert ("sign_up.expired_refuse_after_days" in keys(document)) is odd


@pytest.mark.parametrize(("hours", "odd"), [(959, False), (961, True)])
def test_class_hours_must_fit_into_the_shortest_period(hours: int, odd: bool, document: dict[str, Any]) -> None:
    """From the last minute of a day, 30 days and the rest of that minute: 43201 minutes are 960 hours of 45."""
    document["study"]["period"]["months"] = 0
    document["study"]["class_hours"] = {
        "total": hours, "general": 0, "professional": hours, "minutes": 45, "general_counts_again_in_year": False,
    }  # fmt: skip
    assert ("study.period" in keys(document)) is odd


def test_a_monthly_window_must_leave_time_to_study_and_to_apply() -> None:
    document = delivered("qiannan")
    assert "sign_up.window.exam_months" not in keys(document)
    document["study"]["class_hours"] |= {"total": 160, "professional": 160}  # 120 hours, and February leaves 115
    assert "sign_up.window.exam_months" in keys(document)
    document["sign_up"]["window"]["exam_months"] = ["next"]
    assert "sign_up.window.exam_months" not in keys(document)
    assert "exam.sittings" not in keys(document)


def test_applications_that_close_before_sign_up_does_are_told() -> None:
    document = delivered("qiannan")
    document["exam"]["sittings"]["days_before"] = 15
    assert "sign_up.window.exam_months" in keys(document)
    (study_later,) = [doubt for doubt in doubts(load.parse(document, "f")) if doubt.key == "exam.sittings"]
    assert "先于学习截止" in study_later.sentence


def test_an_audit_needs_pictures_faces_and_messages() -> None:
    document = delivered("mohurd")
    document["study"]["captures"] = "none"
    document["face"]["purposes"] = [{"purpose": "activation", "pass_valid_minutes": 10}]
    document["authority"]["sms"]["templates"]["hours_purged"] = "none"
    assert {"study.captures", "face.purposes", "authority.sms.templates.hours_purged"} <= set(keys(document))


def test_a_decision_that_is_told_by_wechat_alone_is_told(document: dict[str, Any]) -> None:
    document["authority"]["sms"]["templates"]["extension_decided"] = "none"
    assert "authority.sms.templates.extension_decided" not in keys(document)
    document["authority"]["wechat_templates"]["extension_decided"] = "none"
    assert "authority.sms.templates.extension_decided" in keys(document)


def test_rooms_that_are_not_built_are_told_by_name() -> None:
    (waiting, by_hand) = [doubt for doubt in doubts(load.parse(delivered("qiannan"), "f")) if doubt.key == "stages"]
    assert "资料审核" in waiting.sentence
    assert "刷题练习" in by_hand.sentence
