"""What staff read and take away: figures, and lists as files."""

from __future__ import annotations

from app.reports import exports, figures
from app.reports.exports import Asked, ask, default_period, fetch, mine, under_way
from app.reports.figures import Funnel, Funnels, ends_of, funnels
from app.reports.lists import LISTS, places, programmes_of

__all__ = [
    "LISTS",
    "Asked",
    "Funnel",
    "Funnels",
    "ask",
    "default_period",
    "ends_of",
    "fetch",
    "funnels",
    "make_export",
    "mine",
    "places",
    "programmes_of",
    "reckon",
    "under_way",
    "work_exports",
]

reckon = figures.reckon
make_export = exports.make
work_exports = exports.work
