"""Tables of names: name -> row, with the code behind a row imported on first use.

A table of names is the whole of a package's `__init__`: a tuple of frozen rows and one `Registry`.
Other packages add rows through the entry point group `copycat.<kind>`; their metadata are read
only when a name is not in the table or when names are listed.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Generic, Protocol, TypeVar

from copycat.errors import BugError, CopycatError, UnknownNameError, UserError


class Row(Protocol):
    """A frozen record with a name. A row with code behind it has a `target`, "module:Attribute"."""

    @property
    def name(self) -> str:
        """Give the name that users type."""


T = TypeVar("T", bound=Row)


class Registry(Generic[T]):
    """The rows of one kind ("model", "judge", ...), fixed when built.

    Args:
        kind: singular, as error texts say it; plug-ins use the entry point group `copycat.<kind>`.
        rows: the table; two rows of one name raise BugError.
        hint: what to type to see all names.
    """

    def __init__(self, kind: str, rows: Iterable[T], hint: str = "") -> None:
        self.kind, self.hint = kind, hint
        self.group = f"copycat.{kind.replace(' ', '-')}"
        self._rows: dict[str, T] = {}
        self._plugin_rows: dict[str, T] = {}
        for row in rows:
            if row.name in self._rows:
                raise BugError(f"two rows of the {kind} table are named '{row.name}'")
            self._rows[row.name] = row

    def get(self, name: str) -> T:
        """Give the row of this name.

        Raises:
            UnknownNameError: no row and no plug-in has it; the text suggests near names.
            UserError: it comes from a plug-in that cannot be imported.
        """
        if name in self._rows:
            return self._rows[name]
        plugins = self._plugins()
        if name in plugins:
            return self._plugin_row(plugins[name])
        raise UnknownNameError(self.kind, name, [*self._rows, *plugins], self.hint)

    def load(self, name: str) -> Any:  # Any: what a target is, only its own table knows
        """Import what the row's `target` names and give it."""
        row = self.get(name)
        target = getattr(row, "target", None)
        if not isinstance(target, str):
            raise BugError(f"{self.kind} '{name}' has no target 'module:Attribute' to load")
        return resolve(target, f"{self.kind} '{name}'")

    def names(self) -> tuple[str, ...]:
        """Give all names, the table's in its order and then the plug-ins'; imports none of them."""
        return (*self._rows, *self._plugins())

    def rows(self) -> tuple[T, ...]:
        """Give all rows in the order of `names()`; imports the plug-ins."""
        return (*self._rows.values(), *(self._plugin_row(point) for point in self._plugins().values()))

    def _plugins(self) -> dict[str, EntryPoint]:
        found: dict[str, EntryPoint] = {}
        for point in _entry_points(self.group, tuple(sys.path)):
            earlier = found.setdefault(point.name, point)
            if point.name in self._rows or earlier.value != point.value:
                other = "copycat itself" if point.name in self._rows else _origin(earlier)
                raise UserError(
                    f"{self.kind} '{point.name}' comes from {_origin(point)} and from {other}\n"
                    f"  needed: one owner for each name\n  uninstall one of the two"
                )
        return found

    def _plugin_row(self, point: EntryPoint) -> T:
        if point.name not in self._plugin_rows:
            row: T = resolve(point.value, f"plug-in {self.kind} '{point.name}' of {_origin(point)}")
            if getattr(row, "name", None) != point.name:
                raise UserError(
                    f"plug-in {self.kind} '{point.name}' of {_origin(point)}: '{point.value}' is no row of that name\n"
                    f"  needed: a frozen record whose name is '{point.name}'"
                )
            self._plugin_rows[point.name] = row
        return self._plugin_rows[point.name]


def resolve(target: str, owner: str, fix: str = "install what it needs, or uninstall it") -> Any:
    """Import "module:Attribute" for `owner`; see `Registry.load` on the type. `fix` is told where that fails.

    Raises:
        UserError: the form is wrong, the module does not import, or it lacks the attribute.
    """
    module_name, colon, attribute = target.partition(":")
    if not (module_name and colon and attribute):
        raise UserError(f"{owner}: target '{target}' has the wrong form\n  needed: 'module:Attribute'")
    try:
        found: Any = importlib.import_module(module_name)
        for part in attribute.split("."):
            found = getattr(found, part)
    except CopycatError:
        raise
    except Exception as error:  # somebody else's module may raise anything on import
        raise UserError(
            f"{owner} cannot be loaded from '{target}'\n  {type(error).__name__}: {error}\n  {fix}"
        ) from error
    return found


@lru_cache
def _entry_points(group: str, path: tuple[str, ...]) -> tuple[EntryPoint, ...]:
    """Give the entry points of a group by name, read once per search path: a scan reads a file of every package."""
    return tuple(sorted(entry_points(group=group), key=lambda point: (point.name, point.value)))


def _origin(point: EntryPoint) -> str:
    return f"package '{point.dist.name}'" if point.dist else f"entry point '{point.value}'"
