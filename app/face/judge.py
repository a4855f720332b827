"""From the provider's scores to a verdict, by the programme's thresholds. Calls the network, writes nothing."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, replace
from typing import Protocol

import structlog

from app.core.errors import Problem
from app.face import image, store
from app.face.models import FaceRecord
from app.face.providers.protocol import FaceProvider, FaceRefused, ProviderUnavailable
from app.face.status import COMPARED
from app.policy import rules
from app.policy.schema import Programme

log = structlog.get_logger(__name__)


class Named(Protocol):
    """The person as the roster knows him or her."""

    id: str
    name: str
    id_number: str


@dataclass(frozen=True)
class Verdict:
    """`photo_matches`: whether the photo that waits for the real-name check (`photo_file`) shows the same face; None:
    none waits."""

    passed: bool
    reason: str | None = None
    match: float | None = None
    liveness: float | None = None
    code: str | None = None
    live: bytes | None = None
    photo_matches: bool | None = None
    photo_file: str | None = None


def judge_picture(
    provider: FaceProvider,
    programme: Programme,
    person: Named,
    purpose: str,
    record: FaceRecord | None,
    live: bytes,
) -> Verdict:
    """Judge a picture of our own camera page. Raises `ProviderUnavailable`."""
    try:
        liveness = provider.liveness(live)
        if not rules.face_passes(programme, match=100.0, liveness=liveness):
            return Verdict(False, "not_live", None, liveness, live=live)
        if purpose == "study":
            match = provider.match(live, _photo(record), reference_is_photo=True)
        else:
            match = provider.verify_person(live, name=person.name, id_number=person.id_number)
    except FaceRefused as refusal:
        return Verdict(False, refusal.reason, code=refusal.code, live=live)
    verdict = _by_scores(programme, match, liveness, live)
    return _with_photo(provider, programme, purpose, record, verdict)


def judge_page(
    provider: FaceProvider,
    programme: Programme,
    person: Named,
    purpose: str,
    record: FaceRecord | None,
    reference: str,
) -> Verdict | None:
    """Judge what the person did on the provider's page; None: not finished there. The page's result counts only for
    the person it was opened for. Raises `ProviderUnavailable`."""
    try:
        result = provider.page_result(reference)
        if result is None:
            return None
        if not _same(result.name, person.name) or not _same(result.id_number.upper(), person.id_number.upper()):
            log.warning("face_page_of_another_person", person_id=person.id)
            return Verdict(False, "other_person", result.match, result.liveness)
        live = _clean(provider.page_picture(reference))
        verdict = _by_scores(programme, result.match, result.liveness, live)
        if verdict.passed and purpose == "study":
            match = provider.match(live, _photo(record), reference_is_photo=True)
            verdict = _by_scores(programme, match, result.liveness, live)
    except FaceRefused as refusal:
        return Verdict(False, refusal.reason, code=refusal.code)
    return _with_photo(provider, programme, purpose, record, verdict)


def _by_scores(programme: Programme, match: float, liveness: float, live: bytes) -> Verdict:
    if rules.face_passes(programme, match=match, liveness=liveness):
        return Verdict(True, None, match, liveness, live=live)
    alive = rules.face_passes(programme, match=100.0, liveness=liveness)
    return Verdict(False, "low_score" if alive else "not_live", match, liveness, live=live)


def _with_photo(
    provider: FaceProvider, programme: Programme, purpose: str, record: FaceRecord | None, verdict: Verdict
) -> Verdict:
    """Compare a photo that was uploaded before the real-name check with the face that has just passed it."""
    if not verdict.passed or purpose != "login" or verdict.live is None:
        return verdict
    if record is None or record.photo_status not in COMPARED:
        return verdict
    same = same_face(provider, programme, verdict.live, _photo(record))
    return replace(verdict, photo_matches=same, photo_file=record.photo_file)


def same_face(provider: FaceProvider, programme: Programme, live: bytes, photo: bytes) -> bool:
    """Whether the photo shows the face of the live picture. Raises `ProviderUnavailable`."""
    try:
        match = provider.match(live, photo, reference_is_photo=True)
    except FaceRefused:
        return False
    return rules.face_passes(programme, match=match, liveness=None)


def _photo(record: FaceRecord | None) -> bytes:
    photo = store.get(record.person_id, record.photo_file) if record and record.photo_file else None
    if photo is None:
        raise ProviderUnavailable("our own photo store has no such picture")
    return photo


def _clean(picture: bytes) -> bytes:
    """What comes from the provider is decoded and written anew like anybody's picture."""
    try:
        return image.live_picture(picture)
    except Problem as problem:
        raise ProviderUnavailable(f"page picture: {problem.code}") from problem


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.strip().encode(), right.strip().encode())
