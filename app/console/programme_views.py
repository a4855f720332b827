"""Programmes as sentences: their versions and days, what differs, what is odd, whether they are open and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from flask import Response, current_app, request

from app.console.pages import blueprint, page
from app.core.access import Role, access, request_now, staff
from app.core.errors import NOT_FOUND
from app.core.staff import EVERYWHERE
from app.policy import load, rooms
from app.policy.days import shanghai_day
from app.policy.doubts import Doubt, doubts
from app.policy.schema import Programme
from app.policy.sentences.compare import alone, compare


@dataclass(frozen=True)
class Version:
    """A version of a programme. `until`: the day before the next one; `missing`: what the product lacks for it;
    `by_hand`: what it leaves to the telephone; `released`: it never changes again."""

    programme: Programme
    in_force: bool
    released: bool
    until: date | None
    missing: tuple[str, ...]
    by_hand: tuple[str, ...]
    doubts: list[Doubt]

    @property
    def name(self) -> str:
        """Its day, which is its name."""
        return self.programme.version.isoformat()

    @property
    def state(self) -> str:
        """In a word."""
        if self.in_force:
            return "现行"
        return "未开放" if self.missing else "未到生效日" if self.until is None else "已被替代"


def _versions(today: date) -> dict[str, list[Version]]:
    """Every version of the programmes in which they have any right, the newest first."""
    places = {place for _, place in staff().staff.rights}
    manifest = load.released(current_app.config["SETTINGS"].programmes_dir)
    in_force = {(one.key, one.version) for one in load.all_in_force(today)}
    found: dict[str, list[Version]] = {}
    for programme in load.all_programmes():
        if places & {programme.key, EVERYWHERE}:
            found.setdefault(programme.key, []).append(
                Version(
                    programme=programme,
                    in_force=(programme.key, programme.version) in in_force,
                    released=f"{programme.key}/{programme.version}.toml" in manifest,
                    until=None,
                    missing=rooms.missing(programme),
                    by_hand=rooms.by_hand(programme),
                    doubts=doubts(programme),
                )
            )
    return {key: _newest_first(versions) for key, versions in found.items()}


def _newest_first(versions: list[Version]) -> list[Version]:
    following = [*versions[1:], None]
    dated = [
        Version(**{**one.__dict__, "until": after.programme.version if after else None})
        for one, after in zip(versions, following, strict=True)
    ]
    return dated[::-1]


@blueprint.get("/programmes")
@access(Role.STAFF)
def list_programmes() -> Response:
    """Every programme with its versions."""
    return page("programmes.html", programmes_=_versions(shanghai_day(request_now())))


@blueprint.get("/programmes/<key>/<version>")
@access(Role.STAFF)
def show_programme(key: str, version: str) -> Response:
    """One version in sentences, beside another one if the address names it."""
    versions = _versions(shanghai_day(request_now())).get(key, [])
    shown = next((one for one in versions if one.name == version), None)
    if shown is None:
        raise NOT_FOUND()
    against = next((one for one in versions if one.name == request.args.get("against")), None)
    chapters = compare(against.programme, shown.programme) if against else alone(shown.programme)
    return page("programme.html", shown=shown, versions=versions, against=against, chapters=chapters)
