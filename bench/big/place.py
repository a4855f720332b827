"""Where the large database is, and the keys that open it."""

from __future__ import annotations

import os
from collections.abc import Mapping

from config.settings import ROOT, Settings, load

URL = os.environ.get("BIG_DATABASE_URL", "postgresql://postgres@127.0.0.1:5432/zhukao_big")
NAME = URL.rpartition("/")[2].partition("?")[0]
DATA_DIR = ROOT / "build" / "big"


def settings(more: Mapping[str, str]) -> Settings:
    """The settings of a process over the large database."""
    mine = {"DATA_DIR": str(DATA_DIR), "DATABASE_URL": URL, "LOG_LEVEL": "ERROR"}
    return load({**mine, **more})
