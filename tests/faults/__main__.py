"""`make faults [GROUP=…] [DATABASE=…]`: breaks things, checks the invariants, writes build/faults.json. Exit status 1
if an invariant was violated, or a twin (the same with its guard off) did not fail."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from app.core import db
from app.pay.audit import audit_payments
from tests.faults import (
    bills,
    bodies,
    crowd,
    data,
    exams,
    films,
    forms,
    heartbeats,
    invoices,
    jobs,
    kill,
    login,
    money,
    names,
    orders,
    payers,
    payments,
    providers,
    report,
    staff,
    trades,
    wechat,
)
from tests.world import SERVERS, World, build


@dataclass(frozen=True)
class Scenario:
    """`run(world, tries)` gives the number of violations; `twin(world)` is True if it failed without its guard."""

    id: str
    tries: int
    run: Callable[[World, int], int]
    twin: Callable[[World], bool]


A4 = Scenario("A4", 1, bodies.a4, bodies.a4_twin)  # of trainees' requests, and told with the staff's
SCENARIOS: dict[str, tuple[Scenario, ...]] = {
    "payments": (
        Scenario("P1", 100, payments.p1, payments.p1_twin),
        Scenario("P2", 30, trades.p2, trades.p2_twin),
        Scenario("P2 order", 60, orders.p2, orders.p2_twin),
        Scenario("P3", 1, payments.p3, payments.p3_twin),
        Scenario("P3-alipay", 1, forms.p3, forms.p3_twin),
        Scenario("P3-unionpay", 1, forms.p3_unionpay, forms.p3_unionpay_twin),
        Scenario("P4", 1, money.p4, money.p4_twin),
        Scenario("P5", 10, payments.p5, payments.p5_twin),
        Scenario("P6", 20, money.p6, money.p6_twin),
        Scenario("P7", 5, money.p7, money.p7_twin),
        Scenario("P7 bill", 2, bills.p7_bill, bills.p7_bill_twin),
        Scenario("P8", 1, money.p8, money.p8_twin),
        Scenario("P9", 50, payments.p9, payments.p9_twin),
        Scenario("P10", 20, payers.p10, payers.p10_twin),
        Scenario("P11", 20, money.p11, money.p11_twin),
        Scenario("P12", 1, payments.p12, payments.p12_twin),
        Scenario("P13", 2000, crowd.p13, crowd.p13_twin),
        Scenario("P14", 30, payers.p14, payers.p14_twin),
    ),
    "heartbeats": (
        Scenario("H1", 1000, heartbeats.h1, heartbeats.h1_twin),
        Scenario("H3", 1000, heartbeats.h3, heartbeats.h3_twin),
    ),
    "jobs": (
        Scenario("J1", 10, jobs.j1, jobs.j1_twin),
        Scenario("J1 invoice", 5, invoices.j1, invoices.j1_twin),
        Scenario("J2", 200, jobs.j2, jobs.j2_twin),
        Scenario("J3", 20, jobs.j3, jobs.j3_twin),
        Scenario("J4", 5, jobs.j4, jobs.j4_twin),
    ),
    "exams": (Scenario("E1", 10, exams.e1, exams.e1_twin),),
    "login": (
        Scenario("L1", 10_000, login.l1, login.l1_twin),
        Scenario("L2", 50, login.l2, login.l2_twin),
        Scenario("L3", 50, login.l3, login.l3_twin),
        Scenario("L4", 10, wechat.l4, wechat.l4_twin),
        Scenario("L5", 20, login.l5, login.l5_twin),
        Scenario("L6", 20, wechat.l6, wechat.l6_twin),
        Scenario("L7", 1, login.l7, login.l7_twin),
    ),
    "data": (
        Scenario("D1", 1, data.d1, data.d1_twin),
        Scenario("D2", 10, data.d2, data.d2_twin),
        A4,
    ),
    "staff": (
        Scenario("A1", 1, staff.a1, staff.a1_twin),
        Scenario("A2", 1, staff.a2, staff.a2_twin),
        Scenario("A3", len(names.NAMES), names.a3, names.a3_twin),
        A4,
        Scenario("A5", 1, staff.a5, staff.a5_twin),
    ),
}
GROUPS = (*SCENARIOS, "providers", "kill", "films")  # the last ones walk whole journeys


def say(text: str) -> None:
    print(text, flush=True)


def run_scenarios(group: str, database: str) -> list[report.Row]:
    """Every scenario of a group, each in an empty world over `database`."""
    rows = []
    server = SERVERS[database]
    with (
        tempfile.TemporaryDirectory(prefix="faults-") as directory,
        build(Path(directory), server, durable=True) as world,
    ):
        for scenario in SCENARIOS[group]:
            began = time.monotonic()
            with db.connection():
                violations = scenario.run(world, scenario.tries)
                if group == "payments":  # whatever each of them looks at: the books are right as a whole
                    violations += whole_books(scenario.id)
            world.clear()
            with db.connection():
                twin = scenario.twin(world)
            world.clear()
            row = report.Row(
                scenario.id, database, scenario.tries, violations, twin, round(time.monotonic() - began, 1)
            )
            say(row.line())
            rows.append(row)
    return rows


def whole_books(name: str) -> int:
    """Violations that `audit_payments()` finds over the whole database, as a scenario leaves it."""
    found = audit_payments()
    for text in found:
        say(f"  {name}: {text}")
    return len(found)


def run_kills(database: str) -> list[report.Row]:
    """The five journeys; a row each."""
    with tempfile.TemporaryDirectory(prefix="kill-") as directory:
        return [_told(outcome, database) for outcome in kill.run(Path(directory), SERVERS[database], say)]


def run_films(database: str) -> list[report.Row]:
    """The films' worker, of which no journey knows."""
    with tempfile.TemporaryDirectory(prefix="films-") as directory:
        return [_told(films.run_one(Path(directory) / films.TARGET, SERVERS[database], say), database)]


def _told(outcome: kill.Outcome, database: str) -> report.Row:
    for wrong in outcome.wrong:
        say(f"  {outcome.target}: {wrong}")
    row = report.Row(
        f"KILL-{outcome.target}", database, outcome.kills, len(outcome.wrong), None, round(outcome.seconds, 1)
    )
    say(row.line())
    return row


def run_troubles(database: str) -> list[report.Row]:
    """The journeys among providers in trouble; a row each."""
    with tempfile.TemporaryDirectory(prefix="trouble-") as directory:
        rows = providers.run(Path(directory), database, SERVERS[database], say)
    for row in rows:
        say(row.line())
    return rows


WALKS = {"providers": run_troubles, "kill": run_kills, "films": run_films}


def main() -> None:
    """Run one group, the short ones, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", nargs="?", choices=(*GROUPS, "short"), help="short: those that walk no journey")
    parser.add_argument("--database", choices=SERVERS, default="sqlite")
    options = parser.parse_args()
    chosen, database = options.group, options.database
    rows: list[report.Row] = []
    for group in {None: GROUPS, "short": tuple(SCENARIOS)}.get(chosen, (chosen,)):
        say(f"--- {group} on {database}")
        rows += WALKS[group](database) if group in WALKS else run_scenarios(group, database)
        report.write(rows)
    bad = [f"{row.id} on {row.database}" for row in rows if not row.good]
    say(f"{len(rows)} experiments, {len(bad)} bad{': ' + ', '.join(bad) if bad else ''}; see build/faults.json")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
