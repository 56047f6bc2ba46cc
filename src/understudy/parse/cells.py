"""Which parts of a project stand and fall together, so that a part can be read anew by itself.

A unit is one thing that is read: a file, or one entry of a properties file. Units that speak of one resource form a cell
with all that they make: a model's file, its entry, its tests and unit tests. What a cell makes follows from the texts of its
units, from the project's settings, and from its inputs: the variables, macros, docs blocks ... that were looked up meanwhile.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from understudy.core.input import Input
from understudy.core.warning import Warning_
from understudy.errors import Place
from understudy.template.state import Notify

MISSING = "missing"
"""The kind of input that a name is of which nothing was found."""


class Unit(NamedTuple):
    """One thing that is read. `part` is the file's kind, or the list of a properties file in which the entry stands under
    its `name`; `n` tells entries of one name apart.
    """

    package: str
    path: str
    part: str
    name: str = ""
    n: int = 0


class Said(NamedTuple):
    """What a template logged, printed or warned of while it was parsed; see template.state.Notify."""

    kind: str
    message: str
    place: Place | None


class Cell:
    """Units and what belongs to them. `into`: the cell that has taken this one in."""

    __slots__ = ("inputs", "into", "said", "units", "warnings")

    def __init__(self, *units: Unit) -> None:
        self.units = list(units)
        self.inputs: set[Input] = set()
        self.warnings: list[Warning_] = []
        self.said: list[Said] = []
        self.into: Cell | None = None

    def whole(self) -> Cell:
        """The cell of which this one is a part by now."""
        cell = self
        while cell.into is not None:
            if cell.into.into is not None:
                cell.into = cell.into.into  # so that the way is short the next time
            cell = cell.into
        return cell

    def take_in(self, other: Cell) -> None:
        """Two cells become one."""
        self.units += other.units
        self.inputs |= other.inputs
        self.warnings += other.warnings
        self.said += other.said
        other.into = self


class Cells:
    """The cells of a parse, and the one at work. `watch` is told where to put the inputs of renderings."""

    def __init__(self) -> None:
        self.watch: Callable[[set[Input] | None], None] = lambda inputs: None
        self._over = False
        self._made: list[Cell] = []
        self._of: dict[str, Cell] = {}
        self.common = Cell()
        """What belongs to no unit: how schemas are named, checks of the whole project."""
        self.current = self.common

    def begin(self, unit: Unit) -> Cell:
        """A unit is read from here on."""
        cell = Cell(unit)
        self._made.append(cell)
        return self.resume(cell)

    def resume(self, cell: Cell | None = None) -> Cell:
        """Work goes on for a cell; without one, for all of them. Gives the cell as it is by now."""
        self.current = (self.common if cell is None else cell).whole()
        self.watch(self.current.inputs)
        return self.current

    def touch(self, unique_id: str) -> None:
        """What is at work makes or describes that resource."""
        other = self._of.get(unique_id)
        if other is None:
            self._of[unique_id] = self.current
        else:
            self.join(other)

    def join(self, other: Cell) -> Cell:
        """What is at work stands and falls with another cell. Gives the cell that both are by now."""
        other, mine = other.whole(), self.current
        if other is mine:
            return mine
        if len(mine.units) > len(other.units):
            mine.take_in(other)
        else:
            other.take_in(mine)
            self.resume(other)
        return self.current

    def note(self, *input: str) -> None:
        """What is at work depends on that, too."""
        self.current.inputs.add(input)

    def hear(self, notify: Notify) -> Notify:
        """A listener that notes what is said while the project is parsed, and passes everything on."""

        def heard(kind: str, message: str, place: Place | None) -> None:
            if not self._over:
                self.current.said.append(Said(kind, message, place))
            notify(kind, message, place)

        return heard

    def end(self) -> None:
        """Nobody listens any more."""
        self.resume()
        self._over = True
        self.watch(None)

    def all(self) -> list[Cell]:
        """The cells, each once, in the order in which they were begun."""
        return [cell for cell in self._made if cell.into is None]

    def add(self, warning: Warning_) -> None:
        """Note a warning that came later, with the cell of its node."""
        self.of(None if warning.place is None else warning.place.node).warnings.append(warning)

    def missed(self, unique_id: str, name: str) -> None:
        """Note that a resource would be another one if there were something of that name."""
        self.of(unique_id).inputs.add((MISSING, name))

    def owners(self) -> Iterator[tuple[str, Cell]]:
        """Every unique_id that was touched, with its cell."""
        return ((unique_id, cell.whole()) for unique_id, cell in self._of.items())

    def of(self, unique_id: str | None) -> Cell:
        """The cell of a resource; the common one of what has none."""
        found = self._of.get(unique_id) if unique_id is not None else None
        return self.common if found is None else found.whole()
