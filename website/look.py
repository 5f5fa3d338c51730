"""The look of reports and pages, as the site uses it: the same colors, the same icon."""

from __future__ import annotations

import re
from pathlib import Path

__all__ = ["COLORS", "ICON", "colors", "icon"]

COLORS, ICON = "colors.css", "icon.svg"
_SOURCE = Path(__file__).parents[1] / "src" / "mixcon"
_SCHEMES = ("default", "slate")  # what the theme calls light and dark


def colors() -> str:
    """The colors of reports, light and dark, for the site's two schemes."""
    sheet = (_SOURCE / "reports" / "templates" / "look.css").read_text(encoding="utf-8")
    found = re.findall(r":root \{(.*?)\}", sheet, re.DOTALL)
    pairs = zip(_SCHEMES, found, strict=True)
    return "\n".join(f'[data-md-color-scheme="{scheme}"] {{{own}}}' for scheme, own in pairs)


def icon() -> str:
    """The icon of the page of `mixcon show`."""
    return (_SOURCE / "show" / "page" / "icon.svg").read_text(encoding="utf-8")
