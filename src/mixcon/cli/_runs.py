"""What several runs on one command line have in common."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from mixcon.data import Splits
from mixcon.errors import ConfigError
from mixcon.training import TrainConfig

__all__ = ["common_data"]


def common_data(configs: Sequence[TrainConfig], data_dir: Path | None) -> Splits:
    """The data of all runs; some sets are drawn by the seed of the run.

    Raises:
        ConfigError: it is not the same for all.
    """
    sets = {c.data + (f" resized to {c.resize}" if c.resize else "") for c in configs}
    if len(sets) > 1:
        raise ConfigError(f"expected runs on one data set, but got {', '.join(sorted(sets))}")
    by_seed = {config.seed: config.load_data(data_dir) for config in configs}
    first, *others = by_seed.values()
    if any(not torch.equal(first.test.inputs, other.test.inputs) for other in others):
        raise ConfigError(
            f"expected runs on the same samples, but those of {configs[0].data} are drawn by the "
            f"seed of the run, and these have {', '.join(map(str, by_seed))}; take one at a time"
        )
    return first
