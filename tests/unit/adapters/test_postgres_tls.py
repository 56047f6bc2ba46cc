"""`sslmode` and the certificates of a profile, against a server that speaks TLS."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import trustme
from support import postgres

from understudy.adapters.postgres.adapter import open_adapter
from understudy.core.statement import Statement
from understudy.errors import ConnectionFailed

SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody else knows."""
    return trustme.CA()


@pytest.fixture
def folder(authority: trustme.CA, tmp_path: Path) -> Path:
    """The files that a profile names, as they come from whoever runs the server."""
    client = authority.issue_cert("somebody@example.org")
    authority.cert_pem.write_to_path(tmp_path / "root.crt")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.crt")
    client.cert_chain_pems[0].write_to_path(tmp_path / "client.crt")
    client.private_key_pem.write_to_path(tmp_path / "client.key")
    (tmp_path / "client.key").chmod(0o600)
    return tmp_path


class Front:
    """What a server does before the first word of the protocol: it takes TLS, and here nothing else.

    Not every PostgreSQL is built with TLS (that of the wheel is not), so it stands before one that has none, and hands
    what it hears on. `seen` are the client's certificates.
    """

    def __init__(self, context: ssl.SSLContext, server: Any) -> None:
        self.context, self.server = context, server
        self.seen: list[Any] = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.threads = [threading.Thread(target=self.accept, daemon=True)]
        self.threads[0].start()

    def accept(self) -> None:
        with suppress(OSError):  # closed: the test is over
            while True:
                client, _ = self.listener.accept()
                self.threads.append(threading.Thread(target=self.serve, args=(client,), daemon=True))
                self.threads[-1].start()

    def serve(self, client: socket.socket) -> None:
        with client, suppress(OSError):
            if client.recv(8) != SSL_REQUEST:
                return  # plain text is not taken
            client.sendall(b"S")
            with (
                self.context.wrap_socket(client, server_side=True) as inside,
                socket.create_connection((self.server.host, self.server.port)) as behind,
            ):
                self.seen.append(inside.getpeercert())
                inside.settimeout(0.02)
                behind.settimeout(0.02)
                while all(hand_on(*pair) for pair in ((inside, behind), (behind, inside))):
                    pass

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for thread in self.threads:
            thread.join(20)
            assert not thread.is_alive()


def hand_on(giver: socket.socket, taker: socket.socket) -> bool:
    """Hand on what is there; False when the giver has hung up."""
    try:
        said = giver.recv(65536)
    except TimeoutError:
        return True
    if said:
        taker.sendall(said)
    return bool(said)


@contextmanager
def front(authority: trustme.CA, server: Any, *, asks_for_certificate: bool) -> Iterator[Front]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.configure_trust(context)
    context.verify_mode = ssl.CERT_REQUIRED if asks_for_certificate else ssl.CERT_NONE
    before = Front(context, server)
    try:
        yield before
    finally:
        before.close()


@pytest.fixture
def before(authority: trustme.CA, postgres_server: Any) -> Iterator[Front]:
    """A server that shows its certificate, and asks for none."""
    with front(authority, postgres_server, asks_for_certificate=False) as opened:
        yield opened


def connect(before: Front, folder: Path, **fields: Any) -> None:
    """Open a session through TLS, ask something, close it."""
    target = postgres.target(before.server, **{"host": "localhost", "port": before.port, **fields})
    session = open_adapter(target, str(folder)).connect()
    try:
        assert session.execute(Statement("select 41 + 1", fetch=True)).rows == [(42,)]
    finally:
        session.close()


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"sslmode": "prefer"},
        {"sslmode": "require"},
        {"sslmode": "verify-ca", "sslrootcert": "root.crt"},
        {"sslmode": "verify-ca", "sslrootcert": "root.crt", "host": "127.0.0.1"},
        {"sslmode": "verify-full", "sslrootcert": "root.crt"},
    ],
)
def test_what_the_server_shows_is_enough(before: Front, folder: Path, fields: dict[str, str]) -> None:
    connect(before, folder, **fields)
    assert before.seen


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"sslmode": "disable"}, "closed the connection|reset by peer"),
        ({"sslmode": "verify-ca", "sslrootcert": "other.crt"}, "certificate verify failed"),
        ({"sslmode": "require", "sslrootcert": "other.crt"}, "certificate verify failed"),
        ({"sslmode": "verify-ca", "sslrootcert": "nowhere.crt"}, r"/nowhere\.crt\" does not exist"),
        ({"sslmode": "verify-full", "sslrootcert": "root.crt", "host": "127.0.0.1"}, "does not match host name"),
    ],
)
def test_a_server_that_is_not_trusted(before: Front, folder: Path, fields: dict[str, str], words: str) -> None:
    with pytest.raises(ConnectionFailed, match=words):
        connect(before, folder, **fields)


def test_a_server_without_tls(postgres_server: Any) -> None:
    assert postgres.sql(postgres_server, "show ssl") == [("off",)]
    with pytest.raises(ConnectionFailed, match="does not support SSL"):
        open_adapter(postgres.target(postgres_server, sslmode="require"), "").connect()
    with closing(open_adapter(postgres.target(postgres_server, sslmode="prefer"), "")) as adapter:
        adapter.connect().close()


class TestClient:
    """The client's own certificate."""

    @pytest.fixture
    def strict(self, authority: trustme.CA, postgres_server: Any) -> Iterator[Front]:
        """A server that asks for a certificate of its authority."""
        with front(authority, postgres_server, asks_for_certificate=True) as opened:
            yield opened

    def test_it_is_shown(self, strict: Front, folder: Path) -> None:
        connect(strict, folder, sslmode="require", sslcert="client.crt", sslkey="client.key")
        (seen,) = strict.seen
        assert ("email", "somebody@example.org") in seen["subjectAltName"]

    def test_a_path_may_be_absolute(self, strict: Front, folder: Path) -> None:
        connect(strict, folder, sslcert=str(folder / "client.crt"), sslkey=str(folder / "client.key"))
        assert strict.seen

    def test_without_one(self, strict: Front, folder: Path) -> None:
        with pytest.raises(ConnectionFailed, match="certificate required"):
            connect(strict, folder, sslmode="require")

    def test_a_key_that_is_not_there(self, strict: Front, folder: Path) -> None:
        with pytest.raises(ConnectionFailed, match=r"nowhere\.key"):
            connect(strict, folder, sslmode="require", sslcert="client.crt", sslkey="nowhere.key")

    def test_a_key_that_others_can_read(self, strict: Front, folder: Path) -> None:
        (folder / "client.key").chmod(0o644)
        with pytest.raises(ConnectionFailed, match="has group or world access"):
            connect(strict, folder, sslmode="require", sslcert="client.crt", sslkey="client.key")
