"""Fixtures of the enrol tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from werkzeug.test import TestResponse

from app.account.models import Person
from app.core.sheet import Value, write_rows
from app.enrol.roster.rows import COLUMNS
from tests.factories import a_person

RosterFile = Callable[..., Path]


def body(answer: TestResponse) -> Any:
    """The JSON of an answer."""
    return answer.json


@pytest.fixture
def person(app: APIFlask) -> Person:
    return a_person()


@pytest.fixture
def roster_file(tmp_path: Path) -> RosterFile:
    """Writes a roster of these rows, under the template's columns or others."""

    def write(rows: Sequence[Sequence[Value]], columns: Sequence[str] = COLUMNS, name: str = "roster.xlsx") -> Path:
        path = tmp_path / name
        write_rows(path, [list(columns), *rows])
        return path

    return write
