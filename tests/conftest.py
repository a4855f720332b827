"""One world a worker of pytest-xdist; each test begins with an empty database and an empty Redis."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import peewee
import pytest
from apiflask import APIFlask
from flask.testing import FlaskClient

from app.core import db
from config.settings import Settings
from sandbox import server
from tests import world as worlds


@pytest.fixture(scope="session")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.World]:
    """The parts, started once."""
    with worlds.build(tmp_path_factory.mktemp("data")) as world:
        yield world


@pytest.fixture
def world(running_world: worlds.World) -> Iterator[worlds.World]:
    """The world, empty, with a connection open; emptied again afterwards."""
    with db.connection():
        yield running_world
    running_world.clear()


@pytest.fixture
def servers_only(world: worlds.World) -> None:
    """For what cannot happen on SQLite, whose write transactions are alone: a lock, and its absence."""
    if isinstance(db.database.obj, peewee.SqliteDatabase):
        pytest.skip("SQLite's write transactions are alone")


@pytest.fixture
def app(world: worlds.World) -> APIFlask:
    """The application over an empty database."""
    return world.app


@pytest.fixture
def client(world: worlds.World) -> FlaskClient:
    """A client without a session."""
    return world.app.test_client()


@pytest.fixture(scope="session")
def sandbox(running_world: worlds.World) -> server.Running:
    """The providers' stand-ins."""
    return running_world.sandbox


@pytest.fixture(scope="session")
def settings(running_world: worlds.World) -> Settings:
    """The settings of this world."""
    return running_world.settings


@pytest.fixture(scope="session")
def data_dir(running_world: worlds.World) -> Path:
    """The data directory, with fresh secrets."""
    return running_world.data_dir
