"""Packages whose names are imported when they are first asked for (PEP 562).

So a device that runs an exported encoder imports no torch, and `mixcon --help` nothing at all.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from mixcon._extras import named_extra

__all__ = ["lazy"]


def lazy(
    package: str, homes: Mapping[str, Sequence[str]]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """``__getattr__`` and ``__dir__`` of a package.

    Submodules are found as well, as if the package had imported them.

    Args:
        package: its ``__name__``.
        homes: module to the public names that it defines; ``"name as other"`` renames.

    Raises:
        ConfigError: by ``__getattr__``, where what a name needs is an extra that is not installed.
    """
    home_of = {}
    for home, names_there in homes.items():
        for text in names_there:
            there, _, here = text.partition(" as ")
            home_of[here or there] = home, there

    def get(name: str) -> Any:
        if name in home_of:
            with named_extra():
                home, there = home_of[name]
                value = getattr(import_module(home), there)
            setattr(sys.modules[package], name, value)
            return value
        if not name.startswith("_") and find_spec(f"{package}.{name}"):
            with named_extra():
                return import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}", name=name)

    def names() -> list[str]:
        return sorted({*vars(sys.modules[package]), *home_of})

    return get, names
