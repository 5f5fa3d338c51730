"""The page of examples: each as it stands in the folder, under its own first words."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from itertools import takewhile
from pathlib import Path

__all__ = ["page"]

_FOLDER = Path(__file__).parents[1] / "examples"
_LANGUAGE = {".py": "python", ".sh": "sh"}
_LEAD = """# Examples

Each is a program of its own, of 80 lines or less, in the folder `examples/` of the project.
`--smoke` makes it short, as CI runs it; the numbers of a smoke run say nothing about leakage.
`examples/first_audit.ipynb` is a notebook: two models, an audit, and what an attacker draws.
"""


def page() -> str:
    """All of them, as Markdown."""
    parts = [_LEAD]
    for path in sorted((*_FOLDER.glob("*.py"), *_FOLDER.glob("*.sh"))):
        words, code = _apart(path)
        title, _, rest = words.partition("\n")
        parts.append(f"## {title.rstrip('.')}\n\n{rest.strip()}\n")
        parts.append(f'```{_LANGUAGE[path.suffix]} title="{path.name}"\n{code}\n```\n')
    return "\n".join(parts)


def _apart(path: Path) -> tuple[str, str]:
    """The docstring or first comment, and what follows it."""
    text = path.read_text(encoding="utf-8")
    lines = text.splitlines()
    if path.suffix == ".py":
        tree = ast.parse(text)
        return ast.get_docstring(tree) or "", _joined(lines[tree.body[0].end_lineno :])
    comment = list(takewhile(lambda line: line.startswith("#"), lines[1:]))
    words = (line.removeprefix("#").removeprefix(" ") for line in comment)
    return _joined(words), _joined(lines[1 + len(comment) :])


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines).strip()
