"""`docs serve`: the page in the browser, on this machine (dbt 1.11: ServeTask)."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from understudy.app.events import Logged, Output
from understudy.app.invocation import Invocation, Outcome
from understudy.app.load import settings_of
from understudy.artifacts.page import page
from understudy.errors import ArtifactError, Place, UsageError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
EVERYWHERE = ("", "0.0.0.0", "::")


def serve(invocation: Invocation) -> Outcome:
    """Serve the page until Ctrl-C, which is the way to end it: exit code 0.

    Raises:
        ArtifactError: nothing was generated yet.
        UsageError: the address or the port cannot be had.
    """
    options = invocation.options
    settings = settings_of(invocation, with_packages=False)
    folder = os.path.join(settings.root.root, settings.target_path)
    for name in ("manifest.json", "catalog.json"):
        if not os.path.isfile(os.path.join(folder, name)):
            place = Place(path=os.path.join(settings.target_path, name))
            raise ArtifactError("There is no documentation to show", place=place, hint="Run `docs generate` first.")
    with open_server(options.host, options.port, folder, lambda text: invocation.emit(Logged(text))) as server:
        shown = "localhost" if options.host in (*LOOPBACK, *EVERYWHERE) else options.host
        url = f"http://{shown}:{server.server_address[1]}"
        invocation.emit(Output(f"Serving docs at {url}\nPress Ctrl+C to exit."))
        if options.browser:
            import webbrowser

            webbrowser.open_new_tab(url)
        with suppress(KeyboardInterrupt):
            server.serve_forever()
    return Outcome()


def open_server(host: str, port: int, folder: str, log: Callable[[str], None]) -> ThreadingHTTPServer:
    """A server that listens, and answers once `serve_forever` is called. Port 0 takes any that is free. Raises UsageError."""
    names = None if host in EVERYWHERE else {host.lower(), *(LOOPBACK if host in LOOPBACK else ())}
    handler = partial(Handler, directory=folder, names=names, log=log)
    try:
        return Server((host, port), handler)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        hint = "Name another one with --port; --port 0 takes any that is free."
        raise UsageError(f"Cannot listen on {host}:{port}: {reason}", hint=hint) from error


class Server(ThreadingHTTPServer):
    """Answers in threads that do not hold up the end."""

    daemon_threads = True


class Handler(SimpleHTTPRequestHandler):
    """The page, and the files beside it. No folders are listed, nothing hidden is shown.

    `names` are the hosts that a request may ask for: a foreign site whose name leads to this machine learns nothing.
    """

    def __init__(self, *args: Any, names: set[str] | None, log: Callable[[str], None], **kwargs: Any) -> None:
        self.names = names
        self.log = log
        super().__init__(*args, **kwargs)

    def send_head(self) -> Any:
        """The answer's head; the file to copy, or None."""
        path = self.path.partition("?")[0].partition("#")[0]
        if not self._asks_us():
            return self.send_error(HTTPStatus.MISDIRECTED_REQUEST)
        if any(part.startswith(".") for part in path.split("/")) or (path != "/" and path.endswith("/")):
            return self.send_error(HTTPStatus.NOT_FOUND)
        if path in ("/", "/index.html"):
            return self._send_page()
        return super().send_head()

    def list_directory(self, path: Any) -> None:
        """Folders are nobody's business."""
        self.send_error(HTTPStatus.NOT_FOUND)

    def end_headers(self) -> None:
        """The next `docs generate` is to be seen at once."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """One line of the log, for --debug."""
        self.log(format % args)

    def _send_page(self) -> Any:
        from io import BytesIO

        content = b"".join(page())  # ours, whoever wrote the folder
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return BytesIO(content)

    def _asks_us(self) -> bool:
        host = self.headers.get("Host", "").lower()
        name = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
        return self.names is None or name in self.names
