"""Metrics to TensorBoard or MLflow while a model trains, where one of them is installed.

`metrics.jsonl` in the run folder holds the same numbers and needs neither.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, TypeAlias, get_args

from mixcon._extras import check_extra
from mixcon._files import write_whole
from mixcon.errors import ConfigError
from mixcon.training.config import TrainConfig

__all__ = ["LOGS", "MetricLog", "metric_log"]

MetricLog: TypeAlias = Literal["tensorboard", "mlflow"]
LOGS: tuple[MetricLog, ...] = get_args(MetricLog)
Log: TypeAlias = Callable[[Mapping[str, Any]], None]
_RUN_ID = "mlflow-run"


@contextmanager
def metric_log(kind: str, folder: Path, config: TrainConfig) -> Iterator[Log]:
    """A function that takes the record of each epoch, as `metrics.jsonl` holds it.

    TensorBoard's events lie in ``FOLDER/tensorboard``. MLflow's run goes to the server that
    ``MLFLOW_TRACKING_URI`` names, else to ``mlflow.db`` beside the run folder; training that goes
    on after an interruption goes on with the same run.

    Args:
        kind: one of `LOGS`.
        folder: the run folder.
        config: kept beside the numbers.

    Raises:
        ConfigError: another kind, or it is not installed.
    """
    if kind not in LOGS:
        raise ConfigError(f"expected --log {' or '.join(LOGS)}, but got '{kind}'")
    check_extra(kind)
    opened = _tensorboard if kind == "tensorboard" else _mlflow
    with ExitStack() as stack:
        log: Log | None = None

        def on_record(record: Mapping[str, Any]) -> None:
            nonlocal log
            if log is None:  # not before: an empty folder is what training begins with
                log = stack.enter_context(opened(folder, config))
            log(record)

        yield on_record


@contextmanager
def _tensorboard(folder: Path, config: TrainConfig) -> Iterator[Log]:
    from torch.utils.tensorboard import SummaryWriter  # noqa: PLC0415  an extra

    writer = SummaryWriter(str(folder / "tensorboard"))

    def log(record: Mapping[str, Any]) -> None:
        for name, value in _numbers(record).items():
            writer.add_scalar(name, value, record["epoch"])
        writer.flush()

    writer.add_text("config", config.model_dump_json(indent=2))
    try:
        yield log
    finally:
        writer.close()


@contextmanager
def _mlflow(folder: Path, config: TrainConfig) -> Iterator[Log]:
    from mlflow import MlflowClient, MlflowException  # noqa: PLC0415  an extra

    beside = f"sqlite:///{folder.resolve().parent / 'mlflow.db'}"
    client = MlflowClient(os.environ.get("MLFLOW_TRACKING_URI") or beside)
    run = None
    with suppress(OSError, MlflowException):  # a first run, or one that this server has not
        run = client.get_run((folder / _RUN_ID).read_text()).info.run_id
    if run is None:
        known = client.get_experiment_by_name("mixcon")
        experiment = known.experiment_id if known else client.create_experiment("mixcon")
        run = client.create_run(experiment, run_name=folder.name).info.run_id
        write_whole(folder / _RUN_ID, run)
        for name, value in config.model_dump(mode="json").items():
            client.log_param(run, name, value)

    def log(record: Mapping[str, Any]) -> None:
        for name, value in _numbers(record).items():
            client.log_metric(run, name, value, step=record["epoch"])

    state = "FAILED"
    try:
        yield log
        state = "FINISHED"
    finally:
        client.set_terminated(run, state)


def _numbers(record: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in record.items() if isinstance(value, int | float)}
