"""What a paper takes of each type, and what an import would leave too little of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from app.exam.bank.rows import TITLES
from app.policy.schema import Programme

Stock = Counter[tuple[str, str]]  # questions that are drawn, by subject and type


@dataclass(frozen=True)
class Shortage:
    """A type of which a subject has enough for a paper now (`there`), and would have too little (`left`)."""

    subject: str
    type: str
    there: int
    left: int
    needed: int

    @property
    def sentence(self) -> str:
        """What the teacher reads."""
        return (
            f"“{self.subject}”的{TITLES[self.type]}题现有 {self.there} 题，导入后只有 {self.left} 题，"
            f"一份试卷需要 {self.needed} 题"
        )


def needed(programme: Programme) -> Counter[str]:
    """How many questions of each type one paper takes."""
    found: Counter[str] = Counter()
    for part in programme.exam.paper if programme.exam else ():
        found[part.type] += part.count
    return found


def broken(programme: Programme, there: Stock, left: Stock) -> tuple[Shortage, ...]:
    """Of what there would be too little that is enough now. What is too little already is no fault: a bank begins
    small."""
    titles = {subject.code: subject.title for kind in programme.certificate_kinds for subject in kind.subjects}
    return tuple(
        Shortage(titles.get(subject, subject), kind, there[subject, kind], left[subject, kind], count)
        for subject in sorted({subject for subject, _ in there})
        for kind, count in needed(programme).items()
        if left[subject, kind] < count <= there[subject, kind]
    )
