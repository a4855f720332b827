"""`build/faults.json`: one row per experiment; rows of earlier runs for other experiments stay."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from config.settings import ROOT

FILE = ROOT / "build" / "faults.json"


@dataclass(frozen=True)
class Row:
    """`twin_failed`: with the guard off the experiment failed, as it must; None where there is no guard to take away.
    `seconds`: how long the experiment took."""

    id: str
    database: str
    tries: int
    violations: int
    twin_failed: bool | None
    seconds: float

    def line(self) -> str:
        """One line for the terminal."""
        twin = {True: "twin failed, as it must", False: "TWIN DID NOT FAIL", None: "no twin"}[self.twin_failed]
        counts = f"tries {self.tries:>5}  violations {self.violations}"
        return f"{self.id:<14} {self.database:<10} {counts}  {twin}  {self.seconds:.1f} s"

    @property
    def good(self) -> bool:
        return self.violations == 0 and self.twin_failed is not False


def write(rows: list[Row], file: Path = FILE) -> None:
    """Merge `rows` into the report."""
    file.parent.mkdir(exist_ok=True)
    known = json.loads(file.read_text()) if file.is_file() else []
    fresh = {(row.id, row.database) for row in rows}
    kept = [row for row in known if (row["id"], row["database"]) not in fresh]
    merged = sorted(kept + [asdict(row) for row in rows], key=lambda row: (row["id"], row["database"]))
    file.write_text(json.dumps(merged, indent=1) + "\n")
