"""Python models: what dbt's compiler writes below the user's code, and what stores the data frame (dbt 1.11: python_model).

The names are those that a model sees (`dbtObj`, `ref`, `config`, `this`), and those of dbt's macros, which projects
override. Nothing is run here.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from typing import Any

from understudy.errors import ExecutionError
from understudy.sql.spark import statements
from understudy.stdlib.support import Table, as_relation, field, quoted
from understudy.template.scope import MacroContext

macro = MACROS = Table()

FRAME = "__dbt_python_model_df_"
"""How the data frame is called in SQL, before the name of the relation that it becomes."""

REFERENCES = """\
# Everything above is the model's file. What follows gives it `dbt`.

def ref(*args, **kwargs):
    refs = {refs}
    key = ".".join(args)
    version = kwargs.get("v") or kwargs.get("version")
    if version:
        key += f".v{{version}}"
    return kwargs["dbt_load_df_function"](refs[key])
"""

SOURCES = """\
def source(*args, dbt_load_df_function):
    sources = {sources}
    return dbt_load_df_function(sources[".".join(args)])
"""

CONFIG = """\
config_dict = {config}
meta_dict = {meta}
"""

OBJECT = '''\
class config:
    def __init__(self, *args, **kwargs):
        pass

    @staticmethod
    def get(key, default=None):
        return config_dict.get(key, default)

    @staticmethod
    def meta_get(key, default=None):
        return meta_dict.get(key, default)


class this:
    """`dbt.this`: as text the relation's name in SQL."""
    database = {database}
    schema = {schema}
    identifier = {identifier}

    def __repr__(self):
        return {relation}


class dbtObj:
    def __init__(self, load_df_function):
        self.source = lambda *args: source(*args, dbt_load_df_function=load_df_function)
        self.ref = lambda *args, **kwargs: ref(*args, **kwargs, dbt_load_df_function=load_df_function)
        self.config = config
        self.this = this()
        self.is_incremental = {is_incremental}
'''

STORE_DUCKDB = """\
def materialize(df, session):
    session.register({frame!r}, df)
    try:
        session.execute({sql})
    finally:
        session.unregister({frame!r})
"""

STORE_SPARK = """\
def materialize(df, session):
    df.createOrReplaceTempView({name!r})
    try:
        for sql in {sql}:
            session.sql(sql)
    finally:
        session.catalog.dropTempView({frame!r})
"""

VIEW_SPARK = """\
def materialize(df, session):
    df.createOrReplaceTempView({name!r})
"""


@macro
def build_ref_function(ctx: MacroContext, model: Any) -> str:
    """`ref()` of the script: what is read whole, also with --empty and --sample, as in dbt."""
    found = {}
    for each in field(model, "refs") or ():
        names = [name for name in (field(each, "package"), field(each, "name")) if name]
        version = field(each, "version")
        resolved = _name(ctx, ctx.variable("ref")(*names, version=version))
        found[".".join([*names, f"v{version}"] if version else names)] = resolved
    return REFERENCES.format(refs=found)


@macro
def build_source_function(ctx: MacroContext, model: Any) -> str:
    """`source()` of the script."""
    found = {".".join(each): _name(ctx, ctx.variable("source")(*each)) for each in field(model, "sources") or ()}
    return SOURCES.format(sources=found)


def _name(ctx: MacroContext, resolved: Any) -> str:
    render = getattr(resolved, "render", None)
    return str(ctx.call("resolve_model_name", render() if callable(render) else resolved))


@macro
def build_config_dict(ctx: MacroContext, model: Any) -> str:
    """The values of the keys that the model asks for."""
    given = field(model, "config") or {}
    return CONFIG.format(
        config=_python(_asked(given, given, "config_keys")),
        meta=_python(_asked(given.get("meta") or {}, given, "meta_keys")),
    )


def _asked(values: Mapping[str, Any], config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    used: Iterable[str] = config.get(f"{kind}_used") or ()
    defaults: Iterable[Any] = config.get(f"{kind}_defaults") or ()
    return {key: values.get(key, default) for key, default in zip(used, defaults, strict=False)}


def _python(value: Any) -> str:
    """A value of a config as a Python literal; a date, which YAML knows and Python has no literal for, as text."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key!r}: {_python(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_python, value)) + "]"
    return repr(value.isoformat() if isinstance(value, datetime.date) else value)


@macro
def py_script_postfix(ctx: MacroContext, model: Any) -> str:
    """All that stands below the user's code in the compiled model."""
    this = as_relation(ctx.variable("this"))
    parts = [
        ctx.call("build_ref_function", model),
        ctx.call("build_source_function", model),
        ctx.call("build_config_dict", model),
        OBJECT.format(
            database=repr(this.database),
            schema=repr(this.schema),
            identifier=repr(this.identifier),
            relation=repr(str(ctx.call("resolve_model_name", this.render()))),
            is_incremental=bool(ctx.call("is_incremental")),
        ),
        ctx.call("py_script_comment"),
    ]
    return "\n\n".join(text for each in parts if (text := str(each).strip("\n"))) + "\n"


@macro
def py_script_comment(ctx: MacroContext) -> str:
    """What else the project has to say below the script."""
    return ""


@macro
def duckdb__py_write_table(
    ctx: MacroContext,
    temporary: bool,
    relation: Any,
    compiled_code: str,
    partitioned_by: str | None = None,
    sorted_by: str | None = None,
) -> str:
    """The script with the function that makes a table of the data frame (dbt-duckdb 1.11: py_write_table)."""
    frame = f"{FRAME}{as_relation(relation).identifier}"
    sql = str(ctx.call("create_table_as", temporary, relation, f"select * from {quoted(ctx, frame)}"))
    return f"{compiled_code.rstrip()}\n\n\n{STORE_DUCKDB.format(frame=frame, sql=_text(sql))}"


@macro
def spark__py_write_table(ctx: MacroContext, compiled_code: str, target_relation: Any, temporary: bool = False) -> str:
    """The same on Spark; what is temporary is a view of the data frame itself (dbt-spark 1.11: py_write_table).

    All threads share a session, so that the schema is a part of the frame's name.
    """
    target = as_relation(target_relation)
    if temporary:
        store = VIEW_SPARK.format(name=target.render())
    else:
        frame = f"{FRAME}{target.schema}_{target.identifier}"
        query = f"select * from {quoted(ctx, frame)}"
        parts = map(_text, statements(str(ctx.call("create_table_as", False, target_relation, query))))
        store = STORE_SPARK.format(name=quoted(ctx, frame), frame=frame, sql=f"[{', '.join(parts)}]")
    return f"{compiled_code.rstrip()}\n\n\n{store}"


def _text(sql: str) -> str:
    """SQL as people like to read it in Python."""
    plain = "\\" not in sql and '"""' not in sql and not sql.endswith('"')
    return f'"""{sql}"""' if plain else repr(sql)


@macro
def py_write_table(ctx: MacroContext, *args: Any, **kwargs: Any) -> Any:
    """The script of a Python model with what stores its data frame. Raises ExecutionError on an engine without Python."""
    if ctx.dialect.name not in ("duckdb", "spark"):
        raise ExecutionError(f"Python models cannot be run on {ctx.dialect.name}")
    return ctx.dispatch("py_write_table", "dbt")(*args, **kwargs)
