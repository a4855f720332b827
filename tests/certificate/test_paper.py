"""The proof on paper: what a reader, a copier and a scanner find in the PDF."""

from __future__ import annotations

import io
from datetime import date
from pathlib import Path

import pypdfium2
import pytest
import zxingcpp
from PIL import Image, ImageChops

from app.cases.service import open_cases
from app.certificate import fonts, pdf, service
from config.settings import ROOT, Settings
from ops import fonts as coverage
from tests.certificate.offices import COLOUR, a_graduate
from tests.world import World


@pytest.fixture
def photo() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (295, 413), COLOUR).save(out, "JPEG", quality=95)
    return out.getvalue()


def a_sheet(photo: bytes, name: str = "张建国") -> pdf.Sheet:
    return pdf.Sheet(
        number="ZK20210301123456712",
        title="资格证明",
        programme="云南省建筑施工从业人员继续教育",
        authority="云南省建设注册考试中心",
        name=name,
        id_number="530102199001011234",
        kind="塔机司机",
        certificate_no="滇TJ(2019)0000001",
        issued_on=date(2021, 3, 1),
        photo=photo,
        verify_url="https://edu.example.cn/verify/0123456789abcdefghjkmnpqrs",
        void_without=("photo", "qr", "colour"),
    )


def text_of(file: bytes) -> str:
    text: str = pypdfium2.PdfDocument(file)[0].get_textpage().get_text_range()
    return text


def test_the_page_is_one_a4_sheet_with_everything_to_copy(settings: Settings, photo: bytes) -> None:
    file = pdf.render(a_sheet(photo))
    document = pypdfium2.PdfDocument(file)
    assert len(document) == 1
    assert [round(side / 72 * 25.4) for side in document[0].get_size()] == [210, 297]
    text = text_of(file)
    for words in ("资格证明", "张建国", "530102199001011234", "塔机司机", "滇TJ(2019)0000001", "ZK20210301123456712"):
        assert words in text
    assert "2021 年 3 月 1 日" in text
    assert "照片、二维码、彩色打印方为有效" in text
    assert file == pdf.render(a_sheet(photo))  # the same bytes each time


def test_the_qr_code_leads_to_the_check(settings: Settings, photo: bytes) -> None:
    sheet = a_sheet(photo)
    for scale in (1.5, 3):
        picture = pypdfium2.PdfDocument(pdf.render(sheet))[0].render(scale=scale).to_pil()
        assert [code.text for code in zxingcpp.read_barcodes(picture)] == [sheet.verify_url]


def test_the_photo_is_one_inch_and_in_colour(settings: Settings, photo: bytes) -> None:
    scale = 2
    picture = pypdfium2.PdfDocument(pdf.render(a_sheet(photo)))[0].render(scale=scale).to_pil().convert("RGB")
    away = ImageChops.difference(picture, Image.new("RGB", picture.size, COLOUR)).convert("L")
    mask = away.point([255] * 12 + [0] * 244)
    left, top, right, bottom = mask.getbbox() or (0, 0, 0, 0)
    millimetres = [round(dots / scale / 72 * 25.4) for dots in (right - left, bottom - top)]
    assert millimetres == [25, 35]


@pytest.mark.parametrize(
    "name", ["买买提·吾守尔", "迪丽热巴·阿卜杜拉·买买提明江·吐尔逊", "张㛃", "李䶮", "王𬭼", "赵𫍯"]
)
def test_minority_and_rare_names_are_written_and_can_be_copied(settings: Settings, photo: bytes, name: str) -> None:
    text = text_of(pdf.render(a_sheet(photo, name)))
    assert name in text
    assert "〔U+" not in text


def test_a_character_without_a_glyph_is_named_by_its_code(settings: Settings, photo: bytes) -> None:
    text = text_of(pdf.render(a_sheet(photo, "张\U0002a6d6")))
    assert "张〔U+2A6D6〕" in text
    assert "注：姓名中的 U+2A6D6" in text


def test_staff_hear_of_a_name_that_cannot_be_printed(world: World) -> None:
    proof = a_graduate(name="张\U0002a6d6").proof
    assert (proof.name, proof.unwritable) == ("张\U0002a6d6", "U+2A6D6")
    assert [case.subject for case in open_cases("proof_name_unwritable")] == [f"proof:{proof.id}"]
    assert a_graduate().proof.unwritable is None


def test_lines_break_between_characters_and_not_before_punctuation(settings: Settings) -> None:
    fonts.load()
    found = pdf.lines("中文文字，ABC123继续", fonts.REGULAR, 10, 40)
    assert "".join(found) == "中文文字，ABC123继续"
    assert found[0] == "中文文字，"
    assert "ABC123" in found


@pytest.mark.parametrize("room", range(30, 200, 7))
def test_no_line_begins_with_a_closing_mark_or_ends_with_an_opening_one(settings: Settings, room: int) -> None:
    fonts.load()
    text = "已按规定完成“云南省建筑施工从业人员继续教育”（塔机司机）全部课程的学习，准予结业。"
    found = pdf.lines(text, fonts.REGULAR, 10, room)
    assert "".join(found) == text
    assert not [line for line in found[1:] if line[0] in "，。；：、）”"]
    assert not [line for line in found if line[-1] in "（“"]


def test_a_missing_font_is_said_and_never_an_empty_box(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proof = a_graduate().proof
    link = service.pdf_link(proof, now=proof.issued_at)
    monkeypatch.setattr(fonts, "_directory", [tmp_path])
    answer = world.app.test_client().get(service.pdf_link(a_graduate().proof, now=proof.issued_at))
    assert (answer.status_code, (answer.json or {})["code"]) == (503, "font_missing")
    with pytest.raises(fonts.FontMissing, match="npm ci"):
        fonts.load()
    assert link


def test_the_page_about_the_font_says_what_the_font_can(settings: Settings) -> None:
    assert coverage.table() in (ROOT / "docs" / "fonts.md").read_text(encoding="utf-8")
