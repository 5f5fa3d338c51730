"""The page of examples: each as it stands in the folder, under its own first words."""

from __future__ import annotations

import ast
from itertools import takewhile
from pathlib import Path

__all__ = ["page"]

_FOLDER = Path(__file__).parents[1] / "examples"
_LANGUAGE = {".py": "python", ".sh": "sh"}
_LEAD = """# Examples

Each is a program of its own, of 80 lines or less, in the folder `examples/` of the project.
`--smoke` makes it short; so CI runs each of them. Numbers of a smoke run say nothing about leakage.
A [notebook](https://jupyter.org), `first_audit.ipynb`, stands beside them.
"""


def page() -> str:
    """All of them, as Markdown."""
    parts = [_LEAD]
    for path in sorted((*_FOLDER.glob("*.py"), *_FOLDER.glob("*.sh"))):
        text = path.read_text(encoding="utf-8")
        title, _, rest = _words(path, text).partition("\n")
        parts.append(f"## {title.rstrip('.')}\n\n{rest.strip()}\n")
        parts.append(f'```{_LANGUAGE[path.suffix]} title="{path.name}"\n{text}```\n')
    return "\n".join(parts)


def _words(path: Path, text: str) -> str:
    """The docstring, or the first comment of a script."""
    if path.suffix == ".py":
        return ast.get_docstring(ast.parse(text)) or path.stem
    comment = takewhile(lambda line: line.startswith("#"), text.splitlines()[1:])
    return "\n".join(line.removeprefix("#").removeprefix(" ") for line in comment)
