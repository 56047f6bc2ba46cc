"""Opening Spark: a session in this process, or a client of Spark Connect."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from pyspark import SparkConf, SparkContext
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from understudy.adapters.spark.errors import DRIVER_ERRORS, translate
from understudy.adapters.spark.java import java
from understudy.adapters.spark.profile import WAREHOUSE, Profile
from understudy.errors import ConnectionFailed, DatabaseLocked, ExecutionError, ProfileError

QUIET = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "FATAL"}
"""Settings of a session that is started here, unless the profile has others: the terminal belongs to the run."""
CATALOG = "spark.sql.catalogImplementation"
DERBY = "spark.hadoop.javax.jdo.option.ConnectionURL"
JAVA_OPTIONS = "spark.driver.extraJavaOptions"
OWN_CONFIGURATION = ("SPARK_CONF_DIR", "SPARK_HOME")
LOGGERS = ("SQLQueryContextLogger", "DataFrameQueryContextLogger")


def settings(profile: Profile, project_root: str, environment: Mapping[str, str]) -> dict[str, str]:
    """The settings of a session that is started here: the profile's, and ours where nobody has said anything.

    The metastore is Hive's, as dbt-spark has it, so that tables outlive the process. Where Spark has no configuration of
    its own (a bare `pip install`), the metastore and the tables live in the project's folder.
    """
    given = dict(profile.server_side_parameters)
    found = {**QUIET, CATALOG: "hive", **given}
    if not any(environment.get(name) for name in OWN_CONFIGURATION):
        found.setdefault(WAREHOUSE, os.path.join(project_root, "spark-warehouse"))
        if found[CATALOG] == "hive" and not any("hive.metastore.uris" in name for name in found):
            folder = os.path.join(project_root, "metastore_db")
            found.setdefault(DERBY, f"jdbc:derby:;databaseName={folder};create=true")
        options = f"-Dderby.stream.error.file={os.devnull} -Dlog4j2.configurationFile={logging_file()}"
        found[JAVA_OPTIONS] = f"{options} {given.get(JAVA_OPTIONS, '')}".strip()
    return found


def logging_file() -> str:
    """Java's logging as we want it: an error of a statement is raised, and told by the run."""
    return (Path(__file__).parent / "log4j2.properties").as_uri()


def open_spark(profile: Profile, project_root: str) -> tuple[Any, bool]:
    """A session with the profile's settings, and whether closing it is up to us.

    Raises ConnectionFailed, DatabaseLocked, ProfileError.
    """
    if profile.method == "connect":
        session, ours = open_client(profile), True
    else:
        session, ours = open_session(profile, project_root)
    for name, value in profile.server_side_parameters.items():
        if session.conf.isModifiable(name):  # the others are those of a start
            session.conf.set(name, value)
    return session, ours


def open_session(profile: Profile, project_root: str) -> tuple[SparkSession, bool]:
    """The process' session, and whether it was started here: whoever starts Spark stops it.

    Raises ConnectionFailed, DatabaseLocked, ProfileError (no Java).
    """
    _be_quiet()
    running = SparkContext._active_spark_context is not None
    try:
        if not running:
            _start(settings(profile, project_root, os.environ))
        builder: Any = SparkSession.builder
        session: SparkSession = builder.getOrCreate()
        session.sql("show schemas").collect()  # opens the metastore: one that is locked is told of here
    except DRIVER_ERRORS as error:
        raise opening(error, profile.where) from error
    return session, not running


def _start(values: Mapping[str, str]) -> None:
    """Start Spark. What Java writes to stderr goes to a file, for the terminal is ours; it is told when Java fails."""
    launch: Any = launch_gateway
    conf = SparkConf().setAppName("understudy").setAll(list(values.items()))
    before = signal.getsignal(signal.SIGINT)
    with TemporaryFile() as words, java():
        try:
            gateway = SparkContext._gateway or launch(conf, {"stderr": words})
            context = SparkContext(conf=conf, gateway=gateway)
            if "PYSPARK_PYTHON" not in os.environ and (context.master or "").startswith("local"):
                context.pythonExec = sys.executable  # workers on this machine find the models' own packages
        except DRIVER_ERRORS as error:
            words.seek(0)
            said = words.read().decode(errors="replace").strip()
            raise ConnectionFailed(
                f"Spark cannot be started: {translate(error).message}\n{said[-2000:]}".strip()
            ) from error
        finally:
            if threading.current_thread() is threading.main_thread():
                signal.signal(signal.SIGINT, before)  # PySpark's own handler would come before the run's


def open_client(profile: Profile) -> Any:
    """A session on a Spark Connect server. Raises ConnectionFailed, and ProfileError where the client is not complete.

    As often as `connect_retries` says, `connect_timeout` seconds apart; a refusal is tried again with `retry_all` only.
    """
    _be_quiet()
    attempt = 0
    while True:
        try:
            return _client(profile.url)
        except ImportError as error:
            raise ProfileError(
                "Spark Connect's client is not installed completely", hint="pip install 'pyspark[connect]'"
            ) from error
        except Exception as error:
            attempt += 1
            if attempt > profile.connect_retries or not (profile.retry_all or is_unready(error)):
                raise opening(error, profile.where) from error
        time.sleep(profile.connect_timeout)


def _client(url: str) -> Any:
    """A session that has spoken with the server once; the client's own patience would last for minutes.

    Made by the client's own builder: the common one marks the whole process as a client of Spark Connect, in its
    environment, and a later run of this process could start no Spark of its own.
    """
    from pyspark.sql.connect.session import SparkSession as Client

    builder: Any = Client.builder
    session = builder.remote(url).create()
    patience = session.client._retry_policies
    session.client.set_retry_policies([])
    try:
        if not session.version:
            raise ConnectionFailed(f"The server at {url} does not say its version")
    except BaseException:
        session.client.close()
        raise
    session.client.set_retry_policies(patience)
    return session


def is_unready(error: BaseException) -> bool:
    """Whether a server may answer later: nobody listens yet, or it is starting (dbt-spark 1.11: _is_retryable_error)."""
    text = str(error).lower()
    return any(word in text for word in ("unavailable", "pending", "temporarily_unavailable"))


def opening(error: BaseException, where: str) -> ExecutionError:
    """Our error for a Spark that could not be reached or started."""
    ours = translate(error)
    if isinstance(ours, DatabaseLocked):
        return ours
    return ConnectionFailed(f"Spark cannot be reached ({where}): {ours.message}", hint=ours.hint)


def _be_quiet() -> None:
    """PySpark 4 writes every error of a statement to stderr as JSON, besides raising it."""
    try:
        from pyspark.logger import PySparkLogger
    except ImportError:  # PySpark 3
        return
    for name in LOGGERS:
        PySparkLogger.getLogger(name).setLevel(logging.CRITICAL + 1)
