"""Finished attacks of an audit, kept on disk so that an interrupted one goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from mixcon._files import write_whole
from mixcon.attacks import Attack

__all__ = ["AttackCache"]

_FOUND = 2  # raise when an attack of the same settings finds something else


@dataclass(frozen=True)
class AttackCache:
    """Reconstructions by attack, valid for one model and one set of victims.

    Attributes:
        folder: where they lie; None keeps nothing.
        key: what they depend on besides the attack and its settings.
    """

    folder: Path | None
    key: str

    @classmethod
    def of(cls, folder: Path | None, *facts: object) -> AttackCache:
        """For the facts that decide the reconstructions: model, weights, victims and so on."""
        key = hashlib.sha256(json.dumps(list(map(str, (_FOUND, *facts)))).encode())
        return cls(folder, key.hexdigest())

    def apart(self, purpose: str) -> AttackCache:
        """A cache in the same folder that shares nothing with this one."""
        return replace(self, key=f"{self.key} {purpose}")

    def read(self, attack: Attack[Any]) -> tuple[Attack[Any], Tensor, float] | None:
        """The attack with the settings that were chosen, what it found, and the seconds it took.

        None where nothing was kept, or it is damaged.
        """
        path = self._path(attack)
        if not path or not path.is_file():
            return None
        try:
            with safe_open(path, "pt") as file:
                settings = json.loads(file.metadata()["settings"])
                found, seconds = file.get_tensor("found"), file.get_tensor("seconds")
        except SafetensorError:
            return None
        return replace(attack, **settings), found, seconds.item()

    def write(self, attack: Attack[Any], tuned: Attack[Any], found: Tensor, seconds: float) -> None:
        """Keep what an attack found, under its settings before they were chosen."""
        path = self._path(attack)
        if path:
            tensors = {"found": found.contiguous(), "seconds": found.new_tensor(seconds)}
            write_whole(path, save(tensors, {"settings": json.dumps(tuned.settings)}))

    def _path(self, attack: Attack[Any]) -> Path | None:
        name = hashlib.sha256(f"{self.key} {attack!r}".encode()).hexdigest()[:32]
        return self.folder / f"{name}.safetensors" if self.folder else None
