"""`make openapi` writes docs/openapi.json; `--check` fails when it is stale."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import warnings
from pathlib import Path

from app import create_app
from config.settings import ROOT, load
from sandbox import keys

FILE = ROOT / "docs" / "openapi.json"


def description() -> str:
    """The API's description as JSON text, in a stable order."""
    warnings.filterwarnings("ignore", ".*has already been added to the spec")  # used alone and in a list
    with tempfile.TemporaryDirectory() as directory:
        keys.ensure(Path(directory))
        app = create_app(load({"DATA_DIR": directory, "LOG_LEVEL": "ERROR"}))
        spec = app.spec
        text = spec if isinstance(spec, str) else json.dumps(spec, ensure_ascii=False, indent=1, sort_keys=True)
    return text + "\n"


def main() -> None:
    """Write the file, or compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when docs/openapi.json is stale")
    wanted = description()
    if parser.parse_args().check:
        if not FILE.is_file() or FILE.read_text(encoding="utf-8") != wanted:
            sys.exit("docs/openapi.json is stale: run `make openapi` and commit it")
        return
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(wanted, encoding="utf-8")


if __name__ == "__main__":
    main()
