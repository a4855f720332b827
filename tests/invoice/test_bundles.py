"""Many invoices in one ZIP: for finance by a job, for a payer at once."""

from __future__ import annotations

import io
import tempfile
import zipfile
from datetime import timedelta
from typing import Any

import openpyxl
import pytest

from app.core import db
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.core.errors import Problem
from app.core.staff import EVERYWHERE, Right, Staff
from app.invoice import service
from app.invoice.finance import bundles, queries
from app.invoice.finance.queries import Wanted
from app.invoice.models import Bundle, BundlePart, Invoice, PayerProfile
from app.policy.days import shanghai_day
from tests.factories import auth
from tests.invoice.desk import a_paid_sale, the_invoice, work
from tests.pay.till import Sale, in_parallel
from tests.world import World

FINANCE = Staff("staff:1", frozenset({(Right.FINANCE, "yunnan")}))
CHIEF = Staff("staff:2", frozenset({(Right.FINANCE, EVERYWHERE)}))
WHY = "三月归档"


def made(staff: Staff, wanted: Wanted | None = None) -> Bundle:
    """A bundle that was asked for, and its job."""
    row = bundles.ask(staff, wanted or Wanted(), WHY, now=utcnow())
    bundles.work(now=utcnow())
    found: Bundle = Bundle.get_by_id(row.id)
    return found


def opened(staff: Staff, row: Bundle) -> tuple[list[str], list[list[Any]]]:
    """The names in the file, and the rows of its sheet."""
    with tempfile.TemporaryFile() as file:
        bundles.fetch(staff, row.id, file, now=utcnow())
        file.seek(0)
        with zipfile.ZipFile(file) as archive:
            assert archive.testzip() is None
            sheet = openpyxl.load_workbook(io.BytesIO(archive.read("目录.xlsx"))).worksheets[0]
            return archive.namelist(), [[cell.value for cell in line] for line in sheet.iter_rows()]


def test_finance_gets_what_was_looked_for_with_a_sheet_that_lists_it(world: World) -> None:
    rows = [work(a_paid_sale(world)) for _ in range(3)]
    row = made(FINANCE, Wanted(programme="yunnan", since=shanghai_day(utcnow()), until=shanghai_day(utcnow())))
    assert (row.status, row.total, row.done, row.left_out) == ("ready", 3, 3, 0)
    names, lines = opened(FINANCE, row)
    assert set(names) == {"目录.xlsx", *(f"{one.number}.pdf" for one in rows)}
    assert {line[0] for line in lines[1:]} == {one.number for one in rows}
    assert {float(line[4]) for line in lines[1:]} == {200.0}


def test_it_is_chosen_by_days_programme_and_payer(world: World) -> None:
    first, second = work(a_paid_sale(world)), work(a_paid_sale(world))
    profile = PayerProfile.get_by_id(second.profile_id)
    profile.title = "昆明塔吊租赁有限公司"
    profile.save()
    today = shanghai_day(utcnow())
    assert made(CHIEF, Wanted(payer="塔吊租赁")).total == 1
    assert made(CHIEF, Wanted(payer=str(first.number))).total == 1
    for nothing in (Wanted(payer="没有这家公司"), Wanted(until=today - timedelta(days=1)), Wanted("henan")):
        with pytest.raises(Problem, match="invoices_none"):
            bundles.ask(CHIEF, nothing, WHY, now=utcnow())


def test_a_title_that_looks_like_a_formula_is_text(world: World) -> None:
    row = work(a_paid_sale(world))
    profile = PayerProfile.get_by_id(row.profile_id)
    profile.title = '=HYPERLINK("http://x","y")'
    profile.save()
    _, lines = opened(CHIEF, made(CHIEF))
    assert lines[1][2].startswith("'=")


def test_another_programmes_and_anothers_are_not_there(world: World) -> None:
    work(a_paid_sale(world))
    elsewhere = Staff("staff:3", frozenset({(Right.FINANCE, "henan")}))
    with pytest.raises(Problem, match="forbidden"):
        bundles.ask(elsewhere, Wanted(programme="yunnan"), WHY, now=utcnow())
    with pytest.raises(Problem, match="invoices_none"):
        bundles.ask(elsewhere, Wanted(), WHY, now=utcnow())
    row = made(FINANCE)
    with pytest.raises(Problem, match="not_found"):
        bundles.fetch(elsewhere, row.id, io.BytesIO(), now=utcnow())


def test_a_right_that_was_taken_away_opens_no_file_any_more(world: World) -> None:
    work(a_paid_sale(world))
    row = made(CHIEF)
    less = Staff(CHIEF.actor, frozenset({(Right.FINANCE, "henan")}))
    with pytest.raises(Problem, match="forbidden"):
        bundles.fetch(less, row.id, io.BytesIO(), now=utcnow())
    opened(CHIEF, row)


