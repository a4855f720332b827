"""Keyrings of a world, before, while and after its keys are replaced."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from app.core import crypto, tokens
from config.settings import Secrets
from tests.world import World

NAMES = ("app.field_keys", "app.photo_keys", "app.index_key", "app.secret_key")
Stage = Literal["old", "both", "swapped", "new"]
ORDER: dict[Stage, tuple[str, ...]] = {
    "old": ("k1",),
    "both": ("k1", "k2"),  # every process learns to read the new key before one writes it
    "swapped": ("k2", "k1"),
    "new": ("k2",),
}


class Rings:
    """The world's keys `k1`, and a new `k2` for each ring."""

    def __init__(self, world: World):
        self.world = world
        self._keys = {
            name: {"k1": world.settings.secrets.keyring(name)["k1"], "k2": os.urandom(32)} for name in NAMES
        }

    def environ(self, stage: Stage) -> dict[str, str]:
        """The environment variables of a process at this stage."""
        return {
            name.upper().replace(".", "_"): " ".join(
                f"{key_id}:{base64.b64encode(ring[key_id]).decode()}" for key_id in ORDER[stage]
            )
            for name, ring in self._keys.items()
        }

    def use(self, stage: Stage) -> None:
        """This process has come to `stage`."""
        secrets = Secrets(self.world.settings.secrets.directory, self.environ(stage))
        crypto.init(secrets)
        tokens.init(secrets)


@contextmanager
def rings_of(world: World) -> Iterator[Rings]:
    """Rings to play with; afterwards the world has its own again."""
    try:
        yield Rings(world)
    finally:
        crypto.init(world.settings.secrets)
        tokens.init(world.settings.secrets)
