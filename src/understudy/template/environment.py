"""The Jinja environments: dbt's tags, filters and undefined values, in a sandbox; and the compiled templates.

Nothing else in the package imports jinja2, and nothing imports this module before a template has to be rendered.
dbt 1.11 renders in a sandbox that lets templates change lists and dicts (`{% do columns.append(...) %}`), so the
immutable one would break most projects; ours is stricter in what may be reached: no attribute that starts with an
underscore, no code objects, no frames.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import chain, islice
from threading import Lock
from types import CodeType
from typing import Any

import jinja2
import jinja2.ext
import jinja2.nativetypes
import jinja2.nodes
import jinja2.parser
import jinja2.sandbox
from jinja2.runtime import Context

from understudy.errors import JinjaError
from understudy.template import plain, plain_reader
from understudy.template.plain import Plain

MACRO = "dbt_macro__"
"""Set before the names of macros, so that a macro that calls another one of its file goes through the name space, too."""


class Parser(jinja2.parser.Parser):
    """Jinja's parser with macro names set apart and type annotations of arguments allowed (dbt 1.11: MacroFuzzParser)."""

    def parse_macro(self) -> jinja2.nodes.Macro:
        """`{% macro name(...) %}`."""
        node = jinja2.nodes.Macro(lineno=next(self.stream).lineno)
        node.name = MACRO + self.parse_assign_target(name_only=True).name
        self.parse_signature(node)
        node.body = self.parse_statements(("name:endmacro",), drop_needle=True)
        return node

    def parse_signature(self, node: jinja2.nodes.Macro | jinja2.nodes.CallBlock) -> None:
        """The arguments; `name: type[of]` is read, and the type ignored."""
        args: list[jinja2.nodes.Name] = []
        defaults: list[jinja2.nodes.Expr] = []
        node.args, node.defaults = args, defaults
        self.stream.expect("lparen")
        while self.stream.current.type != "rparen":
            if args:
                self.stream.expect("comma")
            argument = self.parse_assign_target(name_only=True)
            argument.set_ctx("param")
            if self.stream.skip_if("colon"):
                self._skip_type()
            if self.stream.skip_if("assign"):
                defaults.append(self.parse_expression())
            elif defaults:
                self.fail("non-default argument follows default argument")
            args.append(argument)
        self.stream.expect("rparen")

    def _skip_type(self) -> None:
        self.stream.expect("name")
        depth = 0
        while self.stream.skip_if("lbracket"):
            depth += 1
            self.stream.expect("name")
            while depth and (self.stream.current.type in ("comma", "rbracket")):
                closing = next(self.stream).type == "rbracket"
                if closing:
                    depth -= 1
                else:
                    self.stream.expect("name")


class Materialization(jinja2.ext.Extension):
    """`{% materialization name, adapter='x', supported_languages=[...] %}`, or `, default`."""

    tags = {"materialization"}  # noqa: RUF012 - jinja's interface

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """The block as a macro `materialization_<name>_<adapter>` (dbt 1.11: MaterializationExtension)."""
        node = jinja2.nodes.Macro(lineno=next(parser.stream).lineno)
        name = parser.parse_assign_target(name_only=True).name
        adapter = "default"
        languages: jinja2.nodes.Expr = jinja2.nodes.List([jinja2.nodes.Const("sql")])
        while parser.stream.skip_if("comma"):
            target = parser.parse_assign_target(name_only=True)
            if target.name == "default":
                continue
            if target.name not in ("adapter", "supported_languages"):
                parser.fail(f"materialization {name!r} got an unknown argument {target.name!r}", target.lineno)
            parser.stream.expect("assign")
            value = parser.parse_expression()
            if target.name == "supported_languages":
                languages = value
            elif isinstance(value, jinja2.nodes.Const):
                adapter = str(value.value)
            else:
                parser.fail(f"the adapter of materialization {name!r} must be a string", target.lineno)
        node.name = f"{MACRO}materialization_{name}_{adapter}"
        node.args = [jinja2.nodes.Name("supported_languages", "param")]
        node.defaults = [languages]
        node.body = parser.parse_statements(("name:endmaterialization",), drop_needle=True)
        return node


