"""The whole tree of packages: wishes of wishes, until there is one version for each, and no new wish."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from understudy.errors import ProjectError
from understudy.project.packages.sources import Pinned
from understudy.project.packages.specs import Want

LIMIT = 500
"""Packages in one tree: more is a tree that does not end."""


def resolve(wants: Iterable[Want], pin: Callable[[Want], Pinned], root_name: str) -> list[Pinned]:
    """One version for each package of the tree, in the order in which they were first asked for.

    As dbt 1.11 (resolve_packages): level by level; a wish that comes later narrows the choice, and then the new choice's
    own wishes count as well.

    Raises ProjectError: conditions that exclude each other (with who asked for what), names that occur twice.
    """
    final: dict[str, Want] = {}
    pinned: dict[str, Pinned] = {}
    pending = combined(wants)
    while pending:
        following: list[Want] = []
        for key, want in pending.items():
            final[key] = final[key].and_also(want) if key in final else want
            if len(final) > LIMIT:
                raise ProjectError(f"There are more than {LIMIT} packages in the tree", place=want.place)
            before, pinned[key] = pinned.get(key), pin(final[key])
            if before is None or before.version != pinned[key].version:
                following += pinned[key].wants
        pending = combined(following)
    return distinct(list(pinned.values()), root_name)


def combined(wants: Iterable[Want]) -> dict[str, Want]:
    """Wishes for the same package as one. Raises ProjectError where they are of different kinds."""
    result: dict[str, Want] = {}
    for want in wants:
        result[want.key] = result[want.key].and_also(want) if want.key in result else want
    return result


def distinct(packages: Sequence[Pinned], root_name: str) -> list[Pinned]:
    """The packages. Raises ProjectError where two have one name, or one has the root project's."""
    seen: dict[str, Pinned] = {}
    for each in packages:
        if each.name == root_name:
            message = f"The package {each.want.label} has the root project's name, '{root_name}'"
            raise ProjectError(message, place=each.want.place, hint="Rename one of them")
        if each.name in seen:
            message = f"Two packages are called '{each.name}': {seen[each.name].want.label} and {each.want.label}"
            who = f"The first is asked for by {seen[each.name].want.who}, the second by {each.want.who}"
            raise ProjectError(message, place=each.want.place, hint=who)
        seen[each.name] = each
    return list(packages)
