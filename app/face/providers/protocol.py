"""What the domain asks of a face provider, whoever it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

Reason = Literal[
    "no_face", "not_live", "poor_quality", "identity_mismatch", "no_reference", "low_score", "other_person"
]


class ProviderUnavailable(Exception):
    """No answer, or none that means anything (time-out, 5xx, garbage, quota, a wrong key): nobody passes, and it is
    not the person's failure."""


class FaceRefused(Exception):
    """The provider looked at the picture and refuses it: a failed try. `code` is the provider's own."""

    def __init__(self, reason: Reason, code: str):
        super().__init__(f"{reason} ({code})")
        self.reason: Reason = reason
        self.code = code


@dataclass(frozen=True)
class Page:
    """The provider's own page for a check: where to send the person, and the reference to ask for the result."""

    reference: str
    url: str


@dataclass(frozen=True)
class PageResult:
    """What the provider says of a finished check on its page. Scores: match 0-100, liveness 0-1."""

    name: str
    id_number: str
    match: float
    liveness: float


class FaceProvider(Protocol):
    """Every method raises `ProviderUnavailable`, and where a picture is judged, `FaceRefused`. Pictures are JPEG."""

    def liveness(self, picture: bytes) -> float:
        """How sure it is that a living person was in front of the camera: 0-1."""

    def match(self, live: bytes, reference: bytes, *, reference_is_photo: bool) -> float:
        """How alike the two faces are: 0-100. `reference_is_photo`: a passport-like photo, not a live one."""

    def verify_person(self, live: bytes, *, name: str, id_number: str) -> float:
        """How alike the face is to the authority's picture of that person: 0-100."""

    def open_page(self, *, name: str, id_number: str, success_url: str, failed_url: str) -> Page:
        """Prepare the provider's page for this person."""

    def page_result(self, reference: str) -> PageResult | None:
        """The result of a page; None while the person has not finished. Raises `FaceRefused` when it failed."""

    def page_picture(self, reference: str) -> bytes:
        """The picture taken on the page."""
