"""The known differences from dbt 1.11, each with its reason. Whatever is not on this list fails the differential tests."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A difference: lines that match `pattern` (project, a colon, the line) are expected."""

    pattern: str
    reason: str


KNOWN: tuple[Known, ...] = (
    Known(
        r"test\.(everything\.unique_off_in_yaml_x|kitchen\.unique_unwanted_x)\.",
        "dbt keeps the test of a model that is switched off in the graph, without parents, and never runs it; "
        "understudy switches the test off with its model",
    ),
    Known(
        r"nodes operation\..*: index: (\d+) \| ",
        "dbt counts hooks from 0 when it parses and from 1 when it runs them; understudy keeps the number that it parsed",
    ),
    Known(
        r"nodes operation\..*: checksum\.checksum: ",
        "no difference of the engines: dbt_project.yml of the oracle's copy has one flag more",
    ),
    Known(
        r"unrendered_config\.(pre|post)[-_]hook: ",
        "dbt writes hooks of an in-file config() under the key as it was spelt, as a syntax tree; understudy under "
        "the key's one name, as source text (comparison understands both)",
    ),
    Known(
        r"model\.everything\.config_in_a_loop: unrendered_config\.materialized: ",
        "dbt keeps the rendered value where config() is called in a loop; understudy the source text, which does not "
        "depend on the target",
    ),
)


def explained(project: str, line: str) -> bool:
    """Whether a line of differences is expected."""
    return any(re.search(known.pattern, f"{project}: {line}", re.DOTALL) for known in KNOWN)
