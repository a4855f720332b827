"""What the cases add to a person's page: what waits for a decision about them, and what was decided."""

from __future__ import annotations

from app.account.person_pages import HISTORY, Entry, PersonPage, Sight, Source, Window
from app.cases import kinds, queries
from app.cases.models import Case

STATES = {"open": "等待处理", "second_look": "等待复核", "waiting": "已办理，等待结果", "decided": "已办结"}


def entries(sight: Sight, window: Window) -> list[Entry]:
    """The cases about the person that somebody may see."""
    theirs = queries.theirs(sight.staff)
    if theirs is None:
        return []
    query = Case.select().where(sight.mine(Case.person_id), theirs)
    found = []
    for row in window.of(query, Case.filed_at, Case.id):
        kind = kinds.of(row.kind)
        found.append(
            Entry(
                row.filed_at,
                row.id,
                f"进入队列：{kind.title if kind else row.kind}",
                evidence=STATES.get(row.status, row.status),  # what was decided stands where it was decided
                tone="plain" if row.status == "decided" else "bad",
                programme=row.programme,
                who="系统",
                case_id=row.id,
            )
        )
    return found


def decided(sight: Sight, window: Window) -> list[Entry]:
    """What was decided about them, each where it was decided, by staff or by the system."""
    theirs = queries.theirs(sight.staff)
    if theirs is None:
        return []
    query = Case.select().where(sight.mine(Case.person_id), theirs, Case.status == "decided")
    found = []
    for row in window.of(query, Case.decided_at, Case.id):
        kind = kinds.of(row.kind)
        found.append(
            Entry(
                row.decided_at,
                row.id,
                f"作出决定：{kind.title if kind else row.kind}",
                evidence=_words(kind, row.decision or ""),
                programme=row.programme,
                who=row.decided_by or "",
                case_id=row.id,
            )
        )
    return found


def _words(kind: kinds.Kind | None, decision: str) -> str:
    """What was decided; without the words to the person, which stand in an entry of their own."""
    written = (one.label for one in kind.decisions if one.note_told) if kind else ()
    return next((label for label in written if decision.startswith(label)), decision)


def subjects(sight: Sight) -> dict[str, str]:
    """Those cases."""
    theirs = queries.theirs(sight.staff)
    if theirs is None:
        return {}
    rows = Case.select(Case.id, Case.kind).where(sight.mine(Case.person_id), theirs)
    latest = rows.order_by(Case.filed_at.desc()).limit(100).tuples()
    titles = {kind.name: kind.title for kind in kinds.every()}
    return {f"case:{row_id}": titles.get(kind, kind) for row_id, kind in latest}


PAGE = PersonPage(
    domain="cases",
    sources=(Source("cases", entries, rights=HISTORY), Source("decisions", decided, rights=HISTORY)),
    subjects=subjects,
    subjects_for=HISTORY,
    words={
        "case.proposed": "提出决定，等待复核",
        "case.sent_back": "复核未同意，退回重办",
    },
    silent=("case.claimed", "case.released", "case.decided"),
)