def test_a_reason_is_needed_and_written_down_and_so_is_each_download(world: World) -> None:
    work(a_paid_sale(world))
    with pytest.raises(Problem, match="reason_needed"):
        bundles.ask(FINANCE, Wanted(), " ", now=utcnow())
    opened(FINANCE, made(FINANCE))
    actions = [line.action for line in AuditEntry.select() if line.actor == FINANCE.actor]
    assert actions == ["invoices.bundled", "invoices.downloaded"]


def test_a_worker_that_was_lost_is_followed_by_another_and_the_file_is_whole(world: World) -> None:
    work(a_paid_sale(world))
    row = bundles.ask(FINANCE, Wanted(), WHY, now=utcnow())
    Bundle.update(status="making", claimed_until=utcnow() + bundles.CLAIM, done=1).where(
        Bundle.id == row.id
    ).execute()
    bundles.work(now=utcnow())
    assert Bundle.get_by_id(row.id).status == "making"
    bundles.work(now=utcnow() + bundles.CLAIM + timedelta(seconds=1))
    assert len(opened(FINANCE, Bundle.get_by_id(row.id))[0]) == 2


def test_workers_at_one_moment_make_it_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work(a_paid_sale(world))
    row = bundles.ask(FINANCE, Wanted(), WHY, now=utcnow())
    stored, store = [], bundles._store

    def counted(*given: Any) -> None:
        stored.append(1)
        store(*given)

    monkeypatch.setattr(bundles, "_store", counted)

    def one(_: int) -> None:
        with db.connection():
            bundles.make(row.id, now=utcnow())

    in_parallel(4, one)
    assert (len(stored), BundlePart.select().count()) == (1, 1)


def test_a_day_later_it_is_gone_and_its_pieces_too(world: World) -> None:
    work(a_paid_sale(world))
    row = made(FINANCE)
    later = utcnow() + bundles.KEPT + timedelta(minutes=1)
    bundles.work(now=later)
    assert (Bundle.get_by_id(row.id).status, BundlePart.select().count()) == ("over", 0)
    with pytest.raises(Problem, match="bundle_over"):
        bundles.fetch(FINANCE, row.id, io.BytesIO(), now=utcnow())


def test_what_changed_in_between_is_left_out_and_listed(world: World) -> None:
    first, second = work(a_paid_sale(world)), work(a_paid_sale(world))
    row = bundles.ask(FINANCE, Wanted(), WHY, now=utcnow())
    Invoice.update(status="reversed").where(Invoice.id == first.id).execute()
    bundles.work(now=utcnow())
    row = Bundle.get_by_id(row.id)
    names, lines = opened(FINANCE, row)
    assert (row.left_out, f"{first.number}.pdf" in names, f"{second.number}.pdf" in names) == (1, False, True)
    assert [line[9] for line in lines[1:] if line[0] == first.number] == ["未打包：发票状态已变化"]


def test_too_many_are_refused_before_anything_is_made(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(2):
        work(a_paid_sale(world))
    monkeypatch.setattr(bundles, "MOST", 1)
    with pytest.raises(Problem, match="invoices_too_many"):
        bundles.ask(FINANCE, Wanted(), WHY, now=utcnow())


def test_a_number_is_found_among_all_and_a_title_that_was_not_looked_for_in_all_makes_no_bundle(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = work(a_paid_sale(world)), work(a_paid_sale(world))
    monkeypatch.setattr(queries, "SCANNED", 1)
    for text in (old.number, old.order_id, old.serial, old.id):
        hits = queries.search(FINANCE, Wanted(payer=text))
        assert ([one.row.id for one in hits.rows], hits.cut) == ([old.id], False)
    title = PayerProfile.get_by_id(new.profile_id).title
    assert queries.search(FINANCE, Wanted(payer=title)).cut
    with pytest.raises(Problem, match="invoices_not_all"):
        bundles.ask(FINANCE, Wanted(payer=title), "归档", now=utcnow())


def test_one_that_grows_too_large_says_so(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    work(a_paid_sale(world))
    monkeypatch.setattr(bundles, "SIZE", 100)
    assert made(FINANCE).status == "failed"


def test_a_payer_with_several_gets_them_all_by_one_link(world: World, sale: Sale) -> None:
    row = work(sale)
    client = world.app.test_client()
    listed = client.get("/api/v1/invoices", headers=auth(sale.person)).get_json()
    assert listed["zip_url"] is None
    other = work(a_paid_sale(world))
    Invoice.update(person_id=sale.person.id).where(Invoice.id == other.id).execute()
    cards = [service.card(the_invoice(sale), now=utcnow()), service.card(Invoice.get_by_id(other.id), now=utcnow())]
    link = service.zip_link(sale.person.id, cards, now=utcnow())
    assert link is not None
    answer = client.get(link)
    with zipfile.ZipFile(io.BytesIO(answer.data)) as archive:
        assert set(archive.namelist()) == {f"fapiao-{row.number}.pdf", f"fapiao-{other.number}.pdf"}
    assert client.get("/api/v1/invoices.zip?ticket=x").status_code == 403
