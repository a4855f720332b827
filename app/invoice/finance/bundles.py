"""Many invoices in one ZIP, with a sheet that lists them: asked for with a reason, made by a job that says how far it
is, kept for a day. A bundle that is asked for names its invoices: what changed since is left out and listed as
such."""

from __future__ import annotations

import base64
import json
import tempfile
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import IO

import structlog

from app.core import audit, sweep
from app.core.clock import shanghai
from app.core.db import after_commit, compare_and_set, transaction
from app.core.ids import new_id
from app.core.queue import enqueue_hint
from app.core.sheet import Value, write_rows
from app.core.staff import EVERYWHERE, Right, Staff
from app.invoice import payers
from app.invoice.errors import BUNDLE_OVER, INVOICES_NONE, INVOICES_NOT_ALL, INVOICES_TOO_MANY
from app.invoice.finance import queries
from app.invoice.finance.queries import Wanted
from app.invoice.finance.service import reason_of
from app.invoice.models import Bundle, BundlePart, Invoice, InvoiceFile
from app.invoice.status import Status
from app.policy import load as policy

log = structlog.get_logger(__name__)

MAKE = "jobs.entries.make_invoice_bundle"
MOST = 500  # invoices in one
SIZE = 100 * 1024 * 1024  # bytes of one
KEPT = timedelta(hours=24)
CLAIM = timedelta(minutes=5)
PIECE = 512 * 1024  # bytes of a row
STEP = 20  # invoices between two words of how far it is
HEADER = (
    "发票号码", "开票日期", "抬头", "纳税人识别号", "价税合计（元）", "税额（元）",
    "培训项目", "订单", "支付时间", "文件",
)  # fmt: skip


def ask(staff: Staff, wanted: Wanted, reason: str, *, now: datetime) -> Bundle:
    """Have all invoices that fit and can be downloaded put into a ZIP. Raises `not_found`, `reason_needed`,
    `invoices_none`, `invoices_not_all`, `invoices_too_many`."""
    reason = reason_of(reason)
    if wanted.programme:
        staff.require(Right.FINANCE, wanted.programme)
    ready = Wanted(wanted.programme, "ready", wanted.since, wanted.until, wanted.payer)
    hits = queries.search(staff, ready, limit=MOST + 1)
    if hits.cut:
        raise INVOICES_NOT_ALL()
    found = hits.rows
    if not found:
        raise INVOICES_NONE()
    if len(found) > MOST:
        raise INVOICES_TOO_MANY()
    bundle_id = new_id()
    with transaction():
        row: Bundle = Bundle.create(
            id=bundle_id,
            actor=staff.actor,
            programme=wanted.programme or EVERYWHERE,
            reason=reason,
            wanted=json.dumps([one.row.id for one in found]),
            status="queued",
            total=len(found),
            asked_at=now,
            expires_at=now + KEPT,
        )
        about = f"programme:{wanted.programme or EVERYWHERE}"
        audit.record(staff.actor, "invoices.bundled", about, now=now, reason=reason, count=len(found), bundle=row.id)
        after_commit(partial(enqueue_hint, MAKE, bundle_id))
    return row


def make(bundle_id: str, *, now: datetime) -> None:
    """Make the file of one bundle, unless another worker has it."""
    row = Bundle.get_or_none(Bundle.id == bundle_id)
    if row is None or row.expires_at <= now or row.status not in ("queued", "making"):
        return
    if row.status == "making" and row.claimed_until > now:
        return
    seen = {"status": row.status, "claimed_until": row.claimed_until}
    if not compare_and_set(Bundle, row.id, seen, {"status": "making", "claimed_until": now + CLAIM, "done": 0}):
        return
    with tempfile.TemporaryDirectory(prefix="invoices-") as folder:
        path = Path(folder) / "invoices.zip"
        left_out = _write(row, path, now)
        if left_out is None:
            compare_and_set(Bundle, row.id, {"status": "making"}, {"status": "failed"})
            log.error("bundle_too_large", bundle_id=row.id)
            return
        _store(row, path, left_out)


