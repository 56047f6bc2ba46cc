"""A hub of packages on loopback, in the format of hub.getdbt.com, and archives for it."""

from __future__ import annotations

import io
import json
import tarfile
import threading
from collections.abc import Callable, Iterable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, Mapping[str, str], bytes]
Member = tuple[tarfile.TarInfo, bytes]


def member(name: str, content: bytes = b"", **fields: Any) -> Member:
    """One member of an archive; `fields` are those of TarInfo (type, linkname, mode ...)."""
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in fields.items():
        setattr(info, key, value)
    return info, content


def archive(members: Iterable[Member], mode: str = "w:gz", **options: Any) -> bytes:
    """An archive of these members, as bytes."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode, **options) as tar:
        for info, content in members:
            tar.addfile(info, io.BytesIO(content) if content else None)
    return buffer.getvalue()


def project_archive(name: str, version: str, files: Mapping[str, str] | None = None) -> bytes:
    """A package as GitHub packs it: in one folder, whose name is not the project's."""
    texts = {"dbt_project.yml": f"name: {name}\nversion: '{version}'\n", **(files or {})}
    folder = f"{name}-{version}-abc123"
    members = [member(f"{folder}/{path}", text.encode()) for path, text in texts.items()]
    return archive([member(f"{folder}/", type=tarfile.DIRTYPE, mode=0o755), *members])


class Hub:
    """Serves until it is closed. `answers` maps paths to answers, or to functions of the number of the request."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer | Callable[[int], Answer]] = {}
        self.requests: list[tuple[str, Mapping[str, str]]] = []
        hub = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                hub.requests.append((self.path, dict(self.headers)))
                answer = hub.answers.get(self.path, (404, {}, b"not here"))
                if callable(answer):
                    answer = answer(sum(path == self.path for path, _ in hub.requests))
                status, headers, body = answer
                self.send_response(status)
                for key, value in ({"Content-Length": str(len(body))} | dict(headers)).items():
                    self.send_header(key, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.index: list[str] = []
        self.packages: dict[str, dict[str, Any]] = {}

    def close(self) -> None:
        """Stop serving."""
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def paths(self) -> list[str]:
        """The paths that were asked for, in order."""
        return [path for path, _ in self.requests]

    def add(
        self,
        package: str,
        version: str,
        packages: list[Any] | None = None,
        body: bytes | None = None,
        files: Mapping[str, str] | None = None,
        **description: Any,
    ) -> None:
        """Publish a version of a package."""
        name = package.split("/")[1]
        tarball = f"/tarballs/{package}/{version}.tar.gz"
        self.answers[tarball] = 200, {}, project_archive(name, version, files) if body is None else body
        about = self.packages.setdefault(
            package, {"name": name, "namespace": package.split("/")[0], "latest": version, "versions": {}}
        )
        about["versions"][version] = {
            "id": f"{package}/{version}",
            "name": name,
            "version": version,
            "packages": packages or [],
            "downloads": {"tarball": self.url.rstrip("/") + tarball, "format": "tgz", "sha1": "0"},
            **description,
        }
        if package not in self.index:
            self.index.append(package)
        self.publish(package, about)

    def publish(self, package: str, about: Mapping[str, Any]) -> None:
        """Say this about a package."""
        self.answers["/api/v1/index.json"] = 200, {}, json.dumps(self.index).encode()
        self.answers[f"/api/v1/{package}.json"] = 200, {}, json.dumps(about).encode()
