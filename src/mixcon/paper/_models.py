"""Trained models: made once, kept in run folders, shared by all experiments."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mixcon.data import Splits
from mixcon.paper._experiment import RunOptions, Step
from mixcon.split import SplitModel
from mixcon.training import Progress, RunFolder, TrainConfig, device_of, train

__all__ = ["Trained", "train_or_load"]


@dataclass(frozen=True)
class Trained:
    """A trained model with its run folder and the data it was trained on."""

    config: TrainConfig
    folder: RunFolder
    model: SplitModel
    data: Splits

    @property
    def seconds(self) -> float:
        """Wall time of the training, whenever it ran."""
        return self.folder.seconds


def train_or_load(options: RunOptions, config: TrainConfig) -> Trained:
    """Train a model, go on with it, or load it, by its run folder in `options.work`."""
    title = f"{config.defense} on {config.data}, seed {config.seed}"

    def show(progress: Progress) -> None:
        if progress.record is None:
            done = (progress.epoch - 1) * progress.steps + progress.step
            options.on_progress(
                Step(f"training {title}", done / (progress.epochs * progress.steps))
            )

    folder = RunFolder(options.work / _folder_name(config))
    model = train(
        config,
        folder.path,
        data_dir=options.data_dir,
        accelerator=options.accelerator,
        on_progress=show,
    )
    options.on_progress(Step(f"training {title}", 1.0))
    model = model.to(device_of(options.accelerator))
    return Trained(config, folder, model, config.load_data(options.data_dir))


def _folder_name(config: TrainConfig) -> str:
    what = f"{config.data}-{config.network}-{config.defense}"
    readable = re.sub(r"[^\w.=+]+", "-", what).strip("-")
    return f"{readable}-b{config.batch_size}-e{config.epochs}-s{config.seed}"
