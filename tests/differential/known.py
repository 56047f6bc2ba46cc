"""The known differences from dbt 1.11, each with its reason: known.json, from which the documentation's page is made, too.

Whatever is not on that list fails the differential tests.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

KNOWN: list[dict[str, str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
"""`what` differs, for people. `pattern`: a line of the comparison ("project: line") that matches it is expected. `reason`: why."""


def explained(project: str, line: str) -> bool:
    """Whether a line of differences is expected."""
    return any(re.search(known["pattern"], f"{project}: {line}", re.DOTALL) for known in KNOWN)
