"""The file of a day of settlement, as UnionPay packs it: a deflated ZIP of fixed columns in GBK."""

from __future__ import annotations

import base64
import io
import zipfile
import zlib
from datetime import date, datetime, timedelta

from sandbox.store import Record, Store
from sandbox.unionpay_ledger import PROVIDER
from sandbox.unionpay_wire import beijing
from sandbox.wechatpay_wire import BEIJING

WIDTHS = (
    3, 11, 11, 6, 10, 19, 12, 4, 2, 21, 2, 32, 2, 6, 10, 13, 13, 4, 15, 2, 2, 6, 2, 4, 32, 1, 21, 15, 1, 15, 32, 13,
    13, 8, 32, 13, 13, 12, 2, 1, 32, 98,
)  # fmt: skip
END_OF_DAY = 3600  # seconds before midnight


def _line(kind: str, row: Record) -> bytes:
    back = kind == "refund"
    at = row["made" if back else "paid"]
    amount, fee = int(row["txnAmt"]), 0 if back else int(row["txnAmt"]) * 6 // 1000
    cells = {
        0: "S30" if back else "S22",
        3: row["query_id"][-6:],
        4: beijing(at, "%m%d%H%M%S"),
        5: "6216****0018",
        6: f"{amount:012d}",
        9: row["query_id"],
        11: row["orderId"],
        15: f"D{fee:012d}",
        16: f"{'D' if back else 'C'}{amount - fee:012d}",
        19: "04" if back else "01",
        20: "00" if back else "01",
        21: "000201",
        26: row.get("origQryId", ""),
        27: row["mer_id"],
        30: "省建设注册考试中心",
    }
    parts = []
    for place, width in enumerate(WIDTHS):
        text = cells.get(place, "").encode("gbk")[:width]
        parts.append(text + b" " * (width - len(text)))
    return b" ".join(parts)


def day_of(settle_date: str, now: float) -> date:
    """The last such day (MMDD). Raises ValueError."""
    today = datetime.fromtimestamp(now, BEIJING).date()
    day = date(today.year, int(settle_date[:2]), int(settle_date[2:]))
    return day if day <= today else day.replace(year=today.year - 1)


def ready(day: date) -> float:
    """When the file is there: ten o'clock of the next day (seconds since the epoch)."""
    return (datetime(day.year, day.month, day.day, 10, tzinfo=BEIJING) + timedelta(days=1)).timestamp()


def file_of(store: Store, mer_id: str, day: date) -> tuple[str, str]:
    """(name, content) of the file of a day; empty where nothing was settled."""
    lines = []
    for kind in ("payment", "refund"):
        for _, row in reversed(store.all(PROVIDER, kind, 1_000_000)):
            at = row.get("made" if kind == "refund" else "paid", 0.0)
            done = row["code"] == "00" and row["mer_id"] == mer_id
            if done and beijing(at + END_OF_DAY, "%Y-%m-%d") == str(day):
                lines.append(_line(kind, row))
    if not lines:
        return "", ""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"INN{day:%y%m%d}88ZM_{mer_id}", b"\r\n".join(lines) + b"\r\n")
        archive.writestr(f"INN{day:%y%m%d}88ZME_{mer_id}", b"")
    return f"{mer_id}_{day:%Y%m%d}.zip", base64.b64encode(zlib.compress(packed.getvalue())).decode()
