"""What a checkpoint holds: the tensors of every module and optimizer of a run, by name."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from mixcon.errors import RunError

__all__ = ["State"]


class State:
    """Modules and optimizers of one run, as one flat set of tensors and back.

    Args:
        modules: by name; their parameters and buffers.
        optimizers: by name; what they remember of each parameter.
    """

    def __init__(
        self, modules: Mapping[str, nn.Module], optimizers: Mapping[str, torch.optim.Optimizer]
    ) -> None:
        self._modules, self._optimizers = modules, optimizers

    def tensors(self) -> dict[str, Tensor]:
        """Everything, under names such as ``model.head.fc1.weight`` and ``optimizer.0.exp_avg``."""
        found: dict[str, Tensor] = {}
        for name, module in self._modules.items():
            found |= {f"{name}.{key}": tensor for key, tensor in module.state_dict().items()}
        for name, optimizer in self._optimizers.items():
            for index, slots in optimizer.state_dict()["state"].items():
                found |= {f"{name}.{index}.{k}": v for k, v in slots.items() if v is not None}
        return found

    def load(self, tensors: Mapping[str, Tensor]) -> None:
        """Put everything back.

        Raises:
            RunError: the tensors are of another model or defense.
        """
        try:
            for name, module in self._modules.items():
                module.load_state_dict(_part(tensors, name))
        except RuntimeError as error:
            raise RunError(f"expected the checkpoint of this config, but {error}") from error
        for name, optimizer in self._optimizers.items():
            _load_optimizer(optimizer, _part(tensors, name))


def _load_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    slots: dict[int, dict[str, Tensor]] = {}
    for path, tensor in tensors.items():
        index, key = path.split(".", 1)
        slots.setdefault(int(index), {})[key] = tensor
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": slots, "param_groups": groups})


def _part(tensors: Mapping[str, Tensor], name: str) -> dict[str, Tensor]:
    return {k.removeprefix(f"{name}."): v for k, v in tensors.items() if k.startswith(f"{name}.")}
