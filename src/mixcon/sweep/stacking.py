"""Trials trained as one stack, where that is faster than one after another."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

import torch

from mixcon.data import Splits
from mixcon.metrics import chance_level
from mixcon.split import SplitModel
from mixcon.sweep.job import Job, OnJobProgress, plan_of
from mixcon.sweep.progress import JobProgress
from mixcon.training import (
    Progress,
    RunFolder,
    TrainConfig,
    accuracy,
    build,
    observe_range,
    raw_separability,
    train_stacked,
)
from mixcon.training.stacked import shared_settings, stackable

__all__ = ["train_together"]

_LARGEST = 64  # models of one stack: all of the paper's grid


def train_together(
    jobs: Sequence[Job], device: str, on_progress: OnJobProgress = lambda _: None
) -> None:
    """Train what is alike but for weights, beta and eps, and finish the run folders.

    A job that is left over, begun before, or whose network diverged keeps an unfinished folder:
    it is then trained by itself, and says what went wrong.

    Args:
        jobs: trials of one data set; those that are trained already are left alone.
        device: where to train.
        on_progress: told at every step the share of all that these jobs have to do.
    """
    done = 0.0
    for group in _groups([job for job in jobs if not job.folder.exists()]):
        config = group[0].config
        whole = config.load_data(group[0].data_dir)
        splits = whole.holdout(config.holdout)
        plan = plan_of(group[0], len(splits.train))

        def tell(
            progress: Progress, plan: Any = plan, before: float = done, size: int = len(group)
        ) -> None:
            share = before + size * plan.report("training", progress.share)
            on_progress(JobProgress("training", share / len(jobs)))

        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", ".*of the stack diverged", UserWarning)
            configs = [job.config for job in group]
            trained = train_stacked(configs, splits, device=device, on_progress=tell)
        done += len(group) * plan.report("training", 1.0)
        for job, model in zip(group, trained, strict=True):
            if all(parameter.isfinite().all() for parameter in model.parameters()):
                _finish(job, model, splits)


def _groups(jobs: Sequence[Job]) -> Iterator[list[Job]]:
    """Jobs that fit into one stack, two or more."""
    groups: dict[str, list[Job]] = {}
    for job in jobs:
        if stackable(job.config):
            groups.setdefault(json.dumps(shared_settings(job.config)), []).append(job)
    for group in groups.values():
        for start in range(0, len(group), _LARGEST):
            if len(part := group[start : start + _LARGEST]) > 1:
                yield part


def _finish(job: Job, model: SplitModel, splits: Splits) -> None:
    """The run folder as `train` leaves it, but for the epochs between the first and the last."""
    folder = RunFolder(job.folder)
    folder.claim(job.config)
    records = [
        {
            "epoch": epoch,
            "test_accuracy": accuracy(now, splits.test),
            "chance": chance_level(splits.test.labels),
            "separability": asdict(raw_separability(now, splits.test)),
        }
        for epoch, now in ((0, _untrained(job.config, splits)), (job.config.epochs, model))
    ]
    folder.write_metrics(records)
    folder.write_model(model.state_dict())


def _untrained(config: TrainConfig, splits: Splits) -> SplitModel:
    with torch.random.fork_rng():
        model, _ = build(config, splits)
        observe_range(model, splits.train)
        return model
