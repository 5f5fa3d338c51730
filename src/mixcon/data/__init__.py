"""Data sets as tensors in memory; adding one is a file, and a row in `hub` or line in `sources`."""

from typing import TYPE_CHECKING

from mixcon._lazy import lazy

if TYPE_CHECKING:
    from mixcon.data.labeled import Attribute, LabeledSet, Splits
    from mixcon.data.names import absolute, title
    from mixcon.data.sources import SOURCES, load
else:
    __getattr__, __dir__ = lazy(
        __name__,
        {
            "mixcon.data.labeled": ["Attribute", "LabeledSet", "Splits"],
            "mixcon.data.names": ["absolute", "title"],
            "mixcon.data.sources": ["SOURCES", "load"],
        },
    )

__all__ = [
    "SOURCES",
    "Attribute",
    "LabeledSet",
    "Splits",
    "absolute",
    "load",
    "title",
]
