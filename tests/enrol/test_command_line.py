"""The commands that make and import rosters."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from app.core.audit import AuditEntry
from app.enrol.models import RosterEntry
from config.settings import ROOT
from ops import manage
from tests.enrol.conftest import RosterFile
from tests.world import World

WRONG = ["张三", "530102198001010010", "13800138000", "厨师", "滇TJ(2019)0000001", "2019-09-01", "2099-09-01"]


def run(*arguments: object) -> int:
    """One command, in this process and this world."""
    options = manage.parser().parse_args([str(argument) for argument in arguments])
    status: int = options.run(options)
    return status


def test_a_made_up_roster_is_imported(world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "made-up.xlsx"

    assert run("make-roster", path, "--programme", "yunnan", "--rows", 60) == 0
    assert run("import-roster", path, "--programme", "yunnan", "--by", "王芳") == 0
    assert run("import-roster", path, "--programme", "yunnan", "--by", "王芳") == 0

    told = capsys.readouterr()
    assert "新增 60，更新 0，未变 0" in told.out
    assert "新增 0，更新 0，未变 60" in told.out
    assert "60/60" in told.err
    assert RosterEntry.select().count() == 60
    assert {entry.actor for entry in AuditEntry.select()} == {"staff:王芳"}


def test_errors_are_told_and_listed_beside_the_file(
    world: World, roster_file: RosterFile, capsys: pytest.CaptureFixture[str]
) -> None:
    path = roster_file([WRONG])

    assert run("import-roster", path, "--programme", "yunnan", "--by", "王芳") == 1

    assert "第 2 行 身份证号" in capsys.readouterr().err
    report = openpyxl.load_workbook(path.with_name("roster-错误.xlsx")).active
    assert "证书类别：" in report["I2"].value
    assert RosterEntry.select().count() == 0


def test_errors_are_listed_as_json(world: World, roster_file: RosterFile, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("import-roster", roster_file([WRONG]), "--programme", "yunnan", "--json", "--by", "王芳") == 1

    errors = json.loads(capsys.readouterr().out)
    assert [(error["row"], error["column"]) for error in errors] == [(2, "身份证号"), (2, "证书类别")]
    assert "校验码" in errors[0]["message"]


def test_a_file_that_is_not_there_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        run("import-roster", "/nowhere.xlsx", "--programme", "yunnan")

    assert "/nowhere.xlsx: no such file" in capsys.readouterr().err


@pytest.mark.slow
def test_the_command_runs_by_itself(world: World, tmp_path: Path) -> None:
    """In a process of its own; what is no xlsx is refused with a sentence, not with a traceback."""
    bad = tmp_path / "bad.xlsx"
    bad.write_bytes(b"no table")
    environment = os.environ | {"DATA_DIR": str(world.data_dir), "PYTHONPATH": str(ROOT), "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-m", "ops.manage", "import-roster", str(bad), "--programme", "yunnan"]
    command += ["--by", "王芳"]

    ended = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert (ended.returncode, "不是有效的 xlsx" in ended.stderr) == (1, True)
    assert "Traceback" not in ended.stderr
