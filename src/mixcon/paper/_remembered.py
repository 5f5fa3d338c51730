"""Attacks that keep what they reconstructed, so that nothing is attacked twice."""

from __future__ import annotations

import hashlib
import json
import sys
import time
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save
from torch import Tensor

from mixcon._files import write_whole
from mixcon.attacks import Attack, Knowledge
from mixcon.attacks.base import OnStep, Run

__all__ = ["remembered", "seconds_of"]


def remembered(attack: Attack[Any], folder: Path) -> Attack[Any]:
    """The same attack, which looks into the folder before it runs, and keeps its result there.

    The folder must belong to one model and one set of victims.
    """
    return _Remembered(attack, folder)


def seconds_of(attack: Attack[Any], folder: Path) -> float:
    """Wall time of the attack when it ran."""
    kept: float = json.loads(_about(attack, folder).read_text(encoding="utf-8"))["seconds"]
    return kept


class _Remembered(Attack[Any]):
    """Passes for the attack inside: its name, its needs, its settings."""

    def __init__(self, inner: Attack[Any], folder: Path) -> None:
        passed = ("name", "needs", "inputs", "needs_auxiliary", "needs_head", "fitting")
        vars(self).update({name: getattr(inner, name) for name in passed})
        vars(self).update(inner=inner, folder=folder, batch=sys.maxsize)  # all victims at once

    @property
    def settings(self) -> dict[str, Any]:
        """The hyper-parameters of the attack inside."""
        inner: Attack[Any] = vars(self)["inner"]
        return inner.settings

    def _fit(self, knowledge: Knowledge, on_step: OnStep) -> Run:
        inner, folder = vars(self)["inner"], vars(self)["folder"]
        path = _pictures(inner, folder)

        def run(z: Tensor, on_step: OnStep) -> Tensor:
            if not path.is_file():
                started = time.monotonic()
                found = inner.fit(knowledge, on_step)(z)
                about = {"attack": inner.name, **inner.settings}
                about["seconds"] = round(time.monotonic() - started, 3)
                write_whole(_about(inner, folder), json.dumps(about) + "\n")
                write_whole(path, save({"reconstructions": found.cpu().contiguous()}))
            return load_file(path)["reconstructions"].to(z)

        return run


def _pictures(attack: Attack[Any], folder: Path) -> Path:
    settings = json.dumps(attack.settings, sort_keys=True)
    mark = hashlib.sha256(settings.encode()).hexdigest()[:8]
    return folder / f"{attack.name}-{mark}.safetensors"


def _about(attack: Attack[Any], folder: Path) -> Path:
    return _pictures(attack, folder).with_suffix(".json")
