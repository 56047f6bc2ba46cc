"""Docs blocks, and descriptions that refer to them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from understudy.core.nodes import Doc, Exposure, Macro, Metric, Node, Semantic, Source
from understudy.core.walk import has_jinja
from understudy.errors import LinkError, Place, UnderstudyError, did_you_mean
from understudy.parse.cells import Unit
from understudy.parse.parsing import Parsing, duplicate
from understudy.parse.scan import Scanned

_DOC = r"""\s*doc\(\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*(?:,\s*(?:'([^'\\]*)'|"([^"\\]*)")\s*)?,?\s*\)\s*"""
_EXPRESSION = r"(?s)\{\{-?(.*?)-?\}\}"
"""Both are compiled, and kept, by `re` where a description asks for it: few do."""


def add_docs(parsing: Parsing, scans: Iterable[Scanned]) -> None:
    """The docs blocks of all files. Raises DuplicateError for a second block of a name in a package, JinjaError."""
    for scan in scans:
        if scan.file.kind != "docs":
            continue
        file = scan.file
        parsing.cells.begin(Unit(file.package, file.path, "docs"))
        for block in scan.blocks:
            unique_id = f"doc.{file.package}.{block.name}"
            other = parsing.manifest.docs.get(unique_id)
            if other is not None:
                raise duplicate("docs block", block.name, other.original_file_path, file.path, unique_id)
            parsing.cells.touch(unique_id)
            text = block.contents
            if has_jinja(text):
                text = str(parsing.renderer.value(text, package=file.package, native=False))
            parsing.manifest.docs[unique_id] = Doc(
                name=block.name,
                package_name=file.package,
                path=file.relative_path,
                original_file_path=file.path,
                unique_id=unique_id,
                block_contents=text.strip(),
            )


class Describer:
    """Renders descriptions; `doc()` looks in the node's package, then everywhere as dbt 1.11's resolve_doc does."""

    def __init__(self, parsing: Parsing) -> None:
        self.parsing = parsing
        self.docs: dict[str, dict[str, Doc]] = {}
        for doc in parsing.manifest.docs.values():
            self.docs.setdefault(doc.name, {})[doc.package_name] = doc

    def find(self, name: str, package: str | None, node_package: str) -> Doc | None:
        """The block that `doc(name)` or `doc(package, name)` means to a node of a package."""
        by_package = self.docs.get(name, {})
        if package is not None:
            return by_package.get(package)
        root = self.parsing.settings.root.name
        order = (root,) if root == node_package else (root, node_package)
        return next((by_package[each] for each in order if each in by_package), next(iter(by_package.values()), None))

    def describe(self, text: str, owner: Node | Source | Exposure | Macro | Semantic) -> tuple[str, list[str]]:
        """A description rendered, and the unique_ids of the docs blocks that it names.

        Raises LinkError for a block that is not there, JinjaError.
        """
        if not has_jinja(text):
            return text, []
        used: list[str] = []
        self.parsing.cells.resume(self.parsing.cells.of(owner.unique_id))

        def doc(*args: Any) -> str:
            if len(args) not in (1, 2):
                raise LinkError(f"doc() takes one or two arguments, not {len(args)}")
            package, name = (str(args[0]), str(args[1])) if len(args) == 2 else (None, str(args[0]))
            found = self.find(name, package, owner.package_name)
            if found is None:
                raise LinkError(f"There is no docs block '{name}'", hint=did_you_mean(name, self.docs))
            used.append(found.unique_id)
            self.parsing.cells.note("doc", found.unique_id)
            return found.block_contents

        try:
            rendered = self._literal(text, doc)
            if rendered is None:
                used.clear()
                rendered = str(
                    self.parsing.renderer.value(text, package=owner.package_name, extra={"doc": doc}, native=False)
                )
        except UnderstudyError as error:
            file = getattr(owner, "patch_path", None) or owner.original_file_path
            error.place = Place(file.split("://")[-1], None, owner.unique_id)
            raise
        return rendered, used

    def _literal(self, text: str, doc: Callable[..., str]) -> str | None:
        """A text whose only Jinja is `{{ doc('name') }}`, without Jinja; None where there is more."""
        if "{%" in text or "{#" in text or "{{-" in text or "-}}" in text:
            return None
        parts: list[str] = []
        position = 0
        for match in re.finditer(_EXPRESSION, text):
            call = re.fullmatch(_DOC, match[1])
            if call is None:
                return None
            first, second = call[1] or call[2] or "", call[3] or call[4]
            parts += [text[position : match.start()], doc(first) if second is None else doc(first, second)]
            position = match.end()
        rest = text[position:]
        return None if "{{" in rest else "".join([*parts, rest.removesuffix("\n")])


def render_descriptions(parsing: Parsing) -> None:
    """Every description of nodes, columns, sources, macros and their arguments, and exposures."""
    describer, manifest = Describer(parsing), parsing.manifest
    owners: list[Node | Source] = [
        *manifest.nodes.values(), *manifest.functions.values(), *manifest.sources.values(),
    ]  # fmt: skip
    for owner in owners:
        if owner.description:
            owner.description, owner.doc_blocks = describer.describe(owner.description, owner)
        for column in owner.columns.values():
            if column["description"]:
                column["description"], column["doc_blocks"] = describer.describe(column["description"], owner)
    for source in manifest.sources.values():
        source.source_description = describer.describe(source.source_description, source)[0]
    described: list[Exposure | Metric] = [*manifest.exposures.values(), *manifest.metrics.values()]
    for resource in described:
        resource.description = describer.describe(resource.description, resource)[0]
    for query in manifest.saved_queries.values():
        query.description = query.description and describer.describe(query.description, query)[0]
    for semantic in manifest.semantic_models.values():
        for element in (*semantic.entities, *semantic.dimensions, *semantic.measures):
            if element["description"]:
                element["description"] = describer.describe(str(element["description"]), semantic)[0]
        if semantic.description:
            semantic.description = describer.describe(semantic.description, semantic)[0]
    for macro in manifest.macros.values():
        if macro.patch_path:
            macro.description = describer.describe(macro.description, macro)[0]
            for argument in macro.arguments:
                argument["description"] = describer.describe(argument["description"] or "", macro)[0]
