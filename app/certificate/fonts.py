"""The paper's font: Noto Sans SC in two weights, TrueType, embedded into each PDF as the characters used.

What the font cannot write is asked of the font itself. `docs/fonts.md` says how much of Chinese that is.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from reportlab.pdfbase import pdfmetrics, ttfonts

REGULAR, BOLD = "NotoSansSC", "NotoSansSC-Bold"
FILES = {REGULAR: Path("400Regular/NotoSansSC_400Regular.ttf"), BOLD: Path("700Bold/NotoSansSC_700Bold.ttf")}

_lock = threading.Lock()
_directory: list[Path] = []
_known: dict[Path, frozenset[int]] = {}


class FontMissing(Exception):
    """The font's files are not where the settings say."""


def init(directory: Path) -> None:
    """Where the font lies (`FONTS_DIR`); nothing is read before the first proof."""
    _directory[:] = [directory]


def load() -> frozenset[int]:
    """Register both weights, once a process (60 ms each); gives the code points both can write. Raises
    `FontMissing`."""
    with _lock:
        directory = _directory[0]
        if directory not in _known:
            common: frozenset[int] | None = None
            for name, file in FILES.items():
                path = directory / file
                if not path.is_file():
                    raise FontMissing(f"{path} is missing: run `npm ci`, or set FONTS_DIR to a copy of the package")
                font = ttfonts.TTFont(name, str(path))
                pdfmetrics.registerFont(font)
                here = frozenset(font.face.charToGlyph)
                common = here if common is None else common & here
            _known[directory] = common or frozenset()
        return _known[directory]


def code(sign: str) -> str:
    """'U+20BB7': how a character that cannot be written is named."""
    return f"U+{ord(sign):04X}"


def writable(text: str) -> tuple[str, list[str]]:
    """The text with each character that the font lacks replaced by its code in brackets, and those codes. Never an
    empty box on paper. Raises `FontMissing`."""
    known = load()
    missing = list(dict.fromkeys(code(sign) for sign in text if ord(sign) not in known))
    return "".join(sign if ord(sign) in known else f"〔{code(sign)}〕" for sign in text), missing


def _to_unicode(font_name: str, subset: Sequence[int]) -> str:
    """The table by which a reader copies text out of the PDF. ReportLab writes a character beyond U+FFFF as five hex
    digits, which readers take for another one; PDF asks for UTF-16 (ISO 32000-1, 9.10.3)."""
    pairs = [f"<{place:02X}> <{chr(sign).encode('utf-16-be').hex().upper()}>" for place, sign in enumerate(subset)]
    head = [
        "/CIDInit /ProcSet findresource begin",
        "12 dict begin",
        "begincmap",
        f"/CIDSystemInfo << /Registry ({font_name}) /Ordering ({font_name}) /Supplement 0 >> def",
        f"/CMapName /{font_name} def",
        "/CMapType 2 def",
        "1 begincodespacerange",
        f"<00> <{len(subset) - 1:02X}>",
        "endcodespacerange",
    ]
    blocks = []
    for start in range(0, len(pairs), 100):  # at most 100 entries a block
        part = pairs[start : start + 100]
        blocks += [f"{len(part)} beginbfchar", *part, "endbfchar"]
    return "\n".join([*head, *blocks, "endcmap", "CMapName currentdict /CMap defineresource pop", "end", "end"])


ttfonts.makeToUnicodeCMap = _to_unicode
