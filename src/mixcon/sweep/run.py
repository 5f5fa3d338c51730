"""A whole sweep, from its config to its trials."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from mixcon import models
from mixcon.attacks import Attack
from mixcon.data import Splits
from mixcon.sweep.config import Limits, SweepConfig
from mixcon.sweep.engine import Engine, Select
from mixcon.sweep.judgments import CHEAP, StageName, fitting
from mixcon.sweep.pool import Pool
from mixcon.sweep.progress import OnProgress, SweepPlan
from mixcon.sweep.records import Sweep
from mixcon.sweep.search import Search, open_storage, told_by_database
from mixcon.sweep.sweep_folder import SweepFolder

__all__ = ["sweep"]


def sweep(
    config: SweepConfig,
    out: Path,
    pool: Pool,
    *,
    storage: str | None = None,
    limits: Limits | None = None,
    select: Select = lambda sweep: sweep.front,
    data_dir: Path | None = None,
    accelerator: str = "auto",
    on_progress: OnProgress = lambda _: None,
) -> Sweep:
    """Search for the front between utility and leakage, or go on where an earlier call stopped.

    Every trial is trained on a part of the training set, and attacked by the cheap attacks on the
    rest of it. What they achieve is a lower bound of the leakage, so a trial that another one
    beats under the strong attacks is out of the race for certain: the strong attacks run on the
    front alone, until all of it has stood them. Only then its members meet the test set; with
    several seeds they are trained again with each, which has no say in the selection either.

    Args:
        config: what is searched.
        out: the sweep's folder; see `SweepFolder`.
        pool: what the jobs run on; closed at the end.
        storage: URL of Optuna's database, or a journal file; by default SQLite in the folder.
        limits: what samplers are to keep to.
        select: which trials are wanted; the front by default.
        data_dir: where local Parquet files lie; see `mixcon.data.load`.
        accelerator: as Lightning Fabric names it.
        on_progress: told whenever a job ends, and while they run: the share of the whole sweep.

    Returns:
        All trials. One that failed says why, and has not kept the others from going on.

    Raises:
        ConfigError, CutError, DataError: bad settings or data; before anything is written.
        RunError: the folder holds another sweep, or another one is at work there; the database
            refuses records.
        OSError: the disk is full; the same call goes on once there is room.
    """
    with closing(pool), told_by_database():
        splits = _checked(config, data_dir)
        attacks: dict[StageName, Sequence[Attack[Any]]]
        every = (*config.strong, *CHEAP)  # whatever scored at selection also judges the test
        attacks = {"cheap": CHEAP, "strong": every, "test": every}
        fit = {stage: fitting(chosen, splits) for stage, chosen in attacks.items()}
        folder, backend = SweepFolder(out), open_storage(storage) if storage else None
        with folder.locked():
            folder.claim(config)
            backend = backend or open_storage(folder.storage)
            searches = [
                Search(folder.study(d), d, config, backend, limits or Limits())
                for d in config.budget
            ]
            limited = limits not in (None, Limits())
            plan = SweepPlan(config, len(splits.train), fit, limited=limited)
            engine = Engine(
                config, folder, pool, searches, fit, data_dir, accelerator, plan, on_progress
            )
            engine.search()
            engine.judge(select)
            engine.test(select)
            engine.repeat(select)
            return engine.sweep


def _checked(config: SweepConfig, data_dir: Path | None) -> Splits:
    """The data, once every defense and cut was built: mistakes show before hours of training."""
    splits = config.base.load_data(data_dir)
    splits.holdout(config.base.holdout)
    for cut in {c.cut for c in config.check()}:
        models.build(config.base.network, splits.train.shape, len(splits.train.classes), cut)
    return splits
