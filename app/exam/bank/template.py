"""The template for a bank's file: its columns, and an example of each type, which an import refuses."""

from __future__ import annotations

from pathlib import Path

from app.core.sheet import write_rows
from app.exam.bank.rows import COLUMNS, EXAMPLE
from app.policy.schema import Programme


def write(path: Path, programme: Programme) -> None:
    """Write the template of a programme to `path`, with its first subject and its points."""
    subject = next((one.title for kind in programme.certificate_kinds for one in kind.subjects), "")
    points: dict[str, str] = {}
    for part in programme.exam.paper if programme.exam else ():
        points.setdefault(part.type, str(part.score))

    def row(kind: str, title: str, stem: str, options: tuple[str, ...], answer: str, why: str) -> list[str]:
        padded = (*options, *[""] * (6 - len(options)))
        return [subject, title, f"{EXAMPLE}{stem}", *padded, answer, why, points.get(kind, ""), "高处作业"]

    rows = [
        row(
            "single",
            "单选",
            "坠落高度基准面多少米及以上的作业叫高处作业？",
            ("1 米", "2 米", "3 米"),
            "B",
            "",
        ),
        row("multiple", "多选", "高处作业要带哪些防护用品？", ("安全帽", "安全带", "拖鞋"), "AB", "拖鞋容易滑落。"),
        row("judge", "判断", "六级大风时可以进行露天高处作业。", (), "错误", "六级及以上大风应停止作业。"),
    ]
    write_rows(path, [list(COLUMNS), *rows], title="题库")
