"""A programme opens when everything its path goes through is built, and is not in force before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from app.policy import load, rooms, rules
from app.policy.release import release
from tests.policy.conftest import DELIVERED, FILE

Edit = Callable[[str, str], None]


def test_today_the_programmes_of_a_roster_are_open_and_the_others_say_what_they_wait_for() -> None:
    found = {programme.key: rooms.missing(programme) for programme in load.read_all(DELIVERED).values()}
    assert [key for key, lacks in found.items() if not lacks] == ["yunnan", "yunnan-legacy"]
    assert "资料审核" in found["qiannan"]
    assert "考试场次与考试申请" in found["qiannan"]
    assert "学时审核" in found["mohurd"]
    assert "个人自行登记报名" in found["henan"]


def test_side_paths_close_nothing_and_are_told() -> None:
    yunnan = load.read(DELIVERED / FILE, FILE)
    assert rooms.by_hand(yunnan) == ("随机抓拍", "延期申请", "补考申请", "到期换证")


@pytest.mark.usefixtures("loaded_again")
def test_a_programme_that_waits_for_a_room_is_loaded_and_not_in_force() -> None:
    load.init(DELIVERED)
    assert load.programme("qiannan", "2022-01-01").title
    with pytest.raises(load.NotOpen, match="资料审核"):
        load.in_force("qiannan", date(2026, 1, 1))
    assert {each.key for each in load.open_programmes()} == {"yunnan", "yunnan-legacy"}
    assert [each.key for each in load.all_in_force(date(2026, 1, 1))] == ["yunnan", "yunnan-legacy"]
    assert [each.key for each in load.all_in_force(date(2019, 1, 1))] == ["yunnan-legacy"]


@pytest.mark.usefixtures("loaded_again")
def test_without_the_list_of_rooms_money_would_be_taken_for_a_period_that_nobody_can_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    load.init(DELIVERED)
    monkeypatch.setattr(load, "missing", lambda _programme: ())
    mohurd = load.in_force("mohurd", date(2026, 1, 1))
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert rules.price_fen(mohurd, 1) > 0
    with pytest.raises(ValueError, match="year is needed"):
        rules.study_deadline(mohurd, now)  # as the checkout asks it, which knows no year


@pytest.mark.usefixtures("loaded_again")
def test_a_later_version_that_waits_for_a_room_leaves_the_one_before_in_force(copied: Path, edit: Edit) -> None:
    later = copied / "yunnan" / "2022-01-01.toml"
    text = (copied / FILE).read_text(encoding="utf-8").replace("version = 2021-02-01", "version = 2022-01-01")
    hours = "{ total = 8, general = 4, professional = 4, minutes = 45, general_counts_again_in_year = false }"
    later.write_text(text.replace('class_hours = "none"', f"class_hours = {hours}"), encoding="utf-8")
    load.init(copied)
    assert load.in_force("yunnan", date(2022, 6, 1)).version == date(2021, 2, 1)
    with pytest.raises(load.ProgrammeError, match="cannot be released, the product lacks 学时累计"):
        release(later)
