"""The way to the network, against a server on loopback that misbehaves."""

from __future__ import annotations

import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.hub import Hub

from understudy.errors import ProjectError
from understudy.project.packages.http import Damaged, Http, Redirects, Refused

QUICK = Http(delays=(0.01, 0.01), timeout=5)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    hub = Hub()
    yield hub
    hub.close()


def test_a_body(server: Hub) -> None:
    server.answers["/a%20b?q=1"] = 200, {}, b"hello"
    assert QUICK.get(f"{server.url}a%20b?q=1") == b"hello"


@pytest.mark.parametrize("status", [403, 404, 410])
def test_what_is_not_there_is_none(server: Hub, status: int) -> None:
    server.answers["/x"] = status, {}, b"no"
    assert QUICK.get(f"{server.url}x") is None
    assert server.paths() == ["/x"]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_server_is_asked_again(server: Hub, status: int) -> None:
    server.answers["/x"] = lambda n: (status, {}, b"") if n < 3 else (200, {}, b"there")
    assert QUICK.get(f"{server.url}x") == b"there"
    assert len(server.requests) == 3


def test_in_the_end_we_give_up(server: Hub) -> None:
    server.answers["/x"] = 502, {}, b""
    with pytest.raises(ProjectError, match=r"cannot be fetched \(3 tries\).*502") as caught:
        QUICK.get(f"{server.url}x")
    assert len(server.requests) == 3
    assert caught.value.hint


def test_a_refusal_is_final(server: Hub) -> None:
    server.answers["/x"] = 401, {}, b""
    with pytest.raises(ProjectError, match="401"):
        QUICK.get(f"{server.url}x")
    assert len(server.requests) == 1


def test_half_an_answer_is_asked_for_again(server: Hub) -> None:
    server.answers["/x"] = lambda n: (200, {"Content-Length": "10"} if n == 1 else {}, b"hello")
    assert QUICK.get(f"{server.url}x") == b"hello"


def test_nobody_there() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(ProjectError, match=f"127.0.0.1:{port}.*refused") as caught:
        QUICK.get(f"http://127.0.0.1:{port}/x")
    assert "network" in (caught.value.hint or "")


def test_an_answer_that_is_too_large(server: Hub) -> None:
    server.answers["/x"] = 200, {}, bytes(3_000_000)
    with pytest.raises(ProjectError, match="larger than 1 MB"):
        QUICK.get(f"{server.url}x", limit=1_000_000)


def test_a_redirect_is_followed(server: Hub) -> None:
    server.answers["/x"] = 302, {"Location": "/y"}, b""
    server.answers["/y"] = 200, {}, b"there"
    assert QUICK.get(f"{server.url}x") == b"there"


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:,hello", "gopher://x"])
def test_a_redirect_to_something_else_is_refused(server: Hub, code: int, target: str) -> None:
    server.answers["/x"] = code, {"Location": target}, b""
    with pytest.raises(ProjectError, match="leads on to"):
        QUICK.get(f"{server.url}x")
    assert len(server.requests) == 1


def test_a_redirect_never_gives_up_encryption() -> None:
    request = urllib.request.Request("https://example.org/x")
    with pytest.raises(Refused, match="it leads on to"):
        Redirects().http_error_302(request, None, 302, "", {"location": "http://example.org/y"})


def test_redirects_in_a_circle(server: Hub) -> None:
    server.answers["/x"] = 302, {"Location": "/x"}, b""
    with pytest.raises(ProjectError, match="cannot be fetched"):
        QUICK.get(f"{server.url}x")


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://x/y",
        "data:,x",
        "x",
        "",
        "http://",
        "http://x:port/",
        "http://a b/",
        "https://x/\r\nHost: y",
    ],
)
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ProjectError, match="URL"):
        QUICK.get(url)


def test_user_and_password_go_to_the_named_server_only(server: Hub) -> None:
    server.answers["/x"] = 302, {"Location": "/y"}, b""
    server.answers["/y"] = 500, {}, b"there"
    with pytest.raises(ProjectError) as caught:
        QUICK.get(server.url.replace("://", "://me:hunter%322@") + "x")
    first, second = server.requests[:2]
    assert first[1]["Authorization"] == "Basic bWU6aHVudGVyMjI="
    assert "Authorization" not in second[1]
    assert "hunter" not in str(caught.value)


def test_a_damaged_download_is_fetched_again(server: Hub, tmp_path: Path) -> None:
    server.answers["/x"] = lambda n: (200, {}, b"bad" if n == 1 else b"good")

    def read(path: str) -> bytes:
        if Path(path).read_bytes() == b"bad":
            raise Damaged("bad")
        return Path(path).read_bytes()

    assert QUICK.download(f"{server.url}x", str(tmp_path / "file"), read) == b"good"
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ProjectError, match="nothing to download"):
        QUICK.download(f"{server.url}y", str(tmp_path / "file"), read)
