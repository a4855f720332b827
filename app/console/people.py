"""One person as they lie on the desk: how they stand, what can be done for them, and everything that happened, put
together from what the domains describe (`app/account/person_pages.py`)."""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial

from app.account import person_pages
from app.account import service as account
from app.account.models import Person
from app.account.person_pages import HISTORY, Entry, Help, Offer, Plea, Sight, Source, Window, seen_by
from app.console import words
from app.console.errors import HELP_NOTE, HELP_OVER, HELP_REASON, HELP_WORDS
from app.core import audit
from app.core.crypto import mask_id_number, mask_name, mask_phone
from app.core.db import transaction
from app.core.errors import BAD_REQUEST, NOT_FOUND
from app.core.staff import EVERYWHERE, Fact, Right, Staff
from app.enrol import queries as enrolments
from app.staff import service as staff_service

FOUND = 50  # people that a search shows
LINES = 30  # of the history, on one page
AUDIT = "audit"
NOTE = (2, 200)  # characters


@dataclass(frozen=True)
class Card:
    """A person in the list of those who were found; masked."""

    id: str
    name: str
    id_number: str
    phone: str
    programmes: tuple[str, ...]


@dataclass(frozen=True)
class Found:
    """What a search found, by which key (its titles); `more`: there are others."""

    cards: list[Card]
    by: list[str]
    more: bool


@dataclass(frozen=True)
class Button:
    """Something that can be done now."""

    help: Help
    offer: Offer
    programme: str


@dataclass(frozen=True)
class History:
    """A page of the history; `further`: the cursor of the next one, or None."""

    entries: list[Entry]
    further: str | None


@dataclass(frozen=True)
class Portrait:
    """Everything on a person's page."""

    card: Card
    facts: list[Fact]
    buttons: list[Button]
    history: History
    unmasks: tuple[str, ...]
    also: int


# --- finding -----------------------------------------------------------------------------------------------------


def search(staff: Staff, text: str) -> Found:
    """The people that the text names exactly, of those whom this one of the staff may see."""
    programmes, text = seen_by(staff, HISTORY), " ".join(text.split())
    by, ids = [], dict[str, None]()
    if not 2 <= len(text) <= 64:
        return Found([], [], more=False)
    for page in person_pages.every():
        for finder in page.finders:
            found = finder.find(text, programmes, 2 * FOUND)
            if found:
                by.append(finder.title)
                ids |= dict.fromkeys(found)
    rosters = enrolments.rosters_of(list(ids), programmes)
    seen = [person_id for person_id in ids if person_id in rosters or programmes is None]
    rows = {row.id: row for row in Person.select().where(Person.id.in_(seen[:FOUND]))} if seen else {}
    cards = [_card(rows[person_id], rosters.get(person_id, set())) for person_id in seen[:FOUND]]
    return Found(cards, by if seen else [], more=len(seen) > FOUND)


def _card(person: Person, programmes: set[str]) -> Card:
    return Card(
        person.id,
        mask_name(person.name) or "",
        mask_id_number(person.id_number) or "",
        mask_phone(person.phone) or "没有手机号",
        tuple(sorted(programmes)),
    )


@dataclass(frozen=True)
class Seen:
    """A person whom one of the staff may see, and where: on whose rosters they stand."""

    person: Person
    ids: tuple[str, ...]
    programmes: frozenset[str]
    _sights: dict[frozenset[str] | None, Sight] = field(default_factory=dict, compare=False, repr=False)

    def sight(self, staff: Staff, source: Source | Help) -> Sight | None:
        """What they see of the person for this; None: nothing."""
        rights = source.rights if isinstance(source, Source) else (source.right,)
        seen = seen_by(staff, rights)
        if seen is not None and not seen & self.programmes:
            return None
        return self._sights.setdefault(seen, Sight(self.ids, seen, staff))


