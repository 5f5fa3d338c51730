"""Links to folders and to files beside the documentation, which a site has no page for."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

__all__ = ["index", "relinked", "unindexed"]

_LINK = re.compile(r"(?<=\]\()(?!\w+:|#|/)([^)#\s]+)")


def unindexed(files: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """Folders without a page among these paths, with the files in them.

    The page of ``a/b`` is ``a/b/index.md``, ``a/b/README.md`` or ``a/b.md``: all become one.
    """
    inside: dict[str, list[str]] = {}
    for path in map(PurePosixPath, files):
        inside.setdefault(str(path.parent), []).append(path.name)
    for folder, names in sorted(inside.items()):
        beside = inside.get(posixpath.dirname(folder) or ".", ())
        has_page = f"{posixpath.basename(folder)}.md" in beside
        if folder != "." and not has_page and not {"index.md", "README.md"} & set(names):
            yield folder, sorted(names)


def index(folder: str, names: Iterable[str]) -> str:
    """A page that lists the files of a folder."""
    return "\n".join([f"# {folder}", "", *(f"- [{name}]({name})" for name in names), ""])


def relinked(markdown: str, page: str, target: Callable[[str], str]) -> str:
    """The page with each relative link's target, a path from the top, replaced.

    Args:
        markdown: what it says.
        page: its own path.
        target: maps where a link leads to where it shall.
    """
    here = posixpath.dirname(page)

    def replaced(link: re.Match[str]) -> str:
        old = posixpath.normpath(posixpath.join(here, link[1]))
        new = target(old)
        return link[1] if new == old else posixpath.relpath(new, here or ".")

    return _LINK.sub(replaced, markdown)