def _write(row: Bundle, path: Path, now: datetime) -> int | None:
    """The ZIP; gives how many were left out, None if it grew too large."""
    ids: list[str] = json.loads(row.wanted)
    lines: list[list[Value]] = []
    left_out = size = 0
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for start in range(0, len(ids), STEP):
            some = ids[start : start + STEP]
            invoices = {one.id: one for one in Invoice.select().where(Invoice.id.in_(some))}
            files = {one.id: one for one in InvoiceFile.select().where(InvoiceFile.id.in_(some))}
            profiles = queries.of_rows(invoices.values())
            for invoice_id in some:
                invoice, file = invoices.get(invoice_id), files.get(invoice_id)
                if invoice is None:
                    left_out += 1
                    continue
                good = invoice.status == Status.READY and file is not None
                name = f"{invoice.number}.pdf" if good else None
                if good and file is not None:
                    pdf = base64.b64decode(file.pdf)
                    size += len(pdf)
                    archive.writestr(f"{invoice.number}.pdf", pdf)
                left_out += not good
                lines.append(_line(invoice, payers.of_row(profiles[invoice.profile_id]), name))
            if size > SIZE:
                return None
            far = {"done": min(start + STEP, len(ids)), "claimed_until": now + CLAIM}
            Bundle.update(far).where(Bundle.id == row.id, Bundle.status == "making").execute()
        sheet = path.with_name("index.xlsx")
        write_rows(sheet, [list(HEADER), *lines], title="发票目录")
        archive.write(sheet, "目录.xlsx")
    return left_out


def _line(row: Invoice, payer: payers.Details, name: str | None) -> list[Value]:
    titles = {one.key: one.title for one in policy.all_programmes()}
    return [
        row.number,
        f"{shanghai(row.issued_at):%Y-%m-%d}" if row.issued_at else None,
        payer.title,
        payer.taxpayer_number,
        Decimal(row.gross_fen) / 100,
        Decimal(row.tax_fen) / 100,
        titles.get(row.programme, row.programme),
        row.order_id,
        f"{shanghai(row.paid_at):%Y-%m-%d %H:%M}",
        name or "未打包：发票状态已变化",
    ]


def _store(row: Bundle, path: Path, left_out: int) -> None:
    """In pieces, in one transaction with `ready`: it is whole, or not there."""
    with transaction(), path.open("rb") as file:
        BundlePart.delete().where(BundlePart.bundle_id == row.id).execute()
        for place, piece in enumerate(iter(partial(file.read, PIECE), b"")):
            BundlePart.create(bundle_id=row.id, place=place, data=base64.b64encode(piece).decode())
        compare_and_set(Bundle, row.id, {"status": "making"}, {"status": "ready", "left_out": left_out})


def fetch(staff: Staff, bundle_id: str, into: IO[bytes], *, now: datetime) -> Bundle:
    """Write one's own bundle into a file; audited. Needs finance in each programme that has an invoice in it.
    Raises `not_found`, `forbidden`, `bundle_over`."""
    row = queries.bundle(staff, bundle_id)
    if row.status != "ready" or row.expires_at <= now:
        raise BUNDLE_OVER()
    for programme in _programmes(row):
        staff.require(Right.FINANCE, programme)
    for piece in _pieces(row):
        into.write(piece)
    audit.record(staff.actor, "invoices.downloaded", f"bundle:{row.id}", now=now, count=row.total - row.left_out)
    return row


def _programmes(row: Bundle) -> set[str]:
    """Of which programmes there are invoices in it."""
    ids = json.loads(row.wanted)
    rows = Invoice.select(Invoice.programme).where(Invoice.id.in_(ids)).distinct()
    return {programme for (programme,) in rows.tuples()}


def _pieces(row: Bundle) -> Iterator[bytes]:
    place = 0
    while (part := BundlePart.get_or_none(BundlePart.bundle_id == row.id, BundlePart.place == place)) is not None:
        yield base64.b64decode(part.data)
        place += 1


def work(*, now: datetime) -> int:
    """Scheduled: make what waits or lost its worker, forget what is over; gives how many were made."""
    for row in Bundle.select().where(Bundle.status != "over", Bundle.expires_at <= now).limit(50):
        with transaction():
            BundlePart.delete().where(BundlePart.bundle_id == row.id).execute()
            Bundle.update(status="over").where(Bundle.id == row.id).execute()
    lost = (Bundle.status == "making") & (Bundle.claimed_until <= now)
    waiting = Bundle.select().where((Bundle.status == "queued") | lost).order_by(Bundle.asked_at).limit(5)

    def step(row: Bundle) -> bool:
        make(row.id, now=now)
        return True

    done, _ = sweep.each("invoice.bundles", list(waiting), step)
    return done
