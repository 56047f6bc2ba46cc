"""Names that need nothing but their arguments: return, tojson, set, zip, local_md5 ... (dbt 1.11: BaseContext)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from understudy.errors import JinjaError
from understudy.template.state import Return


def return_(data: Any) -> NoReturn:
    """End the macro with a value."""
    raise Return(data)


def tojson(value: Any, default: Any = None, sort_keys: bool = False) -> Any:
    """The value as JSON text, or the default."""
    try:
        return json.dumps(value, sort_keys=sort_keys)
    except ValueError:
        return default


def fromjson(string: str, default: Any = None) -> Any:
    """The value of JSON text, or the default."""
    try:
        return json.loads(string)
    except ValueError:
        return default


def fromyaml(value: str, default: Any = None) -> Any:
    """The value of YAML text (plain data only), or the default."""
    import yaml

    try:
        return yaml.load(value, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (AttributeError, ValueError, yaml.YAMLError):
        return default


def toyaml(value: Any, default: str | None = None, sort_keys: bool = False) -> str | None:
    """The value as YAML text, or the default."""
    import yaml

    try:
        return str(yaml.safe_dump(data=value, sort_keys=sort_keys))
    except (ValueError, yaml.YAMLError):
        return default


def to_set(value: Iterable[Any], default: Any = None) -> Any:
    """The different values, or the default when it cannot be walked."""
    try:
        return set(value)
    except TypeError:
        return default


def to_set_strict(value: Iterable[Any]) -> set[Any]:
    """The different values. Raises JinjaError when it cannot be walked."""
    try:
        return set(value)
    except TypeError as error:
        raise JinjaError(f"set_strict: {error}") from error


def zipped(*args: Iterable[Any], default: Any = None) -> Any:
    """Tuples of the first items, the second items ..., or the default."""
    try:
        return zip(*args, strict=False)
    except TypeError:
        return default


def zipped_strict(*args: Iterable[Any]) -> Any:
    """Tuples of the first items, the second items ... Raises JinjaError when something cannot be walked."""
    try:
        return zip(*args, strict=False)
    except TypeError as error:
        raise JinjaError(f"zip_strict: {error}") from error


def local_md5(value: str) -> str:
    """The MD5 of a text, computed here."""
    return hashlib.md5(value.encode(), usedforsecurity=False).hexdigest()


def diff_of_two_dicts(dict_a: Mapping[str, list[str]], dict_b: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """What the lists of the first hold and those of the second do not, without regard to case."""
    lowered = {key.casefold(): {item.casefold() for item in items} for key, items in dict_b.items()}
    found = {}
    for key, items in dict_a.items():
        if key.casefold() not in lowered:
            found[key] = items
        elif rest := [item for item in items if item.casefold() not in lowered[key.casefold()]]:
            found[key] = rest
    return found


FUNCTIONS = {
    "return": return_, "tojson": tojson, "fromjson": fromjson, "toyaml": toyaml, "fromyaml": fromyaml, "set": to_set,
    "set_strict": to_set_strict, "zip": zipped, "zip_strict": zipped_strict, "local_md5": local_md5,
    "diff_of_two_dicts": diff_of_two_dicts,
}  # fmt: skip
