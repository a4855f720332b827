"""The delivered programme file, and copies of the whole directory that a test may spoil."""

from __future__ import annotations

import shutil
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.policy import load
from app.policy.schema import Programme
from config.settings import ROOT

DELIVERED = ROOT / "config" / "programmes"
FILE = "yunnan/2021-02-01.toml"


@pytest.fixture
def yunnan() -> Programme:
    """The delivered programme."""
    return load.read(DELIVERED / FILE, FILE)


@pytest.fixture
def document() -> dict[str, Any]:
    """The delivered file as a TOML document, to change and to parse."""
    return tomllib.loads((DELIVERED / FILE).read_text(encoding="utf-8"))


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    """A copy of the delivered file in a directory of its own, nothing of it released."""
    shutil.copytree(DELIVERED / "yunnan", tmp_path / "programmes" / "yunnan")
    (tmp_path / "programmes" / load.MANIFEST).write_text("# nothing yet\n", encoding="utf-8")
    return tmp_path / "programmes"


@pytest.fixture
def edit(copied: Path) -> Callable[[str, str], None]:
    """`edit(old, new)`: replace a text that stands in the copied file."""

    def replace(old: str, new: str) -> None:
        path = copied / FILE
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


@pytest.fixture
def loaded_again() -> Iterator[None]:
    """What was loaded before the test is loaded after it."""
    before = load._loaded
    yield
    load._loaded = before
