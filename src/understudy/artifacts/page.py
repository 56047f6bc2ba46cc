"""The documentation's page: one HTML file, put together from the files of `understudy/page/`.

Style and script are inlined, so that any server can show the page beside `manifest.json` and `catalog.json`; with data
inlined, too, the file needs no server. A content security policy lets run nothing but our own script, by its digest, and
talk to nobody but the page's own server: text of the project could not do harm even if it became markup.
"""

from __future__ import annotations

import base64
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from importlib.resources import files

from understudy.artifacts import atomic

SCRIPTS = ("dom.js", "text.js", "project.js", "layout.js", "graph.js", "search.js", "views.js", "app.js")
"""In this order, for each uses those before it."""
DATA = ("manifest", "catalog", "deferral")
"""The documents that can be inlined; else the page fetches `NAME.json`, the last one only if it is there."""


def page(data: Mapping[str, bytes] | None = None) -> Iterator[bytes]:
    """The page in pieces, with the given JSON documents inlined."""
    folder = files("understudy") / "page"
    style = (folder / "style.css").read_text(encoding="utf-8")
    script = '"use strict";\n' + "\n".join((folder / name).read_text(encoding="utf-8") for name in SCRIPTS)
    policy = (
        f"default-src 'none'; script-src {_digest(script)}; style-src {_digest(style)}; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'"
    )
    html = (folder / "index.html").read_text(encoding="utf-8")
    for slot, content in (("POLICY", policy), ("STYLE", style), ("SCRIPT", script)):
        html = html.replace("{{" + slot + "}}", content, 1)
    before, after = html.split("{{DATA}}", 1)
    yield before.encode()
    yield from _inlined(data or {})
    yield after.encode()


def _inlined(data: Mapping[str, bytes]) -> Iterator[bytes]:
    for name in DATA:
        if name in data:
            yield f'<script type="application/json" id="data-{name}">'.encode()
            yield data[name].replace(b"<", b"\\u003c")  # JSON has `<` in strings only; so no text ends the element
            yield b"</script>\n"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def write_page(path: str | os.PathLike[str], data: Mapping[str, bytes] | None = None) -> None:
    """Write the page whole. Raises ArtifactError."""
    atomic.write(path, page(data))


def copy_assets(folders: Iterable[str], root: str, target_dir: str) -> None:
    """Copy the project's asset folders beside the page (dbt 1.11: asset-paths). Raises ArtifactError.

    A folder outside of the project has no place under the target directory and is left out; so are links.
    """
    for folder in folders:
        source, copy = os.path.normpath(os.path.join(root, folder)), os.path.normpath(os.path.join(target_dir, folder))
        if not copy.startswith(os.path.normpath(target_dir) + os.sep):
            continue
        for here, _, names in os.walk(source):
            for name in names:
                file = os.path.join(here, name)
                if os.path.islink(file):
                    continue
                with open(file, "rb") as content:
                    atomic.write(os.path.join(copy, os.path.relpath(file, source)), content.read(), durable=False)