def look_at(staff: Staff, person_id: str) -> Seen:
    """The person, or who they were merged into. Raises `not_found` for whom they may not see, as for nobody."""
    person = account.get_person(person_id)
    if person.merged_into is not None:
        person = account.get_person(person.merged_into)
    ids = (person.id, *account.merged(person.id))
    allowed = seen_by(staff, HISTORY)
    found = enrolments.rosters_of(ids, None)
    programmes = frozenset().union(*found.values()) if found else frozenset()
    if allowed is not None and not allowed & programmes:
        raise NOT_FOUND()
    return Seen(person, ids, programmes)


def card_of(staff: Staff, seen: Seen) -> Card:
    """The person, masked, and the programmes that both belong to."""
    mine = seen_by(staff, HISTORY)
    return _card(seen.person, set(seen.programmes if mine is None else seen.programmes & mine))


# --- the page ----------------------------------------------------------------------------------------------------


def portrait(staff: Staff, seen: Seen, *, now: datetime) -> Portrait:
    """The whole page of a person."""
    card = card_of(staff, seen)
    return Portrait(
        card=card,
        facts=_facts(staff, seen, now),
        buttons=buttons(staff, seen, now=now),
        history=history(staff, seen, None, now=now),
        unmasks=tuple(key for key in card.programmes if staff.may(Right.SUPPORT, key)),
        also=len(seen.ids) - 1,
    )


def _facts(staff: Staff, seen: Seen, now: datetime) -> list[Fact]:
    sight = seen.sight(staff, Source("facts", lambda *_: []))
    if sight is None:
        return []
    return [fact for page in person_pages.every() if page.facts is not None for fact in page.facts(sight, now)]


def buttons(staff: Staff, seen: Seen, *, now: datetime) -> list[Button]:
    """What this one of the staff can do for the person now."""
    helps = [one for page in person_pages.every() for one in page.helps]
    found = [button for one in helps for button in _buttons(staff, seen, one, now)]
    return sorted(found, key=lambda button: button.help.second_look)  # what is asked for rarely comes last


def _buttons(staff: Staff, seen: Seen, help_: Help, now: datetime) -> list[Button]:
    sight = seen.sight(staff, help_)
    if sight is None:
        return []
    found = []
    for offer in help_.offers(sight, now):
        programme = offer.programme or _own(sight, seen)
        if programme is not None and staff.may(help_.right, programme):
            found.append(Button(help_, offer, programme))
    return found


def _own(sight: Sight, seen: Seen) -> str | None:
    """In which programme something is done about the person: the first of those that both belong to."""
    mine = seen.programmes if sight.programmes is None else seen.programmes & sight.programmes
    return min(mine, default=EVERYWHERE if sight.programmes is None else None)


def do(
    staff: Staff,
    person_id: str,
    key: str,
    target: str,
    *,
    reason: str,
    note: str,
    said: dict[str, str],
    now: datetime,
) -> str:
    """Do what a button says; of two at one moment one does it. Gives what the staff read. Raises `not_found`,
    `help_over` (it was done, or things have changed), `help_reason`, `help_note`, `help_words`, and what the domain's
    verb raises: nothing is done then."""
    help_, seen = person_pages.help_of(key), look_at(staff, person_id)
    if help_ is None or seen.sight(staff, help_) is None:
        raise NOT_FOUND()
    chosen = next((one for one in help_.reasons if one.key == reason), None)
    if help_.reasons and chosen is None:
        raise HELP_REASON()
    note = " ".join(note.split())
    if (help_.note is not None or note) and not NOTE[0] <= len(note) <= NOTE[1]:
        raise HELP_NOTE()
    answers = {asked.name: " ".join(said.get(f"say_{asked.name}", "").split()) for asked in help_.asks}
    for asked in help_.asks:
        if len(answers[asked.name]) > asked.most or (asked.needed and not answers[asked.name]):
            raise HELP_WORDS(f"请填写“{asked.label}”，不超过 {asked.most} 个字。")

    def plea() -> Plea:
        found = [one for one in _buttons(staff, seen, help_, now) if one.offer.target == target]
        if not found:
            raise HELP_OVER()
        return Plea(seen.person.id, found[0].programme, found[0].offer, chosen, note, answers, staff, now)

    if help_.outside:
        return help_.do(plea())
    with transaction():
        account.get_person(seen.person.id, locked=True)  # a key pressed twice: the second finds it done
        return help_.do(plea())


