"""Staff of the centre: what somebody may do is a set of roles, each within a programme. Denied by default."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from app.core.errors import FORBIDDEN


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

    def may(self, right: Right, programme: str) -> bool:
        """Whether they may act so in this programme."""
        return bool({(right, programme), (Right.ADMINISTRATOR, programme)} & self.rights)

    def require(self, right: Right, programme: str) -> None:
        """Raises `forbidden` unless they may."""
        if not self.may(right, programme):
            raise FORBIDDEN()
