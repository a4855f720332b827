"""What the measurements say is said rightly: goals, growth, the page in docs."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pytest

from app.study import store
from bench.learners import record, watched
from bench.load import Sent
from bench.picture import draw
from bench.results import Result
from bench.soak import growth, judge
from bench.table import page


@pytest.mark.parametrize(
    ("goal", "goal_is", "compared", "met"),
    [
        (1.15, "at most", 1.15, True),
        (1.15, "at most", 1.16, False),
        (40_000, "at least", 40_000, True),
        (40_000, "at least", 39_999, False),
        (0, "at most", 1, False),
        (None, "at most", 9, None),
    ],
)
def test_a_goal_is_met_at_its_figure_and_not_beyond(goal: Any, goal_is: Any, compared: float, met: Any) -> None:
    assert Result("x", 1, "ms", compared, goal=goal, goal_is=goal_is).met is met


def test_growth_is_of_the_last_third_against_the_one_before() -> None:
    assert growth([50, 90, 100, 100, 100, 100, 110, 110, 110]) == (10, 0.1)
    assert growth([100] * 30) == (0, 0)
    assert growth([7]) == (0, 0)


def a_report(leak: float) -> dict[str, Any]:
    """Thirty samples of a web process whose memory grows by `leak` MB a sample."""
    web = {"rss_mb": 200.0, "files": 40.0, "threads": 12.0}
    samples = [
        {
            "at": 5.0 * number,
            "web": web | {"pss_mb": 200 + leak * number},
            "connections": {"database": 9.0, "redis": 20.0, "redis_mb": 3.0},
        }
        for number in range(30)
    ]
    minute = {"heartbeat": {"count": 6000, "p50": 1.5, "p99": 9.5}}
    return {"minutes": [minute, minute], "samples": samples}


def grows(report: dict[str, Any]) -> list[str]:
    return [row["measure"] for row in judge(report) if not row["flat"]]


def test_a_leak_is_found_and_a_flat_line_is_none() -> None:
    assert grows(a_report(0)) == []
    assert grows(a_report(2)) == ["pss_mb"]


def test_the_picture_is_well_formed_and_shows_each_line() -> None:
    picture = ElementTree.fromstring(draw(a_report(0)))
    assert len(picture.findall("{http://www.w3.org/2000/svg}polyline")) == 1 + 1 + 3


def test_the_page_tells_what_was_measured_and_which_goals_are_not_met() -> None:
    result = {
        "name": "heartbeat",
        "value": 147.8,
        "unit": "µs CPU a request",
        "compared": 0.6,
        "to": "empty view",
        "goal": 0.5,
        "goal_is": "at most",
        "low": 0.55,
        "high": 0.7,
        "runs": 5,
        "met": False,
    }
    bench = {"ratios": {"at": "today", "database": "PostgreSQL", "rows": [result]}}
    soak = a_report(2) | {"length": 10, "at": "today", "database": "PostgreSQL", "phones": 1000, "wrong_count": 0}
    told = page(bench, {}, soak | {"verdict": judge(a_report(2))}, {})
    assert "| heartbeat | 148 µs CPU a request | empty view | 0.6 (0.55–0.7) | ≤ 0.5 **not met** |" in told
    assert "| web | pss_mb | 258 | +20 | **grows** |" in told
    assert "gunicorn" not in told


def test_the_99th_of_a_hundred_is_the_p99() -> None:
    assert Sent([], [number / 1000 for number in range(100)]).percentile(0.99) == 99


def test_learners_made_in_bulk_are_as_the_product_makes_them() -> None:
    for each in watched(3):
        found = store.unpack_record(record(each, pending=True))
        assert found.count == each.seen
        assert sum(byte.bit_count() for byte in found.durable) == each.seen - 1
