"""What the bank says of a transfer that somebody was told to make: a statement with that one line, to be imported.

make demo-transfer CODE=… DATA_DIR=…     the code as the order's page shows it
"""

from __future__ import annotations

import argparse
from pathlib import Path

from app import wiring
from app.core import db
from app.core.clock import utcnow
from app.core.ids import new_id
from app.pay.transfers import codes, queries
from app.policy.days import shanghai_day
from config.settings import load
from ops import invented, statements


def statement(text: str, folder: Path) -> Path:
    """A file in `folder`: today the whole amount came for the order of the code in `text`, from the payer that was
    told. Raises `SystemExit` where no order waits for it."""
    code = codes.read(text)
    found = queries.meant_by([code], invented.ACCOUNT) if code is not None else {}
    if code is None or code not in found:
        raise SystemExit(f"CODE={text!r}: no order of this copy has it; its page shows it as ZK 1234 56789")
    waits = found[code]
    payer, remark = waits.transfer.payer_name, f"培训费 {codes.shown(code)}"
    line = statements.Line(new_id(), shanghai_day(utcnow()), waits.order.amount_fen, payer, remark=remark)
    path = folder / f"duizhangdan-{code}.xlsx"
    statements.write(path, invented.ACCOUNT, [line])
    return path


def main() -> None:
    """Write it, and say where it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("code", help="as the order's page shows it")
    options = parser.parse_args()
    settings = load()
    wiring.start(settings)
    with db.connection():
        path = statement(options.code, settings.data_dir / "demo")
    print(f"{path}\nimport it at /console/transfers, as caiwu")


if __name__ == "__main__":
    main()
