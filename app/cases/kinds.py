"""Kinds of cases: each domain describes its own in one place (`case_kinds.py`), and says so when it starts. Whoever
shows or decides cases knows no kind by its name.

A decision's `do` is a verb of the domain. What it changes is committed together with the decision, and with the
message to the person, if there is one; a verb that asks a provider (`outside`) opens its own transaction afterwards,
and closes the case there, as `service.decide_about` does."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from app.cases.models import Case
from app.core.errors import NOT_FOUND
from app.core.staff import Fact as Fact
from app.core.staff import Reason as Reason
from app.core.staff import Right


@dataclass(frozen=True)
class Message:
    """What the person is told: by which of the programme's templates, with which parameters."""

    template: str
    params: tuple[str, ...]


@dataclass(frozen=True)
class Evidence:
    """What staff see: facts, the names of pictures that `Kind.picture` gives, and what `paper` is that `Kind.paper`
    gives, if there is one."""

    facts: tuple[Fact, ...]
    pictures: tuple[tuple[str, str], ...] = ()  # name, what it shows
    paper: str | None = None


@dataclass(frozen=True)
class Deed:
    """A decision that is being made about a case, by `actor`."""

    case: Case
    decision: Decision
    reason: Reason | None
    note: str
    actor: str
    now: datetime

    @property
    def words(self) -> str:
        """The decision in words: what the case, and the audit log, keep."""
        reason = f"：{self.reason.text}" if self.reason else ""
        return f"{self.decision.label}{reason}" + (f"（{self.note}）" if self.note else "")


def _nothing(_deed: Deed) -> None:
    """The decision changes nothing but the case."""


@dataclass(frozen=True)
class Decision:
    """`note_needed`: in the staff's own words; `note_told`: which the person reads. `second_look`: another person
    confirms it before it is done. `batch`: many cases at once, where the list
    shows all that it is decided by. `outside`: `do` asks a provider. `closes`: False where
    the domain closes the case once what was begun has come to its end; `meanwhile`: what can be decided until then
    all the same. `fits`: in which cases it is one at all. `check` raises what `do` would, of what was typed: so that
    whoever proposes mends it, and not the second person. `note_begins`: what the note is, if nobody changes it.
    `proposed`: what the second person sees of what would follow; `became`: what did follow, in a sentence."""

    key: str
    label: str
    do: Callable[[Deed], None] = _nothing
    tone: Literal["good", "bad", "plain"] = "plain"
    reasons: tuple[Reason, ...] = ()
    note_needed: bool = False
    note_told: bool = False
    message: Callable[[Case, Reason | None], Message | None] | None = None
    second_look: bool = False
    batch: bool = False
    outside: bool = False
    closes: bool = True
    meanwhile: bool = False
    fits: Callable[[Case], bool] = lambda _case: True
    check: Callable[[Deed], None] = _nothing
    note_begins: Callable[[Case], str] = lambda _case: ""
    proposed: Callable[[Deed], tuple[Fact, ...]] = lambda _deed: ()
    became: Callable[[Deed], str] = lambda _deed: "已复核并执行。"

    def reason(self, key: str) -> Reason | None:
        """The reason with this key, or None."""
        return next((reason for reason in self.reasons if reason.key == key), None)


@dataclass(frozen=True)
class Kind:
    """`what`: what happened, and what is to be decided, in one sentence; `what_now`: the same of one case,
    where it stands otherwise, or None. `working_days`: within how many it should
    be decided. `picture(case, name)`: a JPEG of the evidence; `thumb`: the one that its queue shows.
    `paper(case)`: a PDF of the evidence, whose look is audited. `clear`:
    personal data that the decision is about, shown with the person's own for a reason only, which is written down;
    `also`: the id of another person whose data are among those. `about`: what each case of a list is about, in one
    line, by the case's id; None where the kind says enough."""

    name: str
    title: str
    what: str
    right: Right
    evidence: Callable[[Case], Evidence]
    decisions: tuple[Decision, ...]
    working_days: int = 3
    picture: Callable[[Case, str], bytes | None] | None = None
    paper: Callable[[Case], bytes] | None = None
    thumb: str | None = None
    clear: Callable[[Case], tuple[Fact, ...]] | None = None
    also: Callable[[Case], str] | None = None
    what_now: Callable[[Case], str | None] = lambda _case: None
    about: Callable[[Sequence[Case]], Mapping[str, str]] | None = None

    def decisions_of(self, case: Case) -> tuple[Decision, ...]:
        """Those that fit this case."""
        return tuple(decision for decision in self.decisions if decision.fits(case))

    def decision(self, key: str) -> Decision:
        """Raises `not_found`."""
        found = next((decision for decision in self.decisions if decision.key == key), None)
        if found is None:
            raise NOT_FOUND()
        return found


_kinds: dict[str, Kind] = {}


def describe(*kinds: Kind) -> None:
    """Called once a domain, when a process starts."""
    for kind in kinds:
        _kinds[kind.name] = kind


def every() -> list[Kind]:
    """All kinds, by title."""
    return sorted(_kinds.values(), key=lambda kind: kind.title)


def of(name: str) -> Kind | None:
    """The kind with this name; None for one that nobody has described."""
    return _kinds.get(name)


def noted(key: str = "done", label: str = "已处理，结案") -> Decision:
    """What is decided where the work itself is done elsewhere: staff write down what they did."""
    return Decision(key, label, note_needed=True)
