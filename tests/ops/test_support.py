"""What support does from the command line."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from app.account import limits
from app.certificate.models import ProofPhoto
from app.core.audit import AuditEntry
from app.core.clock import utcnow
from app.face import tries
from app.face.models import FaceRecord
from ops import manage
from tests.certificate.offices import a_graduate, a_photo
from tests.factories import a_person, an_id_number
from tests.world import World

BY = ("--by", "王芳")
# these only look, do what the schedule does, write a file for somebody, or are a step of an update; `check-keys` lets
# go what nothing needs
LOOKS = {
    "audit",
    "bill-sheet",
    "bills",
    "cases",
    "check-keys",
    "make-migration",
    "make-questions",
    "make-roster",
    "migrate",
    "reconcile",
    "transfers",
}


def run(*arguments: str) -> int:
    """One command, in this process and this world."""
    options = manage.parser().parse_args(arguments)
    status: int = options.run(options)
    return status


def written(action: str) -> dict[str, Any]:
    """The actor and the facts of the one line of this action in the audit log."""
    entry = AuditEntry.get(AuditEntry.action == action)
    facts: dict[str, Any] = json.loads(entry.data)
    return facts | {"actor": entry.actor}


def test_every_command_that_changes_something_asks_who_does_it() -> None:
    (commands,) = [action for action in manage.parser()._actions if isinstance(action, argparse._SubParsersAction)]
    asking = {
        name
        for name, command in commands.choices.items()
        if any(option.dest == "actor" and option.required for option in command._actions)
    }
    assert set(commands.choices) - asking == LOOKS


def test_a_photo_is_given_free(world: World) -> None:
    person = a_person()
    a_photo(person, now=utcnow())
    assert run("release-photo", person.id_number, "--reason", "照片不清晰", *BY) == 0
    assert FaceRecord.get(FaceRecord.person_id == person.id).photo_status == "none"
    assert written("photo.released") == {"actor": "staff:王芳", "reason": "照片不清晰"}


def test_face_checks_may_be_tried_again(world: World) -> None:
    person = a_person()
    tries.count(person.id, now=utcnow())
    assert run("allow-face", person.id_number, "--reason", "视频核对本人", *BY) == 0
    assert FaceRecord.get(FaceRecord.person_id == person.id).tries == 0
    assert written("face.tries_given_again") == {"actor": "staff:王芳", "reason": "视频核对本人"}


def test_an_owner_is_let_in_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    person = a_person()
    cleared: list[str] = []
    monkeypatch.setattr(limits, "unlock", lambda account, *_: cleared.append(account))
    assert run("unlock-login", person.id_number, "--reason", "来电核实", *BY) == 0
    assert cleared == [person.id_number]
    assert written("login.limits_cleared") == {"actor": "staff:王芳", "reason": "来电核实"}


@pytest.mark.parametrize("verb", ["release-photo", "allow-face", "unlock-login"])
def test_nobody_is_found_by_a_wrong_number_and_a_reason_is_a_must(world: World, verb: str) -> None:
    assert run(verb, an_id_number(), "--reason", "来电", *BY) == 1
    with pytest.raises(SystemExit):
        run(verb, a_person().id_number, "--reason", " ", *BY)
    assert AuditEntry.select().where(AuditEntry.actor == "staff:王芳").count() == 0


def test_the_audit_looks_at_proofs_too(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    proof = a_graduate().proof
    assert run("audit") in (0, 1)
    assert proof.id not in capsys.readouterr().out
    ProofPhoto.delete().execute()
    assert run("audit") == 1
    assert f"{proof.id}: valid" in capsys.readouterr().out