class GenericTest(jinja2.ext.Extension):
    """`{% test name(model, column_name) %}`, also spelt `data_test`."""

    tags = {"test", "data_test"}  # noqa: RUF012 - jinja's interface

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """The block as a macro `test_<name>` (dbt 1.11: TestExtension)."""
        opening = next(parser.stream)
        node = jinja2.nodes.Macro(lineno=opening.lineno)
        node.name = f"{MACRO}test_{parser.parse_assign_target(name_only=True).name}"
        parser.parse_signature(node)
        node.body = parser.parse_statements((f"name:end{opening.value}",), drop_needle=True)
        return node


class Docs(jinja2.ext.Extension):
    """`{% docs name %}`."""

    tags = {"docs"}  # noqa: RUF012 - jinja's interface

    def parse(self, parser: jinja2.parser.Parser) -> jinja2.nodes.Node:
        """The block as a macro that nobody calls."""
        node = jinja2.nodes.Macro(lineno=next(parser.stream).lineno)
        node.args, node.defaults = [], []
        node.name = f"dbt_docs__{parser.parse_assign_target(name_only=True).name}"
        node.body = parser.parse_statements(("name:enddocs",), drop_needle=True)
        return node


class Lenient(jinja2.Undefined):
    """An unknown name while a node is parsed: whatever is done with it gives it again (dbt 1.11: create_undefined)."""

    def __getitem__(self, name: Any) -> Lenient:  # type: ignore[override]  # jinja's raises
        return self

    def __getattr__(self, name: str) -> Any:
        if name == "name" or name.startswith("__"):
            raise AttributeError(name)
        return type(self)(hint=self._undefined_hint, name=name)

    def __call__(self, *args: Any, **kwargs: Any) -> Lenient:  # type: ignore[override]  # jinja's raises
        return self


AGATE_FILES = frozenset({
    "from_csv", "from_json", "from_fixed", "from_object", "to_csv", "to_json", "bar_chart", "column_chart", "line_chart",
    "scatterplot",
})  # fmt: skip
"""What of agate's tables reads or writes files; charts, too, are written where `path` says."""


def _reaches_files(obj: Any, attr: str) -> bool:
    owner = obj if isinstance(obj, type) else type(obj)
    return attr in AGATE_FILES and any(base.__module__.partition(".")[0] == "agate" for base in owner.__mro__)


def _text(value: Any) -> Any:
    return value


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


class Text(str):
    """Text that stays text in native rendering (`| as_text`)."""

    __slots__ = ()


class Native(str):
    """Text that is read as a Python literal in native rendering (`| as_native`)."""

    __slots__ = ()


class Bool(Native):
    """Text that must read as a bool (`| as_bool`)."""

    __slots__ = ()


class Number(Native):
    """Text that must read as a number (`| as_number`)."""

    __slots__ = ()


def native_value(nodes: Iterable[Any]) -> Any:
    """What a template of values gives: one value as it is, several as text (dbt 1.11: quoted_native_concat)."""
    iterator: Iterator[Any] = iter(nodes)
    head = list(islice(iterator, 2))
    if len(head) != 1:
        return "".join(str(value) for value in chain(head, iterator))
    raw = head[0]
    if isinstance(raw, Text):
        return str(raw)
    if not isinstance(raw, Native):
        return raw
    try:
        value = ast.literal_eval(raw)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        value = str(raw)
    if isinstance(raw, Bool) and not isinstance(value, bool):
        raise JinjaError(f"Could not convert value '{raw!s}' into type 'bool'")
    if isinstance(raw, Number) and (isinstance(value, bool) or not isinstance(value, int | float)):
        raise JinjaError(f"Could not convert value '{raw!s}' into type 'number'")
    return value


