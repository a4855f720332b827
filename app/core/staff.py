"""Staff of the centre: what somebody may do is a set of roles, each within a programme. Denied by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import FORBIDDEN

EVERYWHERE = "*"  # in place of a programme: all of them, and what belongs to none


@dataclass(frozen=True)
class Reason:
    """A reason by template. `text`: a whole sentence, as staff choose it and the person reads it."""

    key: str
    text: str


@dataclass(frozen=True)
class Fact:
    """One line of what staff see. `bad`: it is what the case, or the call, is about."""

    label: str
    value: str
    bad: bool = False


class Right(StrEnum):
    """What staff are there for. ADMINISTRATOR: everything within the programme."""

    REVIEWER = "reviewer"
    SUPPORT = "support"
    FINANCE = "finance"
    TEACHING = "teaching"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Staff:
    """Who acts, as the audit log names them ('staff:<id>'), and their rights: pairs of right and programme."""

    actor: str
    rights: frozenset[tuple[Right, str]]

    def programmes(self, right: Right) -> frozenset[str]:
        """Where they may act so: the programmes' keys, EVERYWHERE among them if it is everywhere."""
        return frozenset(where for what, where in self.rights if what in (right, Right.ADMINISTRATOR))

    def may(self, right: Right, programme: str) -> bool:
        """Whether they may act so in this programme (EVERYWHERE: in what belongs to none)."""
        return bool({programme, EVERYWHERE} & self.programmes(right))

    def require(self, right: Right, programme: str) -> None:
        """Raises `forbidden` unless they may."""
        if not self.may(right, programme):
            raise FORBIDDEN()
