"""CPU of one payment notification, from the platform's letter to the paid order: verified, kept and answered by the
server; applied afterwards, which asks the platform and pays the order. Both beside the empty view, in one run."""

from __future__ import annotations

import time
from statistics import median

from app.core import inbox
from app.core.clock import utcnow
from app.core.inbox import InboxMessage
from bench.load import cpu_seconds, drive, request
from bench.results import Result
from bench.rows import EMPTY, people
from bench.web import a_server, a_world, server_argv
from ops.stack import free_pair
from tests.pay.till import CALLBACK, Sale, a_sale, letter, lose_letters, scan, show_code
from tests.world import World

ROUNDS, WARM, COUNT = 8, 1, 40
ANSWERED, APPLIED = "payment notification: verified, kept, answered", "payment notification: applied"


def letters(world: World, count: int) -> tuple[list[Sale], list[bytes]]:
    """Orders that were paid at the platform this moment, and its letter about each."""
    sales, found = [], []
    for _ in range(count):
        sale = a_sale()
        scan(world, show_code(sale))
        headers, body = letter(world, sale.attempt.out_trade_no)
        found.append(
            request("POST", CALLBACK, body, headers=[f"{k}: {v}" for k, v in headers.items() if k != "Content-Type"])
        )
        sales.append(sale)
    return sales, found


def applied(sales: list[Sale]) -> float:
    """Apply what waits in the inbox: CPU seconds of this thread, the sandbox's (in others) left out. Raises
    `SystemExit` if an order is not paid then: nothing is measured that was not done."""
    ids = [
        row_id for (row_id,) in InboxMessage.select(InboxMessage.id).where(InboxMessage.status == "pending").tuples()
    ]
    began = time.thread_time()
    for row_id in ids:
        inbox.apply(row_id, now=utcnow())
    spent = time.thread_time() - began
    unpaid = [sale.order_id for sale in sales if sale.order.status != "paid"]
    if unpaid:
        raise SystemExit(f"{len(unpaid)} of {len(sales)} orders were not paid by their notification")
    return spent


def cost() -> list[Result]:
    """The median of the rounds' ratios; every round measures all three, one after the other."""
    port = free_pair()
    costs: dict[str, list[float]] = {EMPTY: [], ANSWERED: [], APPLIED: []}
    with a_world() as world, a_server(world, port, server_argv(port)) as server:
        lose_letters(world)
        empty = [request("GET", "/bench/empty", token=token) for _, token in people()]
        for number in range(1 - WARM, ROUNDS + 1):
            sales, data = letters(world, COUNT)
            once = {}
            for name, sent in ((EMPTY, empty * 5), (ANSWERED, data)):
                before = cpu_seconds(server.pid)
                bad = drive(port, sent).bad
                once[name] = (cpu_seconds(server.pid) - before) / len(sent) * 1e6
                if bad:
                    raise SystemExit(f"{name}: {len(bad)} of {len(sent)} were refused, the first with {bad[0]}")
            once[APPLIED] = applied(sales) / len(sales) * 1e6
            if number >= 1:
                for name, value in once.items():
                    costs[name].append(value)
    found = []
    for name, values in costs.items():
        compared = [mine / other for mine, other in zip(values, costs[EMPTY], strict=True)]
        found.append(
            Result(
                name,
                round(median(values), 1),
                "µs CPU each",
                round(median(compared), 3),
                "" if name == EMPTY else EMPTY,
                low=round(min(compared), 3),
                high=round(max(compared), 3),
                runs=ROUNDS,
            )
        )
    return found
