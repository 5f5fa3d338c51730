"""Lightning's Fabric, imported without what it does not need.

It imports all of torchmetrics, transformers and audio included, to ask for a version that nothing
here depends on: two seconds of every start where torchmetrics is installed.
"""

from __future__ import annotations

import sys
from typing import Any

_UNNEEDED = "torchmetrics"

_modules: dict[str, Any] = sys.modules
_hidden = _UNNEEDED not in _modules
if _hidden:
    _modules[_UNNEEDED] = None  # an import of it fails as if it were not installed
try:
    from lightning_fabric import Fabric
finally:
    if _hidden:
        del _modules[_UNNEEDED]

__all__ = ["Fabric"]
