"""Names to parts: built in, of installed packages, or ``package.module:name``.

Everything that has a name is looked up here: networks, data, defenses, channels, losses, attacks,
metrics, recipes. Code outside of mixcon is imported only where its package was allowed: by typing
its name (`allow_code` is called for what stands on the command line) or ``--allow-code``, or
because the calling program has imported it already. A name that a file brought along allows
nothing.
"""

from __future__ import annotations

import difflib
import importlib
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType
from typing import Any, Generic, TypeVar

from mixcon.errors import ConfigError

__all__ = ["ALLOWED", "Registry", "allow_code", "packages_in", "unknown"]

T = TypeVar("T")

ALLOWED = "MIXCON_ALLOW_CODE"
"""Environment variable: packages whose code may be imported, separated by commas."""

_CODE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_][\w.]*")


class Registry(Mapping[str, T], Generic[T]):
    """The parts of one kind by name.

    As a mapping it holds what is built in. `find` looks further: at the entry points of installed
    packages in the group ``mixcon.KIND`` and, for a name with a colon, into that module.

    Args:
        kind: what the parts are, a plural in one word: ``networks``.
        parts: the built-in ones.
    """

    def __init__(self, kind: str, parts: Mapping[str, T]) -> None:
        self.kind, self._parts = kind, dict(parts)

    def __getitem__(self, name: str) -> T:
        return self._parts[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._parts)

    def __len__(self) -> int:
        return len(self._parts)

    def __setitem__(self, name: str, part: T) -> None:
        """Add a part for as long as this process runs."""
        self._parts[name] = part

    def __delitem__(self, name: str) -> None:
        del self._parts[name]

    @property
    def names(self) -> list[str]:
        """Every name but those of modules: built in, then of installed packages."""
        return [*self._parts, *(n for n in self._installed() if n not in self._parts)]

    def has(self, name: str) -> bool:
        """Whether `find` would look for this name, without importing anything."""
        return ":" in name or name in self._parts or name in self._installed()

    def find(self, name: str) -> T:
        """The part of this name.

        Raises:
            ConfigError: no such name, code that was not allowed, or a module that fails.
        """
        if name in self._parts:
            return self._parts[name]
        if name in (installed := self._installed()):
            return _loaded(installed[name].load, name)  # type: ignore[no-any-return]
        if ":" in name:
            return _imported(name)  # type: ignore[no-any-return]
        raise ConfigError(unknown(self.kind, name, self.names))

    def _installed(self) -> Mapping[str, EntryPoint]:
        return _entry_points(f"mixcon.{self.kind}", tuple(sys.path))


@lru_cache
def _entry_points(group: str, _path: tuple[str, ...]) -> Mapping[str, EntryPoint]:
    """By name. Every installed package is read for it, so it is done once for a path."""
    return {point.name: point for point in entry_points(group=group)}


def allow_code(*names: str) -> None:
    """Allow code to be imported, here and in the processes that this one starts.

    Args:
        names: packages, or parts in them: ``mine``, ``mine.nets:resnet``.

    Raises:
        ConfigError: one of them is no name of a package.
    """
    packages = [_package(name) for name in names]
    odd = [name for name in packages if not name.isidentifier()]
    if odd:
        raise ConfigError(f"expected the name of a package, such as mine, but got '{odd[0]}'")
    os.environ[ALLOWED] = ",".join(dict.fromkeys([*_allowed(), *packages]))


def packages_in(*texts: str) -> list[str]:
    """The packages of the code that texts name as ``package.module:name``, each once."""
    found = [_package(name) for text in texts for name in _CODE.findall(text)]
    return [name for name in dict.fromkeys(found) if name != "folder"]


def unknown(kind: str, name: str, known: Iterable[str]) -> str:
    """The message for an unknown name: the nearest known one, and all of them."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    listed = ", ".join(known)
    return (
        f"expected one of the {kind} {listed}, or package.module:name of your own, but got "
        f"'{name}'{hint}"
    )


def _imported(name: str) -> Any:
    module, _, attribute = name.partition(":")
    own = _package(name)
    if module not in sys.modules and own not in _allowed():
        raise ConfigError(
            f"'{name}' is code from outside of mixcon, and a file that names it does not allow it: "
            f"if you trust it, add --allow-code {own}, or set {ALLOWED}={own} (in Python: "
            f"mixcon.allow_code('{own}'))"
        )
    found = _loaded(lambda: _import_module(module), name)
    for part in attribute.split("."):
        if not hasattr(found, part):
            near = difflib.get_close_matches(part, dir(found), n=1)
            hint = f"; did you mean '{near[0]}'?" if near else ""
            raise ConfigError(
                f"'{name}': expected {module} to have a {part}, but it has none{hint}"
            )
        found = getattr(found, part)
    return found


def _import_module(module: str) -> ModuleType:
    here = os.getcwd()
    if here not in sys.path and "" not in sys.path:
        sys.path.append(here)  # a command's own folder is not on the path, as `python -m` has it
    return importlib.import_module(module)


def _loaded(load: Any, name: str) -> Any:
    try:
        return load()
    except Exception as error:  # somebody's code runs here, so anything may be raised
        raise ConfigError(
            f"'{name}': expected a module that can be imported, but got "
            f"{type(error).__name__}: {error}"
        ) from error


def _allowed() -> list[str]:
    return [name for name in os.environ.get(ALLOWED, "").split(",") if name]


def _package(name: str) -> str:
    return name.partition(":")[0].partition(".")[0].strip()
