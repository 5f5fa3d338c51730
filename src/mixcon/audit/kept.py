"""Finished attacks of an audit, kept on disk so that an interrupted one goes on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from mixcon._files import write_whole

__all__ = ["Kept"]


@dataclass(frozen=True)
class Kept:
    """Reconstructions by attack, valid for one model and one set of victims.

    Attributes:
        folder: where they lie; None keeps nothing.
        key: what they depend on besides the attack and its settings.
    """

    folder: Path | None
    key: str

    @classmethod
    def of(cls, folder: Path | None, model: nn.Module, *facts: object) -> Kept:
        """For this model's weights, and other facts that decide the reconstructions."""
        digest = hashlib.sha256(json.dumps([str(model), *map(str, facts)]).encode())
        for name, tensor in model.state_dict().items():
            digest.update(name.encode() + tensor.cpu().contiguous().numpy().tobytes())
        return cls(folder, digest.hexdigest())

    def read(self, attack: object) -> tuple[Tensor, float] | None:
        """Reconstructions and the seconds they took; None where there are none, or damaged ones."""
        path = self._path(attack)
        if not path or not path.is_file():
            return None
        try:
            tensors = load(path.read_bytes())
        except SafetensorError:
            return None
        return tensors["found"], tensors["seconds"].item()

    def write(self, attack: object, found: Tensor, seconds: float) -> None:
        """Keep what an attack found."""
        path = self._path(attack)
        if path:
            spent = found.new_tensor(seconds)
            write_whole(path, save({"found": found.contiguous(), "seconds": spent}))

    def _path(self, attack: object) -> Path | None:
        name = hashlib.sha256(f"{self.key} {attack!r}".encode()).hexdigest()[:32]
        return self.folder / f"{name}.safetensors" if self.folder else None
