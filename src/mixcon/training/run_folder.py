"""The run folder: config, metrics, checkpoint, weights, versions. Nothing in it is a pickle."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor

from mixcon._files import is_leftover, write_whole
from mixcon.errors import RunError
from mixcon.training.config import TrainConfig, read_config

__all__ = ["RunFolder", "versions"]

_PACKAGES = ("mixcon", "torch", "lightning-fabric", "datasets", "numpy", "safetensors")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that decide a result."""
    return {"python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


@dataclass(frozen=True)
class RunFolder:
    """A folder that holds one training run.

    ``config.toml`` and ``versions.json`` are written at the start, ``metrics.jsonl`` and
    ``checkpoint.safetensors`` while it goes on, ``model.safetensors`` at the end.
    """

    path: Path

    @property
    def seconds(self) -> float:
        """Wall time of the training so far, whenever it ran."""
        return float(sum(record.get("seconds", 0.0) for record in self.read_metrics()))

    @property
    def finished(self) -> bool:
        """Whether the final weights are there."""
        return self._model.is_file()

    @property
    def config(self) -> TrainConfig:
        """The run's config.

        Raises:
            RunError: the folder is not a run.
        """
        if not (self.path / "config.toml").is_file():
            raise RunError(f"{self.path}: expected a run folder, but it has no config.toml")
        return read_config(self.path / "config.toml")

    def claim(self, config: TrainConfig) -> None:
        """Make the folder this config's, or check that it is.

        Raises:
            RunError: it holds a run of another config, or other files; nothing is changed.
        """
        if not self.path.exists() or (
            self.path.is_dir() and all(map(is_leftover, self.path.iterdir()))
        ):
            write_whole(self.path / "config.toml", config.to_toml())
            write_whole(self.path / "versions.json", json.dumps(versions(), indent=2) + "\n")
            return
        if not (self.path / "config.toml").is_file():
            raise RunError(
                f"{self.path}: expected a new or empty folder, or a run to resume, but got a "
                "folder of other files; choose another --out"
            )
        ours, theirs = (c.model_dump() for c in (config, self.config))
        odd = [f"{k} = {theirs[k]!r} there, {ours[k]!r} here" for k in ours if ours[k] != theirs[k]]
        if odd:
            raise RunError(
                f"{self.path}: expected a run of the same config, but got {'; '.join(odd)}; "
                "choose another --out, or delete the folder"
            )

    def write_checkpoint(self, tensors: Mapping[str, Tensor], epoch: int, step: int) -> None:
        """Keep the state after `step` steps of `epoch`."""
        where = {"epoch": str(epoch), "step": str(step)}
        write_whole(self._checkpoint, save(_on_cpu(tensors), metadata=where))

    def read_checkpoint(self) -> tuple[dict[str, Tensor], int, int] | None:
        """The latest state and its epoch and step, or None if there is none yet.

        Raises:
            RunError: the file is cut off or otherwise damaged.
        """
        if not self._checkpoint.is_file():
            return None
        content = self._checkpoint.read_bytes()
        tensors = _load(content, self._checkpoint)
        header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
        where = header["__metadata__"]
        return tensors, int(where["epoch"]), int(where["step"])

    def write_model(self, tensors: Mapping[str, Tensor]) -> None:
        """Write the final weights, which mark the run as finished."""
        write_whole(self._model, save(_on_cpu(tensors)))

    def read_model(self) -> dict[str, Tensor]:
        """The final weights.

        Raises:
            RunError: the run is not finished, or the file is damaged.
        """
        if not self.finished:
            raise RunError(
                f"{self.path}: expected a finished run, but there is no model.safetensors; run the "
                "same `mixcon train` again to finish it"
            )
        return _load(self._model.read_bytes(), self._model)

    def read_metrics(self) -> list[dict[str, Any]]:
        """One record per finished epoch, epoch 0 being the untrained network.

        Raises:
            RunError: the file is damaged.
        """
        path = self.path / "metrics.jsonl"
        try:
            lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
            records = [json.loads(line) for line in lines]
        except ValueError as error:
            raise RunError(
                f"{path}: expected a JSON object a line, but it is damaged ({error}); delete the "
                "folder and run the same `mixcon train` again"
            ) from error
        if not all(isinstance(record, dict) and "epoch" in record for record in records):
            raise RunError(
                f"{path}: expected a record an epoch, but it is damaged; delete the folder and run "
                "the same `mixcon train` again"
            )
        return records

    def write_metrics(self, records: list[dict[str, Any]]) -> None:
        """Replace the records, whole or not at all."""
        lines = [json.dumps(record) + "\n" for record in records]
        write_whole(self.path / "metrics.jsonl", "".join(lines))

    @property
    def _checkpoint(self) -> Path:
        return self.path / "checkpoint.safetensors"

    @property
    def _model(self) -> Path:
        return self.path / "model.safetensors"


def _load(content: bytes, path: Path) -> dict[str, Tensor]:
    try:
        return load(content)
    except SafetensorError as error:
        raise RunError(
            f"{path}: expected a whole safetensors file, but it is damaged ({error}); delete it "
            "and run the same `mixcon train` again"
        ) from error


def _on_cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.detach().to("cpu", copy=True).contiguous() for name, t in tensors.items()}


def manual_seed(seed: int, *position: int) -> torch.Generator:
    """Seed torch for one place of the run, so that no random state has to be kept."""
    for step in position:
        seed = (seed * 1_000_003 + step + 1) % 2**63
    if torch.accelerator.is_available():
        torch.manual_seed(seed)
    else:  # it would note the whole call stack for devices that may come, each time
        torch.default_generator.manual_seed(seed)
    return torch.Generator().manual_seed(seed)
