"""How much of Chinese the proof's font can write: `python -m ops.fonts` prints the table of `docs/fonts.md`."""

from __future__ import annotations

from app.certificate import fonts
from config.settings import load

# name, first, last code point, characters assigned in Unicode 15.1
BLOCKS = (
    ("CJK Unified Ideographs", 0x4E00, 0x9FFF, 20992),
    ("Extension A", 0x3400, 0x4DBF, 6592),
    ("Extension B", 0x20000, 0x2A6DF, 42720),
    ("Extension C", 0x2A700, 0x2B739, 4154),
    ("Extension D", 0x2B740, 0x2B81D, 222),
    ("Extension E", 0x2B820, 0x2CEA1, 5762),
    ("Extension F", 0x2CEB0, 0x2EBE0, 7473),
    ("Extension G", 0x30000, 0x3134A, 4939),
    ("Extension H", 0x31350, 0x323AF, 4192),
    ("Extension I", 0x2EBF0, 0x2EE5D, 622),
    ("Compatibility Ideographs", 0xF900, 0xFAFF, 472),
)


def table() -> str:
    """The table as Markdown. Raises `fonts.FontMissing`."""
    known = fonts.load()
    rows = ["| block | characters | the font writes | share |", "|---|---|---|---|"]
    for name, first, last, assigned in BLOCKS:
        there = sum(code in known for code in range(first, last + 1))
        rows.append(f"| {name} (U+{first:04X}–U+{last:04X}) | {assigned:,} | {there:,} | {there / assigned:.1%} |")
    dot = "yes" if 0xB7 in known else "no"
    return "\n".join([*rows, "", f"The middle dot of minority names (U+00B7): {dot}."])


if __name__ == "__main__":
    fonts.init(load().fonts_dir)
    print(table())
