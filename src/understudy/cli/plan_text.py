"""Plans and explanations as text for people."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from understudy.app.events import Explained, Planned
from understudy.cli.words import ago, count, duration, enumerate_words, harmless, shorten
from understudy.execute.outline import (
    Cloned,
    Difference,
    Explanation,
    Outline,
    Reference,
    Standing,
    losing_history,
)
from understudy.execute.outline import Planned as Step

Paint = Callable[[str, str], str]
EFFECT_STYLE = {"create": "good", "clone": "good", "from nothing": "warn", "test": "dim", "nothing": "dim"}
PARTS = {"persisted_descriptions": "description", "configs": "config", "vars": "var", "env": "env_var"}
"""Checks whose name a person would not use."""
LINES = 8
"""So many lines of a text's difference are shown, and twice as many references."""


def plan_text(event: Planned | Explained, paint: Paint, width: int) -> str:
    """What `plan`, `explain` and `--explain` print."""
    lines = (
        _plan(event.outline, paint, width)
        if isinstance(event, Planned)
        else _explanation(event.explanation, paint, width)
    )
    return "\n".join(line.rstrip() for line in lines)


# The plan


def _plan(outline: Outline, paint: Paint, width: int) -> Iterator[str]:
    built = [step for step in outline.steps if step.effect not in ("test", "nothing")]
    tests = [step for step in outline.steps if step.effect == "test"]
    yield _summary(outline, built, tests, paint)
    yield ""
    if built:
        yield from _steps(outline, built, paint, width)
    yield from _tests(outline, tests, paint, width)
    yield from _references(outline.references, paint, width)
    yield from _left(outline, paint, width)
    yield from _history(built, paint)
    yield _costs(outline, paint)


def _summary(outline: Outline, built: Sequence[Step], tests: Sequence[Step], paint: Paint) -> str:
    kinds = Counter(step.unique_id.partition(".")[0] for step in built)
    parts = [count(number, kind) for kind, number in kinds.items()] + ([count(len(tests), "test")] if tests else [])
    criteria = f" ({harmless(outline.criteria)})" if outline.criteria else ""
    what = enumerate_words(parts) if parts else "nothing"
    return f"{paint('Plan', 'bold')} {outline.command} of {what}{criteria}. Nothing has been run."


def _steps(outline: Outline, built: Sequence[Step], paint: Paint, width: int) -> Iterator[str]:
    where = {reference.unique_id: reference for reference in outline.references}
    effects = max(len(step.effect) for step in built)
    kinds = max(len(step.kind) for step in built)
    names = min(max(len(_short(step)) for step in built), max(24, width - effects - kinds - 48))
    for step in built:
        cells = (
            paint(f"{step.effect:<{effects}}", EFFECT_STYLE.get(step.effect, "bold")),
            f"{harmless(step.kind):<{kinds}}",
            paint(f"{shorten(harmless(_short(step)), names):<{names}}", "bold"),
            paint(_there(step.production), "dim"),
        )
        yield "  " + "  ".join(cells)
        indent = " " * (effects + 4)
        yield from (indent + line for line in _why(step, paint, width - len(indent)))
        if step.clone is not None:
            yield indent + paint(shorten(_first(step.clone), width - len(indent)), "good")
        reads = [_place(where[each]) for each in step.reads if each in where and where[each].relation]
        if reads:
            yield indent + paint(shorten(f"reads {', '.join(map(harmless, reads))}", width - len(indent)), "dim")
    yield ""


def _short(step: Step) -> str:
    """`dev.orders`: the relation without its database."""
    return ".".join((step.relation or step.name).split(".")[-2:])


def _place(reference: Reference) -> str:
    return ".".join((reference.relation or "").split(".")[-2:])


def _there(standing: Standing | None) -> str:
    """What stands in production: `prod-artifacts: table, 693 rows, built 2 h ago`."""
    if standing is None:
        return ""
    name = harmless(standing.environment)
    if standing.exists is False:
        return f"{name}: not there"
    facts = [standing.kind.replace("_", " ")] if standing.kind else []
    if standing.rows is not None:
        facts.append(count(standing.rows, "row"))
    if standing.age is not None:
        facts.append(f"built {ago(standing.age)}")
    return f"{name}: {', '.join(facts)}" if facts else name


def _first(clone: Cloned) -> str:
    """`cloned from shop.prod.events first, about 1,234 rows`."""
    rows = "" if clone.rows is None else f", about {count(clone.rows, 'row')}"
    if clone.limit is not None:
        rows = f", no more than {count(clone.limit, 'row')}"
    return f"cloned from {harmless(clone.relation)} first{rows}, then added to"


