"""`python -m app.policy.release config/programmes/<key>/<date>.toml`: from now on this file never changes."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

from app.policy.load import MANIFEST, ProgrammeError, checksum, read_all, released
from app.policy.rooms import missing


def release(path: Path) -> str:
    """Add the file to the manifest two folders above it, if the whole directory is in order and the
    programme can be walked. A second time changes nothing. Returns the file's name in the manifest. Raises
    `ProgrammeError`."""
    path = path.resolve()
    programmes_dir = path.parent.parent
    name = path.relative_to(programmes_dir).as_posix()
    if not path.is_file():
        raise ProgrammeError(f"{path}: no such file")
    loaded = read_all(programmes_dir)
    if rooms := missing(loaded[path.parent.name, date.fromisoformat(path.stem)]):
        raise ProgrammeError(f"{name}: cannot be released, the product lacks {', '.join(rooms)}")
    if name not in released(programmes_dir):
        with (programmes_dir / MANIFEST).open("a", encoding="utf-8") as manifest:
            manifest.write(f'"{name}" = "{checksum(path)}"\n')
    return name


def main(arguments: list[str]) -> None:
    """Release the one file named. Raises `SystemExit` with a line that says what is wrong."""
    if len(arguments) != 1:
        raise SystemExit("usage: python -m app.policy.release config/programmes/<key>/<date>.toml")
    sys.stdout.write(f"released: {release(Path(arguments[0]))}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
