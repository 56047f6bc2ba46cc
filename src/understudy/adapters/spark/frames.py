"""Data frames on their way into Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from understudy.adapters.scripts import kind_of, unfit


def as_spark(session: Any, frame: Any) -> Any:
    """A data frame of Spark: of pandas, polars, pyarrow, or of Spark itself. Raises ExecutionError for anything else."""
    package, _ = kind_of(frame)
    if hasattr(frame, "createOrReplaceTempView"):
        return frame
    if hasattr(frame, "to_spark"):  # pandas on Spark
        return frame.to_spark()
    if package == "polars":
        frame = frame.collect() if hasattr(frame, "collect") else frame
        return session.createDataFrame(frame.to_pandas())
    if package == "pyarrow" and hasattr(frame, "read_all"):
        frame = frame.read_all()
    if package == "pyarrow" and hasattr(frame, "to_pandas"):
        return session.createDataFrame(frame.to_pandas())
    if package == "pandas" and hasattr(frame, "columns"):
        return session.createDataFrame(frame)
    raise unfit(frame, "a data frame of Spark, pandas, polars or pyarrow")


@contextmanager
def by_value(module: ModuleType) -> Iterator[None]:
    """Functions of the module are sent to Spark's workers whole: those cannot import it."""
    from pyspark import cloudpickle as pickle

    cloudpickle: Any = pickle
    cloudpickle.register_pickle_by_value(module)
    try:
        yield
    finally:
        cloudpickle.unregister_pickle_by_value(module)
