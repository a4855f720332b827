"""The line to a database over TLS: encrypted, and only to the server whose certificate the authority gave."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import peewee
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from app.core import engines
from tests.core.test_redis import wait_for

pytestmark = pytest.mark.slow


def certify(folder: Path, name: str) -> None:
    """An authority (`NAME.ca.pem`), and what it gave a server at 127.0.0.1 (`NAME.pem`, `NAME.key`)."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, f"{name} {role}")]) for role in ("ca", "server")]
    now = datetime.now(UTC)
    for number, (key, subject) in enumerate(zip(keys, names, strict=True)):
        made = (
            x509.CertificateBuilder(names[0], subject, key.public_key(), x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
            .sign(keys[0], SHA256())
        )
        (folder / f"{name}{'' if number else '.ca'}.pem").write_bytes(made.public_bytes(Encoding.PEM))
    key_file = folder / f"{name}.key"
    key_file.write_bytes(keys[1].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    key_file.chmod(0o600)


def program(name: str) -> str:
    """Where a server's program is; Debian keeps PostgreSQL's outside of the path."""
    debian = [str(folder) for folder in Path("/usr/lib/postgresql").glob("*/bin")]
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *debian]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


@contextmanager
def owned_folder(owner: str) -> Iterator[tuple[Path, str | None]]:
    """A folder with two authorities, and as whom a server is to run there: these refuse to run as root."""
    folder = Path(tempfile.mkdtemp(prefix="tls-"))
    user = owner if os.getuid() == 0 else None
    try:
        for name in ("ours", "other"):
            certify(folder, name)
        if user is not None:
            for file in (folder, *folder.iterdir()):
                shutil.chown(file, user)
        yield folder, user
    finally:
        shutil.rmtree(folder)


@contextmanager
def running(command: list[str], user: str | None, ready: Callable[[], bool]) -> Iterator[None]:
    """A server, once it is ready."""
    process = subprocess.Popen(command, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(command[0], ready)
        yield
    finally:
        process.terminate()
        process.wait()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture(scope="module")
def mariadb() -> Iterator[tuple[str, Path]]:
    """host:port of a MariaDB that takes only encrypted lines, and the folder of its authority."""
    install, server = program("mariadb-install-db"), program("mariadbd")
    with owned_folder("mysql") as (folder, user):
        data = [f"--datadir={folder}/data"]
        subprocess.run(
            [install, "--no-defaults", *data, "--auth-root-authentication-method=normal", "--skip-test-db"],
            user=user, check=True, capture_output=True,
        )  # fmt: skip
        port = free_port()
        own = [f"--ssl-ca={folder}/ours.ca.pem", f"--ssl-cert={folder}/ours.pem", f"--ssl-key={folder}/ours.key"]
        where = [f"--socket={folder}/s", f"--pid-file={folder}/pid", "--bind-address=127.0.0.1", f"--port={port}"]
        command = [server, "--no-defaults", *data, *where, *own, "--require-secure-transport=ON"]
        with running(command, user, lambda: listens(port)):
            yield f"127.0.0.1:{port}", folder


@pytest.fixture(scope="module")
def postgresql() -> Iterator[tuple[str, Path]]:
    """host:port of a PostgreSQL that takes only encrypted lines, and the folder of its authority."""
    init, server = program("initdb"), program("postgres")
    with owned_folder("postgres") as (folder, user):
        data = folder / "data"
        subprocess.run(
            [init, "-D", data, "-U", "postgres", "--auth=trust", "--encoding=UTF8"],
            user=user, check=True, capture_output=True,
        )  # fmt: skip
        (data / "pg_hba.conf").write_text("hostssl all all 127.0.0.1/32 trust\n")
        port = free_port()
        own = ["ssl=on", f"ssl_cert_file={folder}/ours.pem", f"ssl_key_file={folder}/ours.key"]
        where = ["listen_addresses=127.0.0.1", f"port={port}", f"unix_socket_directories={folder}"]
        command = [server, "-D", str(data), *(word for one in (*where, *own) for word in ("-c", one))]
        state = data / "postmaster.pid"  # it listens before it lets anybody in
        with running(command, user, lambda: state.is_file() and "ready" in state.read_text()):
            yield f"127.0.0.1:{port}", folder


def ask(url: str, question: str) -> str:
    """The last column of the answer, over a line that the product opens by `url`."""
    engine = engines.make(url, connections=1)
    try:
        return str(engine.execute_sql(question).fetchone()[-1])
    finally:
        engine.close_all()


CIPHER = "SHOW SESSION STATUS LIKE 'Ssl_cipher'"


def test_the_line_to_mariadb_is_encrypted(mariadb: tuple[str, Path]) -> None:
    place, folder = mariadb
    assert "AES" in ask(f"mysql://root@{place}/mysql?tls={folder}/ours.ca.pem", CIPHER)


def test_a_mariadb_that_is_not_the_one_meant_is_not_spoken_to(mariadb: tuple[str, Path]) -> None:
    place, folder = mariadb
    for tls in ("on", f"{folder}/other.ca.pem"):
        with pytest.raises(peewee.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
            ask(f"mysql://root@{place}/mysql?tls={tls}", CIPHER)
    elsewhere = place.replace("127.0.0.1", "localhost")  # the same server, under a name that its certificate lacks
    with pytest.raises(peewee.OperationalError, match="Hostname mismatch"):
        ask(f"mysql://root@{elsewhere}/mysql?tls={folder}/ours.ca.pem", CIPHER)


def test_without_tls_a_mariadb_that_wants_it_lets_nobody_in(mariadb: tuple[str, Path]) -> None:
    with pytest.raises(peewee.OperationalError, match="1045"):
        ask(f"mysql://root@{mariadb[0]}/mysql", CIPHER)


SSL = "SELECT cipher FROM pg_stat_ssl WHERE ssl AND pid = pg_backend_pid()"


def test_the_line_to_postgresql_is_encrypted(postgresql: tuple[str, Path]) -> None:
    place, folder = postgresql
    url = f"postgresql://postgres@{place}/postgres?sslmode=verify-full&sslrootcert={folder}/ours.ca.pem"
    assert "AES" in ask(url, SSL)


def test_a_postgresql_that_is_not_the_one_meant_is_not_spoken_to(postgresql: tuple[str, Path]) -> None:
    place, folder = postgresql
    with pytest.raises(peewee.OperationalError, match="certificate verify failed"):
        ask(f"postgresql://postgres@{place}/postgres?sslmode=verify-full&sslrootcert={folder}/other.ca.pem", SSL)
    elsewhere = place.replace("127.0.0.1", "localhost")
    with pytest.raises(peewee.OperationalError, match="does not match host name"):
        ask(f"postgresql://postgres@{elsewhere}/postgres?sslmode=verify-full&sslrootcert={folder}/ours.ca.pem", SSL)


def test_without_tls_a_postgresql_that_wants_it_lets_nobody_in(postgresql: tuple[str, Path]) -> None:
    with pytest.raises(peewee.OperationalError, match="no encryption"):
        ask(f"postgresql://postgres@{postgresql[0]}/postgres?sslmode=disable", SSL)
