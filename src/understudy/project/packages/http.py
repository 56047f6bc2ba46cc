"""The packages' way to the network: http and https only, bounded in size and time, tried again where that may help."""

from __future__ import annotations

import base64
import http.client
import os
import ssl
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import IO, Any, TypeVar

import msgspec

from understudy.errors import ProjectError
from understudy.project.packages.notice import without_password

MB = 1_000_000
CHUNK = 1 << 16
T = TypeVar("T")


class Damaged(Exception):
    """What came is not what was sent, as far as one can see: another try may help."""


class Refused(Exception):
    """A redirect leads where nobody should be led."""


class Http(msgspec.Struct, frozen=True):
    """A client. `delays` are the seconds between tries, so there is one try more than delays (dbt 1.11: five more tries)."""

    delays: tuple[float, ...] = (0.5, 1, 1, 2, 2)
    timeout: float = 30
    deadline: float = 900
    """Seconds that one answer may take in all."""

    def get(self, url: str, limit: int = 100 * MB) -> bytes | None:
        """The answer's body; None where the server has no such page.

        Raises ProjectError: no answer after all tries, a refused redirect, more than `limit` bytes.
        """
        return self._retried(url, lambda: self._body(url, limit, None))

    def download(self, url: str, path: str, then: Callable[[str], T], limit: int = 500 * MB) -> T:
        """Save the body to `path` and hand it to `then`, which raises Damaged to have it fetched anew.

        Raises ProjectError as `get`, and where there is no such page.
        """

        def once() -> T:
            with open(path, "wb") as file:
                if self._body(url, limit, file) is None:
                    raise ProjectError(f"There is nothing to download at {without_password(url)}")
            return then(path)

        try:
            return self._retried(url, once)
        finally:
            if os.path.exists(path):
                os.unlink(path)

    def _retried(self, url: str, action: Callable[[], T]) -> T:
        shown = without_password(url)
        for delay in (*self.delays, None):
            try:
                return action()
            except (Refused, urllib.error.HTTPError) as error:
                if isinstance(error, Refused) or (error.code < 500 and error.code not in (408, 429)):
                    raise ProjectError(f"{shown} cannot be fetched: {error}") from None
                problem: Exception = error
            except ssl.SSLCertVerificationError as error:
                raise ProjectError(f"{shown} cannot be fetched: {error.verify_message}") from None
            except urllib.error.URLError as error:
                if isinstance(error.reason, ssl.SSLCertVerificationError):
                    raise ProjectError(f"{shown} cannot be fetched: {error.reason.verify_message}") from None
                problem = error
            except (Damaged, http.client.HTTPException, ConnectionError, TimeoutError) as error:
                problem = error
            if delay is not None:
                time.sleep(delay)
        reason = problem.reason if type(problem) is urllib.error.URLError else problem
        tries = f" ({len(self.delays) + 1} tries)" if self.delays else ""
        raise ProjectError(
            f"{shown} cannot be fetched{tries}: {reason or type(problem).__name__}",
            hint="Is the network (or the proxy in HTTPS_PROXY) there? DBT_PACKAGE_HUB_URL names another hub.",
        ) from None

    def _body(self, url: str, limit: int, file: IO[bytes] | None) -> bytes | None:
        """The body, or an empty text when it went to `file`; None for a page that is not there."""
        try:
            response = _opener().open(_request(url), timeout=self.timeout)
        except urllib.error.HTTPError as error:
            with error:
                if error.code in (403, 404, 410):  # the hub's store answers 403 for what it does not have
                    return None
            raise
        with response:
            return self._read(response, url, limit, file)

    def _read(self, response: Any, url: str, limit: int, file: IO[bytes] | None) -> bytes:
        chunks: list[bytes] = []
        size, end = 0, time.monotonic() + self.deadline
        while chunk := response.read(CHUNK):
            size += len(chunk)
            if size > limit:
                raise ProjectError(f"{without_password(url)} is larger than {limit // MB} MB, which no package is")
            if time.monotonic() > end:
                raise ProjectError(f"{without_password(url)} takes longer than {self.deadline:.0f} s")
            if file is None:
                chunks.append(chunk)
            else:
                file.write(chunk)
        announced = response.headers.get("Content-Length")
        if announced is not None and announced.isdigit() and int(announced) != size:
            raise Damaged(f"{size} of {announced} bytes came")
        return b"".join(chunks)


class Redirects(urllib.request.HTTPRedirectHandler):
    """Follows to http and https only, and never from https to http."""

    def http_error_302(self, req: Any, fp: Any, code: int, msg: str, headers: Any) -> Any:
        target = urllib.parse.urljoin(req.full_url, headers.get("location") or headers.get("uri") or "")
        scheme = urllib.parse.urlsplit(target).scheme
        if scheme not in ("http", "https") or (req.type == "https" and scheme == "http"):
            raise Refused(f"it leads on to {without_password(target)}")
        return super().http_error_302(req, fp, code, msg, headers)

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def _opener() -> urllib.request.OpenerDirector:
    """Without the handlers of file:, ftp: and data: that urllib has by default."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    ):
        opener.add_handler(handler)
    return opener


def _request(url: str) -> urllib.request.Request:
    """Raises ProjectError where the URL is no http(s) URL. User and password go into a header that no redirect gets."""
    shown = without_password(url)
    try:
        parts = urllib.parse.urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ProjectError(f"{shown!r} is no URL") from None
    if parts.scheme not in ("http", "https") or not host or any(ord(char) <= 32 for char in url):
        raise ProjectError(f"{shown!r} is no http or https URL")
    user, _, address = parts.netloc.rpartition("@")
    quoted = urllib.parse.quote(parts.path, safe="/%:@!$&'()*+,;=~-._")
    request = urllib.request.Request(urllib.parse.urlunsplit((parts.scheme, address, quoted, parts.query, "")))
    request.add_header("User-Agent", "understudy")
    if user:
        token = base64.b64encode(urllib.parse.unquote(user).encode()).decode()
        request.add_unredirected_header("Authorization", f"Basic {token}")
    return request
