"""What tests of face checks share: a stranger's face, the row of a check, many at once, the provider's page."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
import requests

from app.core import db
from app.core.errors import Problem
from app.face.models import FaceCheck
from sandbox.faces import make_face, person_of
from tests.face.conftest import Someone
from tests.world import World


def stranger_of(me: Someone) -> bytes:
    return make_face(person_of(me.id_number) + 1)


def row(check: dict[str, Any]) -> FaceCheck:
    return FaceCheck.get_by_id(check["id"])


def code_of(call: Callable[[], object]) -> str:
    with pytest.raises(Problem) as caught:
        call()
    return caught.value.code


def at_once(count: int, work: Callable[[int], object]) -> list[object]:
    """Run `work` in `count` threads that begin together; the results, or the codes of the problems."""
    barrier = threading.Barrier(count)
    results: list[object] = []

    def run(number: int) -> None:
        with db.connection():
            barrier.wait()
            try:
                results.append(work(number))
            except Problem as problem:
                results.append(problem.code)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def back_from_page(check: dict[str, Any], world: World, outcome: str = "pass") -> str:
    """Press the button of the provider's page in a browser, follow it home; gives how it says it went."""
    page = requests.get(check["h5_url"], timeout=5)
    assert page.status_code == 200
    home = requests.post(check["h5_url"], data={"outcome": outcome}, allow_redirects=False, timeout=5)
    assert home.status_code == 302
    target = home.headers["Location"]
    assert target.startswith(f"{world.settings.public_url}/face/return?check={check['id']}&nonce=")
    landed = requests.get(target, timeout=5, allow_redirects=False)
    if "&web=1&" in target:  # begun in a browser: the web page goes on there
        assert (landed.status_code, landed.headers["Location"]) == (303, f"/?face={check['id']}")
    else:
        assert landed.status_code == 200
        assert f'href="/?face={check["id"]}"' in landed.text  # the way on
    return target.rsplit("outcome=", 1)[1]
