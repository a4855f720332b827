"""One person's page in the console: each domain says in one place (`person_page.py`) what it adds to the history, by
what people are found there, and what support can do; `wire.py` registers it. The console draws what it finds, and
knows no domain by name (docs/decisions/0065-one-persons-page.md).

What belongs to a programme is shown to its staff only: every read goes through a `Sight`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, TypeVar

import peewee

from app.core.staff import EVERYWHERE, Fact, Reason, Right, Staff

T = TypeVar("T")
HISTORY = (Right.SUPPORT, Right.FINANCE)  # who opens a person's page; what they find there says each domain
Tone = Literal["good", "bad", "plain"]
LATEST = 100  # rows of a table whose lines of the audit log stand on the page


@dataclass(frozen=True)
class Sight:
    """What somebody sees of a person. `person_ids`: the person, and who was merged into them. `programmes`: None for
    all of them. `staff`: who looks."""

    person_ids: tuple[str, ...]
    programmes: frozenset[str] | None
    staff: Staff
    _kept: dict[str, Any] = field(default_factory=dict, compare=False, repr=False)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` gives, asked for once on this page, however many of its parts want it."""
        if name not in self._kept:
            self._kept[name] = make()
        found: T = self._kept[name]
        return found

    @property
    def person_id(self) -> str:
        """The person."""
        return self.person_ids[0]

    def mine(self, column: Any) -> peewee.Expression:
        """That a row is the person's."""
        return column.in_(self.person_ids)

    def within(self, column: Any) -> peewee.Expression:
        """That a row's programme is one of those."""
        return column.is_null(False) if self.programmes is None else column.in_(sorted(self.programmes))

    def latest(self, model: Any) -> list[str]:
        """The ids of the person's rows of `model` in those: what was done about them stands in the audit log."""
        query = model.select(model.id).where(self.mine(model.person_id), self.within(model.programme))
        return [row_id for (row_id,) in query.order_by(model.id.desc()).limit(LATEST).tuples()]


@dataclass(frozen=True)
class Window:
    """A page of the history: rows before `until` (of that moment itself: `same`, or those with an id below `below`),
    the latest first, at most `limit`."""

    until: datetime
    same: bool
    below: str | None
    limit: int

    def older(self, at: Any, row_id: Any) -> peewee.Expression:
        """That a row is on this page or a later one."""
        if self.same:
            return at <= self.until
        if self.below is None:
            return at < self.until
        return (at < self.until) | ((at == self.until) & (row_id < self.below))

    def of(self, query: Any, at: Any, row_id: Any) -> list[Any]:
        """The rows of this page."""
        return list(query.where(self.older(at, row_id)).order_by(at.desc(), row_id.desc()).limit(self.limit))


@dataclass(frozen=True)
class Entry:
    """One line of the history. `what`: a sentence; `evidence`: what says so (a provider's number, a score); `id`: of
    the row; `case_id`: where to look on."""

    at: datetime
    id: str
    what: str
    evidence: str = ""
    tone: Tone = "plain"
    programme: str | None = None
    who: str = ""
    case_id: str | None = None


@dataclass(frozen=True)
class Source:
    """Entries of one table: one row, one entry. `rights`: who reads it, within the programme."""

    name: str
    entries: Callable[[Sight, Window], list[Entry]]
    rights: tuple[Right, ...] = (Right.SUPPORT,)


@dataclass(frozen=True)
class Offer:
    """Something that can be done now, about `target`. `about`: the row in words; `now`: how it stands. `programme`:
    whose staff may do so; None: it is about the person, and anybody's who may see them."""

    target: str
    about: str
    now: str = ""
    programme: str | None = None


@dataclass(frozen=True)
class Plea:
    """What somebody of the staff asks for, about `offer`; `said`: the form's further fields, trimmed."""

    person_id: str
    programme: str
    offer: Offer
    reason: Reason | None
    note: str
    said: Mapping[str, str]
    staff: Staff
    now: datetime

    @property
    def words(self) -> str:
        """Reason and note, as the audit log keeps them."""
        return "：".join(part for part in (self.reason.text if self.reason else "", self.note) if part)


@dataclass(frozen=True)
class Said:
    """A field that the form asks for. `kind`: the HTML type."""

    name: str
    label: str
    hint: str = ""
    most: int = 64
    needed: bool = True
    kind: Literal["text", "tel"] = "text"


@dataclass(frozen=True)
class Help:
    """One thing that support can do: a verb of its domain. `offers`: about what, at this moment. `do`: gives what the
    staff read; what it raises changes nothing. `note`: what it wants in the staff's own words (None: nothing).
    `told`: what the person is told, in words. `second_look`: it is only asked for, and a second person agrees (a
    case). `outside`: it opens its own transactions: it asks a provider, or writes down a refusal."""

    key: str
    label: str
    offers: Callable[[Sight, datetime], list[Offer]]
    do: Callable[[Plea], str]
    right: Right = Right.SUPPORT
    reasons: tuple[Reason, ...] = ()
    note: str | None = None
    asks: tuple[Said, ...] = ()
    told: str = ""
    second_look: bool = False
    outside: bool = False


@dataclass(frozen=True)
class Finder:
    """One way to find people. `find(text, programmes, limit)` gives ids of persons; what it does not understand
    finds nobody."""

    title: str
    find: Callable[[str, Collection[str] | None, int], list[str]]


@dataclass(frozen=True)
class PersonPage:
    """What a domain adds. `facts`: how the person stands, in a line each. `subjects`: what the audit log calls the
    person's rows, and what they are in words; `subjects_for`: who reads those. `words`: its actions in the audit
    log; those in `silent` stand in another entry already."""

    domain: str
    sources: tuple[Source, ...] = ()
    facts: Callable[[Sight, datetime], list[Fact]] | None = None
    subjects: Callable[[Sight], dict[str, str]] | None = None
    subjects_for: tuple[Right, ...] = (Right.SUPPORT,)
    helps: tuple[Help, ...] = ()
    finders: tuple[Finder, ...] = ()
    words: Mapping[str, str] = field(default_factory=dict)
    silent: tuple[str, ...] = ()


_pages: dict[str, PersonPage] = {}


def describe(page: PersonPage) -> None:
    """Called once a domain, when a process starts."""
    _pages[page.domain] = page


def every() -> list[PersonPage]:
    """What the domains have described, in their order."""
    return list(_pages.values())


def help_of(key: str) -> Help | None:
    """What support can do under this key."""
    return next((one for page in every() for one in page.helps if one.key == key), None)


def seen_by(staff: Staff, rights: Collection[Right]) -> frozenset[str] | None:
    """In which programmes they have one of these rights; None: in all."""
    found = frozenset().union(*(staff.programmes(right) for right in rights))
    return None if EVERYWHERE in found else found