def _why(step: Step, paint: Paint, width: int) -> Iterator[str]:
    """Why a step is there: what changed, or by way of which node it came."""
    cause = step.why
    changed = list(_differences(step.changes or (), paint, width))
    if changed:
        yield from changed
    if cause is None or (changed and cause.how == "matches" and "state:" in cause.criterion):
        return
    of = harmless((cause.of or "").split(".", 2)[-1])
    match cause.how:
        case "matches":
            text = f"selected by {harmless(cause.criterion)}"
        case "below":
            text = f"depends on {of} ({harmless(cause.criterion)})"
        case "above":
            text = f"{of} depends on it ({harmless(cause.criterion)})"
        case "tests":
            text = f"tests {of}" if of else "tests what is selected"
        case "everything":
            text = "" if changed else "no selection was given"
    if text:
        yield paint(text, "dim")


def _differences(changes: Iterable[Difference], paint: Paint, width: int) -> Iterator[str]:
    for change in changes:
        if change.check == "new":
            yield paint("new: the state does not know it", "good")
            continue
        if change.check == "build":
            yield f"{paint('not built', 'warn')} {harmless(str(change.old))}"
            continue
        if change.check == "macros" and not change.key:
            yield f"{paint('changed', 'warn')} macros: it was built there with older ones"
            continue
        check = PARTS.get(change.check, change.check)
        key = "" if change.key in ("", change.check, "raw_code") else f" {harmless(change.key)}"
        mark = paint(" breaks the contract", "bad") if change.breaking else ""
        head = f"{paint('changed', 'warn')} {harmless(check)}{key}"
        if _is_text(change.old) or _is_text(change.new):
            yield head + mark
            yield from _text_difference(str(change.old or ""), str(change.new or ""), paint, width)
        elif change.key == "checksum":
            yield f"{head.removesuffix(' checksum')}: the file's content{mark}"
        else:
            half = max(16, (width - len(check) - len(key) - 16) // 2)
            yield f"{head}: {_value(change.old, half)} -> {_value(change.new, half)}{mark}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\n" in value


def _value(value: Any, width: int) -> str:
    if value is None:
        return "nothing"
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    return shorten(harmless(text).replace("\n", " "), width)


def _text_difference(old: str, new: str, paint: Paint, width: int) -> Iterator[str]:
    """The lines that went and came, a few of them."""
    lines = list(difflib.unified_diff(old.splitlines(), new.splitlines(), n=0, lineterm=""))[2:]
    lines = [line for line in lines if not line.startswith("@@")]
    for line in lines[:LINES]:
        yield "  " + paint(shorten(f"{line[0]} {harmless(line[1:])}", width - 2), "good" if line[0] == "+" else "bad")
    if len(lines) > LINES:
        yield paint(f"  ... {count(len(lines) - LINES, 'more line')}", "dim")


def _tests(outline: Outline, tests: Sequence[Step], paint: Paint, width: int) -> Iterator[str]:
    if not tests:
        return
    names = [harmless(step.name) for step in tests]
    yield f"{paint('Tests', 'bold')}  {len(tests)}"
    new = [step for step in tests if any(change.check == "new" for change in step.changes or ())]
    changed = [step for step in tests if step.changes and step not in new]
    for word, some in (("new", new), ("changed", changed)):
        if some:
            yield f"  {paint(word, 'warn')} {_list([harmless(step.name) for step in some], width - len(word) - 3)}"
    if not new and not changed:
        yield "  " + paint(_list(names, width - 2), "dim")
    yield ""


# References


def _references(references: Sequence[Reference], paint: Paint, width: int) -> Iterator[str]:
    told = [each for each in references if each.relation and each.row != "3"]
    told.sort(key=lambda each: not each.deferred)
    if not told:
        return
    deferred = sum(each.deferred for each in told)
    yield f"{paint('References', 'bold')}  {deferred} of {len(references)} deferred"
    names = min(max(len(each.name) for each in told[: LINES * 2]), 40)
    places = min(max(len(each.relation or "") for each in told[: LINES * 2]), 60)
    for each in told[: LINES * 2]:
        place = paint(f"{harmless(each.relation or ''):<{places}}", "good" if each.deferred else "bold")
        note = paint(each.reason, "dim")
        yield f"  {shorten(harmless(each.name), names):<{names}}  -> {place}  {note}"
        if each.stale and not each.deferred:
            yield f"  {'':<{names}}     {paint(shorten(harmless(each.stale), width - names - 7), 'warn')}"
    if len(told) > LINES * 2:
        yield paint(f"  ... {count(len(told) - LINES * 2, 'more reference')}; --output json has them all", "dim")
    built = sum(each.row == "3" for each in references)
    if built:
        text = f"{built} more {'goes' if built == 1 else 'go'} to what this run builds"
        yield "  " + paint(text, "dim")
    yield ""


# What is left alone


def _left(outline: Outline, paint: Paint, width: int) -> Iterator[str]:
    if outline.skipped:
        reasons = Counter((each.why, each.unique_id.partition(".")[0]) for each in outline.skipped)
        whys = dict.fromkeys(why for why, _ in reasons)
        for why in whys:
            parts = [count(number, kind) for (reason, kind), number in sorted(reasons.items()) if reason == why]
            yield f"{paint('Left alone', 'bold')}  {enumerate_words(parts)}: {why}"
    if outline.removed:
        gone = f"{count(len(outline.removed), 'resource')} of the state: "
        names = [harmless(each.partition(".")[2].partition(".")[2]) for each in outline.removed]
        yield f"{paint('Gone', 'bold')}  {gone}{_list(names, width - len(gone) - 6)}"
    if outline.hooks:
        yield f"{paint('Hooks', 'bold')}  {count(len(outline.hooks), 'statement')} of on-run-start and on-run-end"
    if outline.skipped or outline.removed or outline.hooks:
        yield ""


def _history(built: Iterable[Step], paint: Paint) -> Iterator[str]:
    lost = losing_history(built)
    for step in lost:
        theirs = f"{step.production.environment} has" if step.production else "production has"
        text = (
            f"{harmless(_short(step))} would be built from nothing, though {harmless(theirs)} its history ({step.kind})"
        )
        yield f"{paint('Warning:', 'warn')} {text}"
    if lost:
        yield "  " + paint("--clone-incrementals clones such tables first, and adds to them", "dim")
        yield ""


def _costs(outline: Outline, paint: Paint) -> str:
    estimate = outline.estimate
    if estimate.run is None and estimate.saved is None:
        return paint("How long it takes is not known: no state brings a run_results.json of it.", "dim")
    parts = [f"about {duration(estimate.run)} of work" if estimate.run is not None else "an unknown time of work"]
    if estimate.stood_in:
        saved = f", {duration(estimate.saved)} saved" if estimate.saved is not None else ""
        parts.append(f"{count(estimate.stood_in, 'node')} not built, as the state stands in{saved}")
    return f"{paint('Estimate', 'bold')}  {'; '.join(parts)}"


# Explanations


def _explanation(explanation: Explanation, paint: Paint, width: int) -> Iterator[str]:
    where = {reference.unique_id: reference for reference in explanation.references}
    for number, node in enumerate(explanation.nodes):
        if number:
            yield ""
        yield f"{paint(harmless(node.name), 'bold')}  {harmless(node.kind)}  {paint(harmless(node.path or ''), 'dim')}"
        selected = list(_why(node, paint, width - 4))
        yield from (f"  {line}" for line in selected)
        if node.why is None:
            yield "  " + paint("not selected", "dim")
        if node.changes == () and "state:" not in (node.why.criterion if node.why else ""):
            yield "  " + paint("unchanged since the state", "dim")
        yield from _stands(node, paint)
        if node.clone is not None:
            yield "  " + paint(_first(node.clone), "good")
        if node.unique_id in where and not any(node.unique_id in each.reads for each in explanation.nodes):
            yield ""
            yield f"  {paint('What refers to it reads', 'bold')}"
            yield from _weighed(where[node.unique_id], paint, named=False)
        if node.reads:
            yield ""
            yield f"  {paint('It reads', 'bold')}"
            for each in node.reads:
                if each in where:
                    yield from _weighed(where[each], paint, named=True)


def _stands(node: Step, paint: Paint) -> Iterator[str]:
    """Where the node's relation is, here and in the state."""
    wide = max(6, len(node.production.environment) if node.production else 0)
    if node.target is not None:
        here = "not there yet" if node.target.exists is False else (node.target.kind or "").replace("_", " ")
        yield f"  {'target':<{wide}}  {harmless(node.target.relation)}  {paint(here, 'dim')}"
    if node.production is not None:
        there = _there(node.production).partition(": ")[2]
        yield f"  {harmless(node.production.environment):<{wide}}  {harmless(node.production.relation)}  {paint(there, 'dim')}"


def _weighed(reference: Reference, paint: Paint, *, named: bool) -> Iterator[str]:
    """Where a reference goes, by which row of the table, and what spoke against the others."""
    row = f", row {reference.row} of the rule" if reference.row else ""
    where = harmless(reference.relation or "a CTE")
    name = f"{harmless(reference.name)} -> " if named else ""
    yield f"    {name}{paint(where, 'good' if reference.deferred else 'bold')}  ({reference.reason}{row})"
    wide = max((len(option.environment) for option in reference.options), default=0)
    for option in reference.options:
        mark = paint("✓", "good") if option.taken else paint("×", "dim")
        there = {True: " [there]", False: " [not there]", None: ""}[option.exists]
        text = harmless(f"{option.environment:<{wide}}  {option.relation or '-'}{there}")
        yield f"      {mark} {text if option.taken else paint(f'{text}: {option.why}', 'dim')}"
    if reference.stale:
        yield f"      {paint(harmless(reference.stale), 'warn')}"


def _list(names: Sequence[str], width: int) -> str:
    """All names where they fit into a line; else as many whole ones as fit (the first shortened if it must be), and how many
    more there are.
    """
    whole = ", ".join(names)
    if len(whole) <= width:
        return whole
    room = width - len(f" and {len(names):,} more")
    text, rest = shorten(names[0], room), len(names) - 1
    for name in names[1:]:
        if len(text) + 2 + len(name) > room:
            break
        text, rest = f"{text}, {name}", rest - 1
    return f"{text} and {rest:,} more" if rest else text
