"""The name of a person, as it is stored and compared. Pure."""

from __future__ import annotations

import re
import unicodedata

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_DROPPED = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065), 0xFEFF])
_DOTS = dict.fromkeys(map(ord, "•・･‧∙⋅●ㆍ᛫"), "·")
_HAN = "[^\\x00-\u024f]"  # whatever is not Latin: between such signs a space means nothing, and a full stop a dot
_SIGNS = "·' -"
# Co: rare characters that GB 18030 kept in the private area; Nl: 〇; Mn: variants of a character
_LETTERS = {"Lo", "Lu", "Ll", "Lm", "Mn", "Co", "Nl"}


def plain(text: str) -> str:
    """Full-width letters, digits and signs made half-width, invisible characters dropped, spaces single and none
    outside. Not Unicode's NFKC: that would replace rare characters of names by others."""
    text = text.translate(_FULL_WIDTH).translate(_DROPPED)
    return " ".join(text.split())


def name_form(text: str) -> str:
    """A name in the form in which names are stored and compared: the middle dot is U+00B7 however it was typed, and
    there is no space beside a dot or a Chinese character. Rare characters stay as they are."""
    text = plain(text).translate(_DOTS)
    text = re.sub(rf"(?<={_HAN}) | (?={_HAN})| (?=·)|(?<=·) ", "", text)
    text = re.sub(rf"(?<={_HAN})\.(?={_HAN})", "·", text)
    return re.sub("·+", "·", text)


def is_name(name: str) -> bool:
    """Whether this, in its form, can be somebody's name: 2 to 50 letters, signs between them only."""
    fits = all(unicodedata.category(sign) in _LETTERS or sign in _SIGNS for sign in name)
    return 2 <= len(name) <= 50 and fits and name[0] not in _SIGNS and name[-1] not in _SIGNS
