"""The API reference: a page for each public package, of the docstrings of its public names."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from importlib import import_module
from typing import Any

import mixcon

__all__ = ["pages"]

_PACKAGES = (
    *("split", "losses", "channels", "defenses", "attacks", "bounds", "metrics", "models", "data"),
    *("training", "audit", "reports", "leaderboard", "sweep", "serving", "theory", "testing"),
    *("kinds", "registry", "evidence", "errors"),
)


def pages() -> Iterator[tuple[str, str]]:
    """Path and Markdown of each."""
    rows = [
        f"| [`{name}`][{_defined(part)}] | {_summary(part)} |" for name, part in _public(mixcon)
    ]
    lead = f"# mixcon\n\n{_summary(mixcon)}\n\n```python\nimport mixcon\n```\n\n"
    yield "api/index.md", "\n".join([f"{lead}| Name | What it is |", "| :-- | :-- |", *rows, ""])
    for name in _PACKAGES:
        yield f"api/{name}.md", _page(import_module(f"mixcon.{name}"))


def _page(package: Any) -> str:
    lines = [f"# {package.__name__}", "", inspect.getdoc(package) or "", ""]
    for _, part in _public(package):
        lines += [f"::: {_defined(part)}", ""]
    shown = {name for name, _ in _public(package)}
    others = [name for name in package.__all__ if name not in shown]
    if others:
        lines += ["## Other names", "", ", ".join(f"`{name}`" for name in others), ""]
    return "\n".join(lines)


def _public(package: Any) -> Iterator[tuple[str, Any]]:
    """Its classes and functions, by the names that it gives away."""
    for name in package.__all__:
        part = getattr(package, name)
        if inspect.isclass(part) or inspect.isfunction(part):
            yield name, part


def _defined(part: Any) -> str:
    return f"{part.__module__}.{part.__qualname__}"


def _summary(part: Any) -> str:
    return (inspect.getdoc(part) or "").partition("\n\n")[0].replace("\n", " ").replace("|", "\\|")
