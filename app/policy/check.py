"""`make programme-check FILE=config/programmes/<key>/<date>.toml`: a programme file told in Chinese sentences.

Ends with 0, doubts or not; with 1 where the file cannot be loaded, naming file and key.
"""

from __future__ import annotations

import sys
from pathlib import Path

from app.policy.doubts import doubts
from app.policy.load import ProgrammeError, misplaced, read
from app.policy.sentences import text


def check(path: Path) -> str:
    """What the file says, and what is odd about it. Raises `ProgrammeError`."""
    if not path.is_file():
        raise ProgrammeError(f"{path}: no such file")
    name = f"{path.resolve().parent.name}/{path.name}"
    programme = read(path, name)
    lines = [f"· {key}：{sentence}" for key, sentence in doubts(programme)]
    if fault := misplaced(programme, path.resolve()):
        where = f"config/programmes/{programme.key}/{programme.version}.toml"
        lines.append(f"· 文件名：{fault}；放到 {where} 才会生效。")
    found = "\n".join(["需要留意：", *lines]) if lines else "没有发现需要留意的地方。"
    return f"{name}：格式正确。\n\n{text(programme)}\n{found}\n"


def main(arguments: list[str]) -> None:
    """Check the one file named. Raises `SystemExit` with a line that says what is wrong."""
    if len(arguments) != 1:
        raise SystemExit("usage: make programme-check FILE=config/programmes/<key>/<date>.toml")
    sys.stdout.write(check(Path(arguments[0])))


if __name__ == "__main__":
    main(sys.argv[1:])
