"""One line of a report, and the file it is kept in."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any, Literal

from config.settings import ROOT

FOLDER = ROOT / "build"


@dataclass(frozen=True)
class Result:
    """`value` in `unit`. The goal, if there is one, is about `compared`: the ratio to `to`, or the value itself where
    there is nothing to compare with. `low` and `high`: `compared` in the best and the worst round."""

    name: str
    value: float
    unit: str
    compared: float
    to: str = ""
    goal: float | None = None
    goal_is: Literal["at most", "at least"] = "at most"
    low: float | None = None
    high: float | None = None
    runs: int = 1

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None if there is none."""
        if self.goal is None:
            return None
        return self.compared <= self.goal if self.goal_is == "at most" else self.compared >= self.goal

    def line(self) -> str:
        """As text, for a terminal."""
        goal = "" if self.goal is None else f"{'≤' if self.goal_is == 'at most' else '≥'} {self.goal:g}"
        word = {None: "", True: "met", False: "NOT MET"}[self.met]
        spread = "" if self.low is None else f"{self.low:.3g}–{self.high:.3g}"
        compared = f"{self.compared:.3f}" if self.to else ""
        return (
            f"  {self.name:<38}{self.value:>11,.1f} {self.unit:<22}{compared:>8}  {spread:<14}{goal:>9}"
            f"  {word:<8}{self.to}"
        )


def save(file: str, part: str, facts: dict[str, Any], results: list[Result]) -> None:
    """Keep one part's results in build/<file>; other parts stay as they are."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / file
    kept: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    rows = [asdict(row) | {"met": row.met} for row in results]
    kept[part] = facts | {"rows": rows}
    path.write_text(json.dumps(kept, ensure_ascii=False, indent=1) + "\n")
