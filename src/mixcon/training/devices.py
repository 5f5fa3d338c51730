"""Which device a model is put on."""

from __future__ import annotations

import torch

from mixcon.errors import ConfigError

__all__ = ["device_of"]

_NAMES = {"auto", "cpu", "cuda", "gpu", "mps"}


def device_of(accelerator: str) -> str:
    """Where one model is trained or attacked, as torch names it.

    Args:
        accelerator: auto, cpu, cuda (or gpu) or mps; auto takes CUDA if it is there, else the CPU.

    Raises:
        ConfigError: another name, or none of it on this machine.
    """
    if accelerator not in _NAMES:
        raise ConfigError(f"expected accelerator auto, cpu, cuda or mps, but got {accelerator!r}")
    there = torch.cuda.is_available()
    if accelerator == "cpu" or (accelerator == "auto" and not there):
        return "cpu"
    if accelerator == "mps":
        there = torch.backends.mps.is_available()
    if not there:
        raise ConfigError(
            f"expected accelerator {accelerator!r} on this machine, but there is none; try auto"
        )
    return "mps" if accelerator == "mps" else "cuda"
