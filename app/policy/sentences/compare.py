"""Two versions of a programme beside each other: which sentences came, which are gone. Pure."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Literal, NamedTuple

from app.policy.schema import Programme
from app.policy.sentences import Chapter, tell


class Told(NamedTuple):
    """A sentence, and whether both versions say it."""

    sentence: str
    mark: Literal["same", "added", "gone"]


class Compared(NamedTuple):
    """A chapter of both versions in the order of the newer one; what is gone stands where it stood."""

    title: str
    told: list[Told]

    @property
    def differs(self) -> bool:
        """Whether the versions say something else here."""
        return any(one.mark != "same" for one in self.told)


def alone(programme: Programme) -> list[Compared]:
    """One version, beside none."""
    return [Compared(chapter.title, [Told(one, "same") for one in chapter.sentences]) for chapter in tell(programme)]


def compare(old: Programme, new: Programme) -> list[Compared]:
    """Every chapter of `new` with what differs from `old`."""
    before = {chapter.title: chapter for chapter in tell(old)}
    return [_chapter(before.get(chapter.title, Chapter(chapter.title, [])), chapter) for chapter in tell(new)]


def _chapter(old: Chapter, new: Chapter) -> Compared:
    told: list[Told] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old.sentences, new.sentences, autojunk=False).get_opcodes():
        if tag == "equal":
            told += [Told(one, "same") for one in new.sentences[j1:j2]]
        else:
            told += [Told(one, "gone") for one in old.sentences[i1:i2]]
            told += [Told(one, "added") for one in new.sentences[j1:j2]]
    return Compared(new.title, told)