class Environment(jinja2.sandbox.SandboxedEnvironment):
    """One environment; `native` ones give values, others text."""

    def __init__(self, *, undefined: type[jinja2.Undefined], native: bool = False) -> None:
        if native:
            self.code_generator_class = jinja2.nativetypes.NativeCodeGenerator
        extensions = ["jinja2.ext.do", "jinja2.ext.loopcontrols", Materialization, GenericTest, Docs]
        super().__init__(extensions=extensions, undefined=undefined)
        self.native = native
        names: dict[str, Callable[[Any], Any]] = {
            "as_text": _text,
            "as_bool": _text,
            "as_native": _text,
            "as_number": _text,
        }
        if native:
            names = {"as_text": Text, "as_bool": Bool, "as_native": Native, "as_number": Number}
        self.filters.update(names, is_list=_is_list)

    def _parse(self, source: str, name: str | None, filename: str | None) -> jinja2.nodes.Template:
        return Parser(self, source, name, filename).parse()

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """No attribute of Python's own machinery, none of an object that can hand out code, and no files."""
        return not (attr.startswith("_") or _reaches_files(obj, attr)) and super().is_safe_attribute(obj, attr, value)


class Engine:
    """The environments, and every template once compiled, by its text. Shared by threads."""

    def __init__(self) -> None:
        self.text = Environment(undefined=jinja2.Undefined)
        self.lenient = Environment(undefined=Lenient)
        self.native = Environment(undefined=jinja2.Undefined, native=True)
        self.lenient_native = Environment(undefined=Lenient, native=True)
        self._codes: dict[tuple[bool, str], CodeType] = {}
        self._templates: dict[tuple[int, str], jinja2.Template] = {}
        self._plain: dict[str, Plain | None] = {}
        self._lock = Lock()

    def template(self, text: str, environment: Environment) -> jinja2.Template:
        """The compiled template. Raises jinja2.TemplateSyntaxError."""
        key = (id(environment), text)
        template = self._templates.get(key)
        if template is None:
            code_key = (environment.native, text)
            code = self._codes.get(code_key)
            if code is None:
                with self._lock:
                    code = self._codes[code_key] = environment.compile(text, "template", "<template>")
            template = self._templates[key] = jinja2.Template.from_code(environment, code, environment.globals)
        return template

    def plain(self, text: str) -> Plain | None:
        """The steps of a text that needs no compiling; None for any other."""
        if text not in self._plain:
            self._plain[text] = plain_reader.read(text, self.text.filters, self.text.tests)
        return self._plain[text]

    def run(self, steps: Plain, environment: Environment, names: Mapping[str, Any]) -> str:
        """The text that these steps give. What they raise goes through."""
        return plain.run(steps, environment, _context(environment, names, {}))

    def render(self, template: jinja2.Template, names: Mapping[str, Any]) -> Any:
        """The template's text, or its value when its environment is native. What the template raises goes through."""
        context = _context(template.environment, names, template.blocks)
        found = template.root_render_func(context)
        if isinstance(template.environment, Environment) and template.environment.native:
            return native_value(found)
        return "".join(found)

    def macro(self, template: jinja2.Template, name: str, names: Mapping[str, Any]) -> Any:
        """The macro that a template defines, bound to these names."""
        context = _context(template.environment, names, template.blocks)
        for _ in template.root_render_func(context):
            pass
        return context.vars[MACRO + name]


class Parent(dict[str, Any]):
    """What Jinja takes as the outer names of a context: reads `names` as they are, then Jinja's own (`range`)."""

    __slots__ = ("globals", "names")

    def __init__(self, names: Mapping[str, Any], globals: Mapping[str, Any]) -> None:
        super().__init__()
        self.names = names
        self.globals = globals

    def __contains__(self, key: object) -> bool:
        return key in self.names or key in self.globals

    def __getitem__(self, key: str) -> Any:
        return self.names[key] if key in self.names else self.globals[key]


def missing(message: str) -> jinja2.Undefined:
    """A value that is not there; using it raises an error with this message."""
    return jinja2.Undefined(hint=message)


def is_undefined(value: Any) -> bool:
    """Whether a value stands for a name that is not there."""
    return isinstance(value, jinja2.Undefined)


def _context(environment: jinja2.Environment, names: Mapping[str, Any], blocks: Mapping[str, Any]) -> Context:
    return environment.context_class(environment, Parent(names, environment.globals), "template", dict(blocks))
