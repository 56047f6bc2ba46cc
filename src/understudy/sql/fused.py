"""Several data tests of one relation as one query.

A test's query is recognised by its text alone, whoever wrote it: the four generic tests of dbt, and any query that asks for
the rows of a relation that meet a condition. The fused query scans the relation once and gives one number per test, which
is zero exactly when the test's own query has no rows. What is not zero is for the test's own query to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import msgspec

PREFIX = "understudy_key_"
"""Names the keys of joined parents; a column of the relation that is called so makes the fused query fail, and no harm."""
COLUMN = r"(?P<column>[^\n]+)"
RELATION = r"(?P<relation>[^\n]+)"
UNIQUE = re.compile(
    rf"select\n    {COLUMN} as unique_field,\n    count\(\*\) as n_records\n\nfrom {RELATION}\n"
    r"where (?P=column) is not null\ngroup by (?P=column)\nhaving count\(\*\) > 1"
)
ACCEPTED = re.compile(
    rf"with all_values as \(\n\n    select\n        {COLUMN} as value_field,\n        count\(\*\) as n_records\n\n"
    rf"    from {RELATION}\n    group by (?P=column)\n\n\)\n\n"
    r"select \*\nfrom all_values\nwhere value_field not in \(\n    (?P<values>.+)\n\)",
    re.DOTALL,
)
RELATIONSHIPS = re.compile(
    rf"with child as \(\n    select {COLUMN} as from_field\n    from {RELATION}\n    where (?P=column) is not null\n\),\n\n"
    r"parent as \(\n    select (?P<field>[^\n]+) as to_field\n    from (?P<to>[^\n]+)\n\)\n\n"
    r"select\n    from_field\n\nfrom child\nleft join parent\n    on child\.from_field = parent\.to_field\n\n"
    r"where parent\.to_field is null"
)
NAME = r"(?:[\w.]|\"[^\"\n]*\"|`[^`\n]*`)+"
ROWS = re.compile(
    rf"select\s+(?:\*|{NAME}(?:\s*,\s*{NAME})*)\s+from\s+(?P<relation>{NAME}|\([^\n]+\) dbt_subquery)\s+where\s+(?P<condition>.+)",
    re.DOTALL | re.IGNORECASE,
)
"""Rows as they are: no expression, no second relation; the condition is looked at by `_is_condition`."""
UNSURE = re.compile(r"--|/\*|;|\\|\$|#|\?")
"""What this reader of SQL does not follow: comments, escapes, dollar quotes."""
QUOTED = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|`[^`]*`")
INNER = re.compile(r"\([^()]*\)")
CLAUSES = re.compile(
    r"\b(?:group|having|order|limit|offset|fetch|union|intersect|except|minus|qualify|window|for|select|from|where|join|over|"
    r"cluster|distribute|sort|lateral|tablesample|using|sample)\b",
    re.IGNORECASE,
)


class Check(msgspec.Struct, frozen=True):
    """A test that a scan of `relation` can answer: `failing` counts what fails, zero exactly when nothing does.

    `parent` is (its relation, its key, the relation's own key) where rows are held against another relation; `{key}` in
    `failing` stands for the parent's key.
    """

    relation: str
    failing: str
    parent: tuple[str, str, str] | None = None


def recognise(query: str) -> Check | None:
    """What a test's query asks for, or None where only the query itself can tell."""
    text = query.strip()
    if found := UNIQUE.fullmatch(text):
        column = found["column"]
        return Check(found["relation"], f"count({column}) - count(distinct {column})")
    if found := ACCEPTED.fullmatch(text):
        return Check(found["relation"], _cases(f"{found['column']} not in ({found['values']})"))
    if found := RELATIONSHIPS.fullmatch(text):
        column = found["column"]
        failing = _cases(f"{column} is not null and {{key}} is null")
        return Check(found["relation"], failing, (found["to"], found["field"], column))
    found = ROWS.fullmatch(text)
    if found is None or not _is_condition(found["condition"]):
        return None
    return Check(found["relation"], _cases(found["condition"].strip()))


def fuse(checks: Sequence[Check]) -> str:
    """One query for checks of one relation: a row with a number per check, in their order."""
    keys = iter(range(1, len(checks) + 1))
    columns, joins = [], []
    for place, check in enumerate(checks, 1):
        failing = check.failing
        if check.parent is not None:
            relation, field, column = check.parent
            key = f"{PREFIX}{next(keys)}"
            joins.append(
                f"left join (select distinct {field} as {key} from {relation}) as {key}s on {column} = {key}s.{key}"
            )
            failing = failing.replace("{key}", f"{key}s.{key}")
        columns.append(f"    {failing} as failures_{place}")
    return "select\n" + ",\n".join(columns) + "\n" + "\n".join([f"from {checks[0].relation}", *joins])


def _cases(condition: str) -> str:
    return f"count(case when {condition} then 1 end)"


def _is_condition(text: str) -> bool:
    """Whether the text is one condition and nothing behind it: no clause outside of parentheses and quotes."""
    if UNSURE.search(text):
        return False
    plain = QUOTED.sub("''", text)
    if "'" in plain.replace("''", "") or '"' in plain or "`" in plain:
        return False
    return all(not CLAUSES.search(each) for each in _top(plain))


def _top(text: str) -> Iterator[str]:
    """The text outside of all parentheses; nothing is outside where they do not match."""
    while INNER.search(text):
        text = INNER.sub("()", text).replace("()", " ")
    yield text if "(" not in text and ")" not in text else "select"
