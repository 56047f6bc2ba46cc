"""One rendering: a node's names bound to the templates that use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from understudy.core.batch import Batch
from understudy.core.input import Input
from understudy.core.nodes import Node
from understudy.core.project import Settings, target_dict
from understudy.core.relation import Relation
from understudy.errors import JinjaError, Place, UnderstudyError
from understudy.sql.dialect import Dialect
from understudy.template import literal
from understudy.template.columns import CLASSES, Column
from understudy.template.literal import WHERE, tested
from understudy.template.macros import Found, MacroIndex
from understudy.template.names import Builtins, Names
from understudy.template.objects import RelationObject, wrap
from understudy.template.relations import node_relation
from understudy.template.runtime_config import runtime_config
from understudy.template.scope import Captured, Database, Lookups, MacroContext
from understudy.template.state import Notify, Return, State, unheard

if TYPE_CHECKING:
    from understudy.template.environment import Engine

OWN_CALLS = ("ref", "source", "config")


class Shared:
    """What all renderings of a run share. The Jinja engine is made, and Jinja imported, when a template first needs it."""

    def __init__(self, settings: Settings, macros: MacroIndex, dialect: Dialect, notify: Notify) -> None:
        self.settings = settings
        self.macros = macros
        self.dialect = dialect
        self.notify = notify
        self.values: dict[str, Any] = {}
        self.vars: dict[str, Mapping[str, Any]] = {}
        self.target: Mapping[str, Any] = target_dict(settings.target)
        self.runtime_config = runtime_config(settings)
        self.inputs: set[Input] | None = None
        """Takes what renderings depend on, as long as a project is parsed."""
        self._engine: Engine | None = None

    def like(self, settings: Settings) -> Shared:
        """The same for other settings of the run; nobody hears of those renderings."""
        found = Shared(settings, self.macros, self.dialect, unheard)
        found.values, found._engine = self.values, self.engine
        return found

    def note(self, *input: str) -> None:
        """Note on what a rendering depends, while the project is parsed."""
        if self.inputs is not None:
            self.inputs.add(input)

    @property
    def engine(self) -> Engine:
        """The Jinja environments."""
        if self._engine is None:
            from understudy.template.environment import Engine

            self._engine = Engine()
        return self._engine


class MacroCall:
    """A macro as templates call it."""

    __slots__ = ("_found", "_session")

    def __init__(self, session: Session, found: Found) -> None:
        self._session = session
        self._found = found

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._session._run_macro(self._found, args, kwargs)


class Session(State):
    """Renders texts and calls macros for one node, on one thread. It is the MacroContext of built-in macros.

    Attributes: `uses` holds what was asked for, `results` the stored results of statements.
    """

    def __init__(
        self,
        shared: Shared,
        package: str,
        *,
        node: Node | None = None,
        lookups: Lookups | None = None,
        database: Database | None = None,
        values: Mapping[str, Any] | None = None,
        vars: Mapping[str, Any],
        parsing: bool = False,
        execute: bool = True,
        line: int | None = None,
    ) -> None:
        self.shared = shared
        self.settings = shared.settings
        self.runtime_config = shared.runtime_config
        self.dialect = shared.dialect
        self.notify = shared.notify
        self.note = shared.note
        self.package = package
        self.node = node
        self.lookups = lookups
        self.database = database
        self.parsing = parsing
        self.execute = execute
        self.line = line
        self.uses = Captured()
        self.vars = vars
        self.values = {**shared.values, **(values or {})}
        self.results = {}
        builtins = Builtins(self)
        self.builtins = builtins
        self.names = Names(self.values, shared.macros, package, self._callable, builtins)
        self.project_name = shared.settings.root.name
        self.target = shared.target
        self.config: Any = builtins["config"]
        self._stack: list[Found] = []
        self._bound: dict[str, Any] = {}
        self.replaced: dict[str, Any] = {}
        """Macros, by unique_id, that give a value in this rendering, whoever calls them."""
        self._model: dict[str, Any] | None = None
        self.materialize: Callable[[str], Mapping[str, Any]] | None = None
        self.batch: Batch | None = None
        """The batch of a microbatch model that is rendered; set before anything is."""

    # What built-in macros see (MacroContext)

    @property
    def this(self) -> Relation | None:
        """The node's own relation; None for hooks of the run and without a node."""
        if "this" in self.values:
            value = self.values["this"]
            return value.relation if isinstance(value, RelationObject) else cast("Relation | None", value)
        if self.node is None or self.node.resource_type == "operation":
            return None
        return node_relation(self.node, self.dialect, self.settings.root.quoting)

    @property
    def model(self) -> Mapping[str, Any]:
        """The node as a dict, without fields that have no value (dbt 1.11: to_dict(omit_none=True))."""
        if self._model is None:
            fields: dict[str, Any] = {} if self.node is None else msgspec.to_builtins(self.node)
            fields["config"] = {key: value for key, value in fields.get("config", {}).items() if value is not None}
            fields["compiled_code"] = self.values.get("compiled_code")
            self._model = {key: value for key, value in fields.items() if value is not None}
            if self.batch is not None:
                self._model["batch"] = self.batch.as_dict()
        return self._model

    @property
    def place(self) -> Place | None:
        """The node, and the line where its text starts when that is known."""
        return None if self.node is None else Place(self.node.original_file_path, self.line, self.node.unique_id)

    def variable(self, name: str) -> Any:
        """A name of the context, or None."""
        return self.names.get(name)

    def set(self, name: str, value: Any) -> None:
        """Set a name for the rest of this rendering (`sql`, `this`, ...)."""
        self.values[name] = self._wrapped(value)

    def call(self, macro: str, *args: Any, **kwargs: Any) -> Any:
        """Call a macro by name, `package.macro` for another package's. Raises JinjaError when there is none."""
        found = self.shared.macros.find(macro, self.package)
        if found is None:
            hint = self.shared.macros.suggest(macro, self.package)
            raise JinjaError(f"There is no macro named '{macro}'", place=self.place, hint=hint)
        return self.call_found(found, *args, **kwargs)

    def call_found(self, found: Found, /, *args: Any, **kwargs: Any) -> Any:
        """Call a macro that was found by other rules than those of `call`."""
        return self._explained(lambda: self._run_macro(found, args, kwargs))

    def materialization(self, name: str, of_engine: frozenset[str], built_in: frozenset[str]) -> Found | None:
        """The project's own macro for a materialization; None: ours. See MacroIndex.materialization."""
        strict = self.settings.flags.get("require_explicit_package_overrides_for_builtin_materializations", True)
        return self.shared.macros.materialization(name, of_engine, built_in, strict=bool(strict))

    def overridden(self, macro: str) -> bool:
        """Whether the project or a package does itself what a macro of ours does."""
        return self.shared.macros.overridden(macro, self.package)

    def dispatch(self, macro: str, namespace: str | None = None) -> Callable[..., Any]:
        """The implementation that `adapter.dispatch` finds. Raises JinjaError when there is none."""
        return self._callable(self.shared.macros.dispatch(macro, namespace, self.package))

    def _wrapped(self, value: Any) -> Any:
        """Core's values as templates of this engine see them."""
        return wrap(value, CLASSES.get(self.dialect.name, Column))

    # Rendering

    def render(self, text: str) -> str:
        """The text of a template. Raises JinjaError with file, line and callers, and whatever its look-ups raise."""
        pieces = None if self.parsing or self.shared.macros.defines(OWN_CALLS, self.package) else literal.pieces(text)
        if pieces is not None and not any(name in self.values for name in OWN_CALLS):
            return str(self._explained(lambda: "".join(map(self._piece, pieces))))
        engine = self.shared.engine
        environment = engine.lenient if self.parsing else engine.text
        plain = engine.plain(text)
        if plain is not None:
            return str(self._explained(lambda: engine.run(plain, environment, self.names)))
        return str(self._explained(lambda: engine.render(self._template(text, environment), self.names)))

    def native(self, text: str) -> Any:
        """The value of a template: what a single expression gives as it is, anything else as text."""
        wanted = None if self.parsing or self.shared.macros.defines(OWN_CALLS, self.package) else tested(text)
        if wanted is not None:
            reference = self.builtins[wanted.name]
            return self._explained(lambda: self.names[WHERE](reference(*wanted.args, **wanted.kwargs)))
        engine = self.shared.engine
        environment = engine.lenient_native if self.parsing else engine.native
        return self._explained(lambda: engine.render(self._template(text, environment), self.names))

    def _run_macro(self, found: Found, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Call a macro that was found; what `return()` gives is its value."""
        if not self._stack and found.unique_id not in self.uses.macros:
            self.uses.macros.append(found.unique_id)
        if found.unique_id in self.replaced:
            return self.replaced[found.unique_id]
        self._stack.append(found)
        try:
            if found.builtin is not None:
                return self._wrapped(found.builtin(cast(MacroContext, self), *args, **kwargs))
            self.note("macro", found.unique_id)
            keywords = {key: self._wrapped(value) for key, value in kwargs.items()}
            return self._jinja_macro(found)(*map(self._wrapped, args), **keywords)
        except Return as ended:
            return ended.value
        finally:
            self._stack.pop()

    def _piece(self, piece: str | literal.Call) -> str:
        return piece if isinstance(piece, str) else str(self.builtins[piece.name](*piece.args, **piece.kwargs))

    def _callable(self, found: Found) -> MacroCall:
        return MacroCall(self, found)

    def _jinja_macro(self, found: Found) -> Any:
        bound = self._bound.get(found.unique_id)
        if bound is None:
            macro = found.macro
            assert macro is not None  # a macro that is not built in has a text
            engine = self.shared.engine
            bound = engine.macro(self._macro_template(found, macro.macro_sql), found.name, self.names)
            self._bound[found.unique_id] = bound
        return bound

    def _macro_template(self, found: Found, text: str) -> Any:
        from jinja2 import TemplateSyntaxError

        from understudy.template.syntax import syntax_error

        try:
            return self.shared.engine.template(text, self.shared.engine.text)
        except TemplateSyntaxError as error:
            place = self._macro_place(found)
            raise syntax_error(error, place.path, place.line or 1) from error

    def _template(self, text: str, environment: Any) -> Any:
        from jinja2 import TemplateSyntaxError

        from understudy.template.syntax import syntax_error

        try:
            return self.shared.engine.template(text, environment)
        except TemplateSyntaxError as error:
            place = self.place or Place()
            raise syntax_error(error, place.path, place.line or 1, place.node) from error

    def _macro_place(self, found: Found) -> Place:
        return self.shared.macros.place(found.macro) if found.macro is not None else Place()

    def _explained(self, work: Callable[[], Any]) -> Any:
        """Run something of a template; at the outermost level, errors get their place and their chain of callers."""
        if self._stack:
            return work()
        try:
            return work()
        except Return as ended:
            return ended.value
        except Exception as error:
            explained = self._explain(error)
            if explained is error:
                raise
            raise explained from error

    def _explain(self, error: Exception) -> UnderstudyError:
        from understudy.template.tracing import explain

        return explain(error, Session._run_macro.__code__, self.place, self._macro_place, self._hint, self.project_name)

    def _hint(self, message: str) -> str | None:
        if not message.endswith("is undefined"):
            return None
        return self.shared.macros.suggest(message.split("'")[1], self.package) if "'" in message else None
