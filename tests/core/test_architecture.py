"""Which rooms of a domain other domains may enter (docs/ARCHITECTURE.md)."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from app.wiring import DOMAINS
from config.settings import ROOT

OPEN = {"service", "queries", "models", "status", "errors"}
# pure: one spelling of an ID number, and of a name; a message by WeChat instead of an SMS; where a domain describes
# its cases, says how their decisions are told, and who may decide together; a part with rooms of its own; an upload
# read within bounds, and made clean
ALSO = {
    "account.id_number",
    "account.person_name",
    "wechat.messages",
    "cases.kinds",
    "cases.hands",
    "cases.messages",
    "pay.reconciliation",
    "invoice.finance",
    "account.person_pages",
    "pay.transfers",
    "study.teaching",
    "exam.bank",
    "face.uploads",
    "face.image",
}


def entered(path: Path) -> Iterator[str]:
    """`domain.room` of every import of a domain's room in the file `path`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            parts = name.split(".")
            if parts[0] == "app" and len(parts) > 2 and parts[1] in DOMAINS:
                yield ".".join(parts[1:3])


def test_a_domain_enters_only_the_open_rooms_of_another() -> None:
    seen, wrong = 0, []
    for domain in DOMAINS:
        for path in (ROOT / "app" / domain).rglob("*.py"):
            for room in entered(path):
                owner, name = room.split(".")
                if owner == domain:
                    continue
                seen += 1
                if name not in OPEN and room not in ALSO:
                    wrong.append(f"{path.relative_to(ROOT)} enters {room}")
    assert wrong == []
    assert seen > 20, "the imports are found"
