"""Print the differences of two manifests: `compare_manifest.py OURS THEIRS [--ignore KEY ...] [--linked]`.

Exit code 1 when there are any. Without `--linked`, `depends_on.nodes` is not compared (a manifest that is parsed only).
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

SECTIONS = (
    "nodes", "sources", "exposures", "macros", "docs", "groups", "disabled", "metrics", "semantic_models", "saved_queries",
    "unit_tests", "functions", "selectors",
)  # fmt: skip
IGNORED = frozenset({"created_at", "build_path", "compiled_path", "root_path", "config_call_dict"})


def settled(value: Any, path: tuple[str, ...]) -> Any:
    """A value without the order that is chance in dbt's manifest: of a column's tags, and of a node's sources.

    dbt keeps the sources of models that it need not render in a set, so each counts once, in any order.
    """
    if path[-1:] == ("tags",) and "columns" in path:
        return sorted(value)
    if path == ("sources",):
        return sorted({tuple(each) for each in value})
    if path == ("depends_on", "nodes"):
        sources = iter(sorted(each for each in value if each.startswith("source.")))
        return [next(sources) if each.startswith("source.") else each for each in value]
    return value


def differences(ours: Any, theirs: Any, path: tuple[str, ...], ignored: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Paths at which two values differ, with what stands there."""
    if path and path[-1] in ignored:
        return
    if isinstance(theirs, str) and theirs.startswith("Keyword(key=") and "unrendered_config" in path:
        return  # dbt writes the syntax tree, we write the source text
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in [*theirs, *(key for key in ours if key not in theirs)]:
            if key in ignored:
                continue
            if key not in ours or key not in theirs:
                missing = "ours" if key not in ours else "theirs"
                yield (*path, key, f"missing in {missing}", repr((ours if key in ours else theirs)[key])[:300])
            else:
                yield from differences(ours[key], theirs[key], (*path, key), ignored)
        if path and path[-1] == "config" and list(ours) != list(theirs) and set(ours) == set(theirs):
            yield (*path, "order", str([key for key in ours if list(ours).index(key) != list(theirs).index(key)]))
        return
    ours, theirs = settled(ours, path), settled(theirs, path)
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for n, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(a, b, (*path, str(n)), ignored)
    elif ours != theirs or type(ours) is not type(theirs):
        yield (*path, repr(ours)[:300], repr(theirs)[:300])


def main() -> int:
    """Compare, print, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("ours")
    parser.add_argument("theirs")
    parser.add_argument("--ignore", nargs="*", default=[])
    parser.add_argument("--linked", action="store_true")
    args = parser.parse_args()
    with open(args.ours, encoding="utf-8") as a, open(args.theirs, encoding="utf-8") as b:
        ours, theirs = json.load(a), json.load(b)
    ignored = IGNORED | set(args.ignore)
    counts: Counter[str] = Counter()
    for section in SECTIONS:
        left, right = ours.get(section) or {}, theirs.get(section) or {}
        for unique_id in sorted({*left, *right}):
            if section == "macros" and unique_id.split(".")[1] in ("dbt", "dbt_duckdb", "dbt_postgres", "dbt_spark"):
                continue
            if section == "docs" and unique_id.startswith("doc.dbt."):
                continue
            if unique_id not in left or unique_id not in right:
                print(f"{section}: {unique_id}: missing in {'ours' if unique_id not in left else 'theirs'}")
                counts[f"{section}: missing"] += 1
                continue
            for found in differences(left[unique_id], right[unique_id], (), ignored):
                if not args.linked and found[:2] == ("depends_on", "nodes"):
                    continue
                counts[f"{section}: {'.'.join(found[:2])}"] += 1
                print(f"{section}: {unique_id}: {'.'.join(found[:-2])}\n    ours   {found[-2]}\n    theirs {found[-1]}")
    for what, count in counts.most_common():
        print(f"{count:6}  {what}")
    print(f"{counts.total()} differences")
    return 1 if counts else 0


if __name__ == "__main__":
    sys.exit(main())
