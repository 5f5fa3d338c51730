"""Which device a model is put on."""

from __future__ import annotations

import torch

from mixcon.errors import ConfigError

__all__ = ["device_of"]


def device_of(accelerator: str) -> str:
    """Where one model is trained or attacked, as torch names it.

    Args:
        accelerator: auto, cpu, cuda (or gpu) or mps; auto takes CUDA if it is there, else the CPU.

    Raises:
        ConfigError: another name, or none of it on this machine.
    """
    there = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    wanted = {"auto": "cuda" if there["cuda"] else "cpu", "gpu": "cuda"}
    device = wanted.get(accelerator, accelerator)
    if device not in there:
        raise ConfigError(f"expected accelerator auto, cpu, cuda or mps, but got {accelerator!r}")
    if not there[device]:
        raise ConfigError(
            f"expected accelerator {accelerator!r} on this machine, but there is none; try auto"
        )
    return device
