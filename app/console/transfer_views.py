"""Finance's page of bank transfers: the orders that wait, the statement shown and taken in, the lines by state."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory

from flask import Response, request

from app.cases import service as cases
from app.console import words
from app.console.pages import accounts_of, blueprint, go, page
from app.core.access import Role, access, request_now, staff
from app.core.clock import day_of
from app.core.errors import NOT_FOUND, Problem
from app.core.money import yuan
from app.core.sheet import SheetRefused
from app.core.staff import Right
from app.pay.errors import STATEMENT_DAYS, STATEMENT_REFUSED
from app.pay.transfers import codes, ledger, matching, outgoing, queries, service
from app.pay.transfers.bank import newly_told
from app.pay.transfers.models import Statement, StatementLine
from app.pay.transfers.statement import MAX_FILE
from app.pay.transfers.status import LineStatus, StatementStatus
from app.pay.transfers.words import FINDINGS, GONE, LINES, OUTGOING, STATEMENTS, days_words
from app.policy import load as policy

FINANCE = (Right.FINANCE,)
MAX_BODY = MAX_FILE + 64 * 1024
SHOWN = (LineStatus.OPEN, LineStatus.HELD, LineStatus.SETTLED, LineStatus.RETURNED, LineStatus.ASIDE, LineStatus.NEW)
HOME = "/console/transfers"
FORMATS = ("xlsx", "csv", "txt")  # that banks give, and the page offers

blueprint.add_app_template_filter(yuan, "yuan")
blueprint.add_app_template_filter(words.payer, "payer")
blueprint.add_app_template_filter(codes.shown, "code")


def _programmes() -> set[str]:
    who = staff().staff
    return {one.key for one in policy.open_programmes() if who.may(Right.FINANCE, one.key)}


def _overview(status: int = 200, text: str | None = None) -> Response:
    mine, state = _programmes(), request.args.get("state", LineStatus.OPEN.value)
    if state not in SHOWN:
        raise NOT_FOUND()
    rows = queries.in_state(mine, state)
    return page(
        "transfers.html",
        status,
        text=text,
        formats=FORMATS,
        accounts=accounts_of(staff().staff),
        waiting=queries.waiting(mine),
        statements=queries.statements(mine),
        counts=queries.counts(mine),
        states=SHOWN,
        state=state,
        rows=rows,
        codes=queries.codes_of({row.attempt_id for row in rows if row.attempt_id}),
        cases=_waiting_cases(state, rows),
        due=queries.count_due(mine),
        went=queries.outgoing_open(mine),
        lines=LINES,
        findings=FINDINGS,
        statement_states=STATEMENTS,
        now=request_now(),
    )


def _waiting_cases(state: str, rows: list[StatementLine]) -> dict[str, str]:
    """The cases of lines whose rest is waited for, by the line: they stand in no queue."""
    if state != LineStatus.HELD:
        return {}
    found = cases.open_about(ledger.SHORT, [f"line:{row.id}" for row in rows])
    return {subject.removeprefix("line:"): case_id for subject, case_id in found.items()}


@blueprint.get("/transfers")
@access(Role.STAFF, rights=FINANCE)
def transfers() -> Response:
    """What waits for a transfer, and what became of those that came."""
    return _overview()


@blueprint.post("/transfers")
@access(Role.STAFF, rights=FINANCE, max_body=MAX_BODY)
def upload_statement() -> Response:
    """A statement of one of my accounts: shown first, nothing counts yet."""
    number, file = request.form.get("account", ""), request.files.get("file")
    account = next((one for one in accounts_of(staff().staff) if one.number == number), None)
    if account is None or file is None:
        return _overview(STATEMENT_REFUSED.status, "请选择收款账户和对账单文件。")
    try:
        with TemporaryDirectory(prefix="statement-") as directory:
            path = Path(directory) / "statement.xlsx"  # what it is, its first bytes tell
            file.save(path)
            row = service.show(path, account, actor=staff().staff.actor, now=request_now())
    except SheetRefused as refused:
        return _overview(STATEMENT_REFUSED.status, refused.sentence)
    return go(f"{HOME}/statements/{row.id}")


@dataclass(frozen=True)
class Typed:
    """The days that a clerk says a statement tells of."""

    first: date
    last: date
    over: bool

    @property
    def mark(self) -> str:
        """Which days a page shows: its form carries this, and takes in no others unseen."""
        return f"{self.first}/{self.last}/{self.over:d}"

    def newly(self, row: Statement) -> list[date]:
        """The days that would count as told and did not before. Raises as `service.tells_of`."""
        return newly_told(row, self.first, service.tells_of(row, self.first, self.last, last_day_over=self.over))


def _unseen(row: Statement, typed: Typed) -> bool:
    """Whether days would count of which the file has no line and no page has told: they may be a slip."""
    beyond = any(not row.first_day <= day.isoformat() <= row.last_day for day in typed.newly(row))
    return beyond and request.form.get("seen") != typed.mark


def _newly(row: Statement, typed: Typed | None) -> str:
    """What a draft would newly tell of; of the file's own days until others are typed."""
    if typed is not None:
        return days_words(typed.newly(row))
    return days_words(newly_told(row, date.fromisoformat(row.first_day), date.fromisoformat(row.last_day)))