# --- the history -------------------------------------------------------------------------------------------------


def history(staff: Staff, seen: Seen, cursor: str | None, *, now: datetime) -> History:
    """A page of everything that happened, the latest first. `cursor`: of the page before. Raises `bad_request`."""
    sources = _sources(staff, seen)
    until, place, below = _read(cursor) if cursor else (now + timedelta(days=1), -1, "")
    pages: list[Iterator[tuple[int, Entry]]] = []
    for number, (source, sight) in enumerate(sources):
        # at the cursor's moment, sources before its own are shown already, those after it are not
        window = Window(until, number > place, below if number == place else None, LINES + 1)
        pages.append(iter([(number, entry) for entry in source.entries(sight, window)]))
    merged = heapq.merge(*pages, key=lambda one: (-one[1].at.timestamp(), one[0]))
    shown = [entry for _, entry in zip(range(LINES + 1), merged, strict=False)]
    further = None
    if len(shown) > LINES:
        number, last = shown[LINES - 1]
        further = f"{last.at.timestamp():.6f}_{number}_{last.id}"
    names = staff_service.names({entry.who for _, entry in shown})
    lines = [replace(entry, who=words.actor(entry.who, names)) for _, entry in shown[:LINES]]
    return History(lines, further)


def _read(cursor: str) -> tuple[datetime, int, str]:
    try:
        moment, number, below = cursor.split("_")
        seconds, micro = moment.split(".")
        until = datetime.fromtimestamp(int(seconds), UTC).replace(microsecond=int(micro))
        return until, int(number), below[:16]
    except (ValueError, OverflowError) as error:
        raise BAD_REQUEST() from error


def _sources(staff: Staff, seen: Seen) -> list[tuple[Source, Sight]]:
    all_ = [
        *(source for page in person_pages.every() for source in page.sources),
        Source(AUDIT, partial(_deeds, staff, seen), HISTORY),
    ]
    found = [(source, seen.sight(staff, source)) for source in all_]
    return [(source, sight) for source, sight in found if sight is not None]


def _deeds(staff: Staff, seen: Seen, _sight: Sight, window: Window) -> list[Entry]:
    """What the audit log says of the person and their rows: of each domain what these staff may read there, in the
    programmes of that right."""
    subjects: dict[str, str] = {}
    groups: dict[frozenset[str] | None, list[str]] = {}
    for page in person_pages.every():
        theirs = seen.sight(staff, Source(AUDIT, lambda *_: [], page.subjects_for))
        if page.subjects is not None and theirs is not None:
            found = page.subjects(theirs)
            subjects |= found
            groups.setdefault(theirs.programmes, []).extend(found)
    told = {action: text for page in person_pages.every() for action, text in page.words.items()}
    silent = [action for page in person_pages.every() for action in page.silent]
    older = window.older(audit.AuditEntry.at, audit.AuditEntry.id)
    lines = [
        line
        for programmes, some in groups.items()
        for line in audit.about(some, limit=window.limit, programmes=programmes, older=older, without=silent)
    ]
    lines = sorted(lines, key=lambda line: (line.at, line.id), reverse=True)[: window.limit]
    return [
        Entry(
            line.at,
            line.id,
            told.get(line.action, line.action) + (f"：{subjects[line.subject]}" if subjects[line.subject] else ""),
            evidence=words.why(line.data),
            programme=str(line.data["programme"]) if line.data.get("programme") else None,
            who=line.actor,
            case_id=line.subject.removeprefix("case:") if line.subject.startswith("case:") else None,
        )
        for line in lines
    ]
