"""Drawing a paper: which questions, in which order, with which order of options. Pure: the same seed gives the same
paper; what was drawn is stored and never drawn again."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.exam.scoring import KeyItem
from app.policy.schema import PaperPart

_REFERS_TO_OTHERS = ("以上", "上述", "前述", "A和", "A、", "ABC", "都是", "都不是", "均正确", "均不")


class NotEnoughQuestions(Exception):
    """The bank cannot fill the paper; `missing` maps a type to (needed, there)."""

    def __init__(self, missing: Mapping[str, tuple[int, int]]):
        super().__init__(str(dict(missing)))
        self.missing = dict(missing)


@dataclass(frozen=True)
class Drawn:
    """A question of a paper before it is laid out: its version, its type, its points."""

    version_id: str
    type: str
    points: int


@dataclass(frozen=True)
class Source:
    """What the layout needs of a question version; `mask` marks the right ones of `options`."""

    options: Sequence[str]
    mask: int


@dataclass(frozen=True)
class Laid:
    """A question as it lies on the table: `order[i]` is the bank's index of the option shown at place i."""

    version_id: str
    order: tuple[int, ...]
    key: KeyItem


def draw(pool: Mapping[str, Sequence[str]], parts: Sequence[PaperPart], seed: str) -> list[Drawn]:
    """Choose questions: `pool` maps each type to the ids of the question versions to choose from, `parts` is the
    programme's composition. The parts stay in their order, no question stands there twice. Raises
    `NotEnoughQuestions`."""
    needed: dict[str, int] = {}
    for part in parts:
        needed[part.type] = needed.get(part.type, 0) + part.count
    there = {kind: len(set(pool.get(kind, ()))) for kind in needed}
    missing = {kind: (count, there[kind]) for kind, count in needed.items() if there[kind] < count}
    if missing:
        raise NotEnoughQuestions(missing)
    chance = random.Random(f"draw:{seed}")  # noqa: S311 the seed itself is secret and unpredictable
    left = {kind: chance.sample(sorted(set(pool[kind])), count) for kind, count in needed.items()}
    return [Drawn(left[part.type].pop(), part.type, part.score) for part in parts for _ in range(part.count)]


def keeps_order(kind: str, options: Sequence[str]) -> bool:
    """Whether the options must be shown as the bank has them: right and wrong, or one that names the others."""
    return kind == "judge" or any(text.startswith(_REFERS_TO_OTHERS) for text in options)


def lay_out(drawn: Sequence[Drawn], sources: Mapping[str, Source], seed: str) -> list[Laid]:
    """Shuffle the options of each question and turn its key with them. `sources` holds every version drawn."""
    chance = random.Random(f"options:{seed}")  # noqa: S311 see above
    laid = []
    for question in drawn:
        source = sources[question.version_id]
        order = list(range(len(source.options)))
        if not keeps_order(question.type, source.options):
            chance.shuffle(order)
        mask = sum(1 << place for place, index in enumerate(order) if source.mask >> index & 1)
        key = KeyItem(question.type, question.points, len(order), mask)
        laid.append(Laid(question.version_id, tuple(order), key))
    return laid