def _statement(row: Statement, status: int = 200, text: str | None = None, typed: Typed | None = None) -> Response:
    rows, draft = queries.lines(row.id), row.status == StatementStatus.DRAFT
    said = {line.id: FINDINGS.get(line.finding or "", "") for line in rows}
    if draft:
        found = matching.foresee(rows)
        said = {key: LINES["repeated"] if finding is None else FINDINGS[finding] for key, finding in found.items()}
    went = queries.outgoing(row.id)
    gone = {line.id: GONE.get(line.finding or "", "") for line in went}
    if draft:
        seen = outgoing.foresee(went)
        gone = {key: OUTGOING["repeated"] if finding is None else GONE[finding] for key, finding in seen.items()}
    return page(
        "statement.html",
        status,
        row=row,
        rows=rows,
        said=said,
        text=text,
        draft=draft,
        typed=typed,
        newly=_newly(row, typed) if draft else "",
        missing=queries.days_missing(row) if draft else None,
        total=queries.total_fen(row.id),
        lines=LINES,
        states=STATEMENTS,
        went=went,
        gone=gone,
        went_total=queries.outgoing_total(row.id),
        outgoing=OUTGOING,
    )


@blueprint.get("/transfers/statements/<statement_id>")
@access(Role.STAFF, rights=FINANCE)
def statement(statement_id: str) -> Response:
    """One statement: what would become of each line, or what became of it."""
    return _statement(queries.statement(statement_id, _programmes()))


@blueprint.post("/transfers/statements/<statement_id>/confirm")
@access(Role.STAFF, rights=FINANCE)
def confirm_statement(statement_id: str) -> Response:
    """Take it in."""
    row = queries.statement(statement_id, _programmes())
    try:
        days = [day_of(request.form.get(name, "")) for name in ("first_day", "last_day")]
    except ValueError:
        return _statement(row, STATEMENT_DAYS.status, STATEMENT_DAYS.sentence)
    try:
        typed = Typed(days[0], days[1], request.form.get("last_day_over") == "1")
        if row.status == StatementStatus.DRAFT and _unseen(row, typed):
            return _statement(row, typed=typed)
        actor = staff().staff.actor
        service.confirm(row.id, typed.first, typed.last, last_day_over=typed.over, actor=actor, now=request_now())
    except Problem as problem:
        return _statement(row, problem.kind.status, problem.detail)
    return go(f"{HOME}/statements/{row.id}")


@blueprint.post("/transfers/statements/<statement_id>/discard")
@access(Role.STAFF, rights=FINANCE)
def discard_statement(statement_id: str) -> Response:
    """Throw away what was only shown."""
    row = queries.statement(statement_id, _programmes())
    service.discard(row.id, actor=staff().staff.actor, now=request_now())
    return go(HOME)
