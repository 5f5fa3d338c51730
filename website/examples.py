"""The page of examples: each as it stands in the folder, under its own first words."""

from __future__ import annotations

import ast
from pathlib import Path

__all__ = ["page"]

_FOLDER = Path(__file__).parents[1] / "examples"
_LEAD = """# Examples

Each is a program of its own, of 80 lines or less, in the folder `examples/` of the project.
`--smoke` makes it short; so CI runs each of them. Numbers of a smoke run say nothing about leakage.
A [notebook](https://jupyter.org), `first_audit.ipynb`, stands beside them.
"""


def page() -> str:
    """All of them, as Markdown."""
    parts = [_LEAD]
    for path in sorted(_FOLDER.glob("*.py")):
        text = path.read_text(encoding="utf-8")
        doc = ast.get_docstring(ast.parse(text)) or path.stem
        title, _, rest = doc.partition("\n")
        parts.append(
            f'## {title.rstrip(".")}\n\n{rest.strip()}\n\n```python title="{path.name}"\n{text}```\n'
        )
    return "\n".join(parts)
