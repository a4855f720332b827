"""Programmes as sentences: versions with their days, what differs, why one is not open."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.core.staff import EVERYWHERE, Right
from app.policy import load
from app.policy.sentences import tell
from app.policy.sentences.compare import alone, compare
from config.settings import ROOT
from tests.staffroom import a_member, at_desk
from tests.world import World

FILES = ROOT / "config" / "programmes"
OLD, NEW = "2021-02-01", "2026-03-01"


@pytest.fixture
def two_versions(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A second version of yunnan, in which one number is another."""
    folder = tmp_path / "programmes"
    shutil.copytree(FILES, folder)
    text = (folder / "yunnan" / f"{OLD}.toml").read_text(encoding="utf-8")
    text = text.replace(f"version = {OLD}", f"version = {NEW}")
    changed = text.replace("pass_score = 60", "pass_score = 70")
    assert changed != text
    (folder / "yunnan" / f"{NEW}.toml").write_text(changed, encoding="utf-8")
    load.init(folder)
    yield
    load.init(FILES)


def test_two_versions_differ_in_the_sentences_that_say_so_and_in_no_other(two_versions: None) -> None:
    old, new = load.programme("yunnan", OLD), load.programme("yunnan", NEW)
    marks = [one for chapter in compare(old, new) for one in chapter.told if one.mark != "same"]
    assert {one.mark for one in marks} == {"added", "gone"}
    assert any("70" in one.sentence for one in marks if one.mark == "added")
    assert any("60" in one.sentence for one in marks if one.mark == "gone")
    kept = [one.sentence for chapter in compare(old, new) for one in chapter.told if one.mark != "gone"]
    assert kept == [sentence for chapter in tell(new) for sentence in chapter.sentences]
    assert not any(chapter.differs for chapter in compare(new, new))
    assert [chapter.title for chapter in alone(new)] == [chapter.title for chapter in tell(new)]


def test_the_page_shows_versions_days_and_the_difference(world: World, two_versions: None) -> None:
    desk = at_desk(world, a_member((Right.TEACHING, "yunnan")))
    listed = desk.get("/console/programmes").text
    assert OLD in listed
    assert f"至 {NEW} 前" in listed
    assert "现行" in listed
    assert "已被替代" in listed
    page = desk.get(f"/console/programmes/yunnan/{NEW}?against={OLD}").text
    assert "<ins>" in page
    assert "<del>" in page
    assert "<ins>" not in desk.get(f"/console/programmes/yunnan/{NEW}").text


def test_one_that_is_not_open_says_what_is_missing(world: World) -> None:
    desk = at_desk(world, a_member((Right.ADMINISTRATOR, EVERYWHERE)))
    closed = next(one for one in load.all_programmes() if one not in load.open_programmes())
    page = desk.get(f"/console/programmes/{closed.key}/{closed.version}").text
    assert "不开放。平台还没有这些环节" in page
    assert all(sentence in page for sentence in ("需要留意", "未开放"))


def test_every_sentence_of_a_programme_stands_on_its_page(world: World) -> None:
    desk = at_desk(world, a_member((Right.SUPPORT, "yunnan")))
    page = desk.get(f"/console/programmes/yunnan/{OLD}").text
    for chapter in tell(load.programme("yunnan", OLD)):
        for sentence in chapter.sentences:
            assert sentence.replace("&", "&amp;").replace('"', "&#34;") in page


def test_of_a_programme_in_which_they_have_no_right_nobody_learns(world: World) -> None:
    desk = at_desk(world, a_member((Right.TEACHING, "henan")))
    assert "yunnan" not in desk.get("/console/programmes").text
    assert desk.get(f"/console/programmes/yunnan/{OLD}").status_code == 404
