"""The command line of the product: `python -m ops.manage --help`. Each command calls one service."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

from app import wiring
from app.cases import service as cases
from app.certificate.audit import audit_proofs
from app.core import canaries, db, migrate, outbox
from app.core.clock import iso, utcnow
from app.core.errors import Problem
from app.core.sheet import SheetRefused, write_report
from app.enrol import service as enrol
from app.exam.audit import audit_attempts
from app.exam.bank import service as bank
from app.invoice import decisions as invoice_decisions
from app.invoice.audit import audit_invoices
from app.pay.audit import audit_payments
from app.policy import load as programmes
from app.policy.days import shanghai_day
from app.study.audit import audit_progress
from config.settings import load
from ops import keys, members, payments, questions, rosters, support, transfers


def show_progress(done: int, total: int) -> None:
    """One line on the screen that counts up; when standard error is a file, only its last state."""
    last = done >= total
    if sys.stderr.isatty() or last:
        print(f"\r  {done}/{total}", end="\n" if last else "", file=sys.stderr, flush=True)


def import_roster(options: argparse.Namespace) -> int:
    """Import a roster; with errors nothing is imported, they are listed in a report beside the file, or as JSON."""
    result = enrol.import_roster(
        options.file, options.programme, actor=options.actor, now=utcnow(), progress=show_progress
    )
    if options.json:
        print(json.dumps([asdict(error) for error in result.errors], ensure_ascii=False, indent=1))
        return 1 if result.errors else 0
    for error in result.errors[:20]:
        print(f"第 {error.row} 行 {error.column}：{error.message}", file=sys.stderr)
    if result.errors:
        report = options.report or options.file.with_name(f"{options.file.stem}-错误.xlsx")
        write_report(report, result.table, result.errors)
        print(f"没有导入：{len(result.errors)} 处错误，全部列在 {report}", file=sys.stderr)
        return 1
    print(f"共 {result.rows} 行：新增 {result.added}，更新 {result.changed}，未变 {result.unchanged}")
    return 0


def make_roster(options: argparse.Namespace) -> int:
    """Write a roster of made-up people."""
    programme = programmes.in_force(options.programme, utcnow())
    today = shanghai_day(utcnow())
    rosters.write(options.file, list(rosters.people(programme, options.rows, today=today, seed=options.seed)))
    print(f"{options.file}: {options.rows} rows")
    return 0


def import_questions(options: argparse.Namespace) -> int:
    """Import a question bank; with errors nothing is imported."""
    try:
        result = bank.import_questions(
            options.file, options.programme, actor=options.actor, now=utcnow(), replace=options.replace
        )
    except SheetRefused as refused:
        print(refused.sentence, file=sys.stderr)
        return 1
    except Problem as problem:
        print(problem.detail, file=sys.stderr)
        return 1
    for error in result.errors:
        print(f"第 {error.row} 行 {error.column}：{error.message}", file=sys.stderr)
    if result.errors:
        print(f"没有导入：{len(result.errors)} 处错误", file=sys.stderr)
        return 1
    changes = f"新增 {result.added}，更新 {result.changed}，未变 {result.unchanged}，停用 {result.retired}"
    print(f"题库：{changes}")
    for subject, missing in result.short.items():
        print(f"科目 {subject} 还不够组一份试卷，缺：{missing}", file=sys.stderr)
    return 0


def make_questions(options: argparse.Namespace) -> int:
    """Write the demonstration question bank."""
    rows = questions.write(options.file, programmes.in_force(options.programme, utcnow()))
    print(f"{options.file}: {rows} rows")
    return 0


def migrate_up(options: argparse.Namespace) -> int:
    """Apply the migrations that this database has not seen; what takes something away only if that is asked for, or
    if there is nothing yet."""
    for name in migrate.up(contract=options.contract or not db.database.get_tables()):
        print(name)
    canaries.check(load().secrets, now=utcnow())
    for name in migrate.pending():
        print(f"{name} waits: run migrate --contract when no process of the version before runs any more")
    return 0


def make_migration(options: argparse.Namespace) -> int:
    """Write the migration from the migrations so far to the models, on an empty database in memory."""
    db.connect("sqlite:///:memory:")
    with db.connection():
        migrate.up()
        print(migrate.write(options.name, wiring.models()) or "the migrations and the models agree")
    return 0


def a_file(text: str) -> Path:
    """The path of a file that is there."""
    path = Path(text)
    if not path.is_file():
        raise argparse.ArgumentTypeError(f"{text}: no such file")
    return path


def audit(_options: argparse.Namespace) -> int:
    """Check the invariants of money, invoices, learning, exams and proofs over the whole database."""
    found = [*audit_payments(), *audit_invoices(), *audit_progress(), *audit_attempts(), *audit_proofs()]
    for text in found:
        print(text)
    print(f"{len(found)} violations", file=sys.stderr)
    return 1 if found else 0


def revive(options: argparse.Namespace) -> int:
    """Make the dead messages of the outbox due again; cron delivers them."""
    print(f"{outbox.revive(actor=options.actor, now=utcnow())} messages are due again")
    return 0


def list_cases(options: argparse.Namespace) -> int:
    """List the open cases, the oldest first."""
    for case in cases.open_cases(options.kind):
        print(f"{case.id}  {iso(case.filed_at)}  {case.kind}  {case.subject}  {case.facts}")
    return 0


def decide_case(options: argparse.Namespace) -> int:
    """Close one case."""
    fresh = cases.decide(options.case_id, options.decision, actor=options.actor, now=utcnow())
    print("decided" if fresh else "was decided so before")
    return 0


def invoice_decide(options: argparse.Namespace) -> int:
    """Do `options.verb` with an invoice."""
    verb = INVOICE_VERBS[options.verb][0]
    verb(options.invoice, reason=options.reason, actor=options.actor, now=utcnow())
    return 0


INVOICE_VERBS = {
    "invoice-hold": (invoice_decisions.hold, "keep an invoice back that was not sent yet"),
    "invoice-release": (invoice_decisions.release, "the money was checked: a held invoice goes on"),
    "invoice-retry": (invoice_decisions.retry, "ask the vendor again for a refused invoice, under its number"),
    "invoice-accept": (invoice_decisions.accept, "take as it is what the vendor issued and we did not ask for"),
}


def parser() -> argparse.ArgumentParser:
    """All commands and their arguments."""
    top = argparse.ArgumentParser(prog="python -m ops.manage", description=__doc__)
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    command = commands.add_parser("migrate", help="bring the database up to date")
    command.add_argument("--contract", action="store_true", help="also take away what only the version before reads")
    command.set_defaults(run=migrate_up)

    command = commands.add_parser("audit", help="check the invariants over the whole database")
    command.set_defaults(run=audit)

    command = commands.add_parser("revive", help="deliver again the outbox messages that were given up")
    support.say_who(command)
    command.set_defaults(run=revive)

    command = commands.add_parser("cases", help="list what waits for a person's decision")
    command.add_argument("--kind", help="of this kind only")
    command.set_defaults(run=list_cases)

    command = commands.add_parser("decide-case", help="write down the decision of a case, which closes it")
    command.add_argument("case_id", metavar="ID")
    command.add_argument("--decision", required=True, help="what was decided, in words")
    support.say_who(command)
    command.set_defaults(run=decide_case)

    for verb, (_, text) in INVOICE_VERBS.items():
        command = commands.add_parser(verb, help=text)
        command.add_argument("invoice", help="the invoice, as its case names it")
        command.add_argument("--reason", required=True, help="why; kept in the audit log")
        support.say_who(command)
        command.set_defaults(run=invoice_decide, verb=verb)

    payments.add_commands(commands)
    transfers.add_commands(commands)
    support.add_commands(commands)
    keys.add_commands(commands)
    members.add_commands(commands)

    command = commands.add_parser("make-migration", help="write a migration from the models")
    command.add_argument("name")
    command.set_defaults(run=make_migration)

    command = commands.add_parser("import-roster", help="import the regulator's roster (xlsx)")
    command.add_argument("file", type=a_file)
    command.add_argument("--programme", required=True)
    command.add_argument("--report", type=Path, help="where to list errors (default: beside the file)")
    command.add_argument("--json", action="store_true", help="list the errors as JSON instead")
    support.say_who(command)
    command.set_defaults(run=import_roster)

    command = commands.add_parser("make-roster", help="write a roster of made-up people (xlsx)")
    command.add_argument("file", type=Path)
    command.add_argument("--programme", required=True)
    command.add_argument("--rows", type=int, default=20)
    command.add_argument("--seed", type=int, default=1)
    command.set_defaults(run=make_roster)

    command = commands.add_parser("import-questions", help="import a question bank (xlsx)")
    command.add_argument("file", type=Path)
    command.add_argument("--programme", required=True)
    command.add_argument("--replace", action="store_true", help="retire what the file does not hold")
    support.say_who(command)
    command.set_defaults(run=import_questions)

    command = commands.add_parser("make-questions", help="write the demonstration question bank (xlsx)")
    command.add_argument("file", type=Path)
    command.add_argument("--programme", required=True)
    command.set_defaults(run=make_questions)
    return top


def main(arguments: list[str] | None = None) -> int:
    """Run one command; gives the exit status."""
    options = parser().parse_args(arguments)
    wiring.start(load())
    try:
        with db.connection():
            status: int = db.unit(lambda: options.run(options))
    except (Problem, SheetRefused) as refused:
        print(refused.detail if isinstance(refused, Problem) else refused.sentence, file=sys.stderr)
        return 1
    except programmes.UnknownProgramme as unknown:
        print(f"no such programme: {unknown}", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
