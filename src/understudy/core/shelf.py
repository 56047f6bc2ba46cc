"""A map whose values are put away, and taken down one by one when they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Container, ItemsView, Iterator, Mapping, ValuesView
from typing import Any, Generic, TypeVar, cast

T = TypeVar("T")


class Shelf(dict[str, T], Generic[T]):
    """unique_id -> resource, each made by `take` from its place when it is first asked for, and kept.

    Who walks over the keys makes nothing; `values()` and `items()` make everything. A dict, so that it may stand where maps
    of resources stand that were just read; in its own storage a number stands for what is not made yet.
    """

    __slots__ = ("_take",)

    def __init__(self, places: Mapping[str, Any], take: Callable[[int], T]) -> None:
        super().__init__(places)
        self._take = take

    def __getitem__(self, key: str) -> T:
        value: Any = super().__getitem__(key)
        if type(value) is int:
            value = self._take(value)
            super().__setitem__(key, value)
        return cast(T, value)

    def __iter__(self) -> Iterator[str]:  # its own, so that a copy of it holds resources rather than places
        return super().__iter__()

    def get(self, key: str, default: Any = None) -> Any:
        """The resource, or the default."""
        return self[key] if key in self else default  # noqa: SIM401 - this is what `get` does

    def values(self) -> ValuesView[T]:  # type: ignore[override]
        """Every resource."""
        return ValuesView(self)

    def items(self) -> ItemsView[str, T]:  # type: ignore[override]
        """Every resource with its key."""
        return ItemsView(self)

    def copy(self) -> dict[str, T]:
        """Every resource, in a dict of its own."""
        return {key: self[key] for key in self}

    def pop(self, key: str, *default: Any) -> Any:
        """Take a resource out."""
        if key not in self:
            return super().pop(key, *default)
        value = self[key]
        super().pop(key)
        return value

    def setdefault(self, key: str, default: Any = None) -> Any:
        """The resource, or the default from now on."""
        return self[key] if key in self else super().setdefault(key, default)

    def renewed(self, gone: Container[str], fresh: Mapping[str, T]) -> Shelf[T]:
        """The same without some resources and with others, in the order of the keys. Nothing is made."""
        storage: dict[str, Any] = {key: value for key, value in super().items() if key not in gone}
        storage.update(fresh)
        return self.like(dict(sorted(storage.items(), key=lambda item: item[0])))

    def like(self, storage: Mapping[str, Any]) -> Shelf[T]:
        """A shelf of the same kind, with other resources or places."""
        return Shelf(storage, self._take)

    def place(self, key: str) -> int | None:
        """Where a resource lies that is not made yet; None where it is made, or none of the shelf's."""
        value: Any = super().get(key)
        return value if type(value) is int else None
