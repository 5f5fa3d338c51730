"""Metrics in TensorBoard and MLflow, read back by their own readers."""

import json

import pytest

from mixcon.cli import app
from mixcon.errors import ConfigError
from mixcon.training import LOGS, RunFolder

pytestmark = pytest.mark.smoke
TRAIN = ["train", "--data", "digits[:64]", "--accelerator", "cpu", "--out"]


def train(folder, *words):
    app([*TRAIN, str(folder), *words], standalone_mode=False)
    return RunFolder(folder).read_metrics()


def accuracies(records):
    return [(record["epoch"], record["test_accuracy"]) for record in records]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of tensorboard and protobuf
def test_tensorboard_has_each_epoch(tmp_path):
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    records = train(tmp_path / "run", "--epochs", "2", "--log", "tensorboard")
    events = reader.EventAccumulator(str(tmp_path / "run" / "tensorboard")).Reload()
    read = [(event.step, event.value) for event in events.Scalars("test_accuracy")]
    assert read == [(step, pytest.approx(value)) for step, value in accuracies(records)]
    assert read[-1][0] == 2


@pytest.mark.filterwarnings("ignore")  # mlflow and what it imports warn of their own parts
def test_mlflow_has_each_epoch_and_the_config(tmp_path, monkeypatch):
    mlflow = pytest.importorskip("mlflow")
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    records = train(tmp_path / "run", "--epochs", "2", "--log", "mlflow", "--seed", "7")
    client = mlflow.MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name("mixcon").experiment_id])
    assert run.info.run_name == "run"
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "7"
    history = client.get_metric_history(run.info.run_id, "test_accuracy")
    assert sorted((point.step, point.value) for point in history) == accuracies(records)


def test_an_unknown_log_is_refused_before_the_work(tmp_path):
    with pytest.raises(ConfigError, match=f"expected --log {' or '.join(LOGS)}, but got 'wandb'"):
        train(tmp_path / "run", "--log", "wandb")
    assert not (tmp_path / "run").exists()


def test_json_is_the_outcome_and_quiet_is_quiet(tmp_path, capfd):
    records = train(tmp_path / "run", "--epochs", "1", "--json", "--quiet")
    shown = capfd.readouterr()
    assert shown.err == ""
    outcome = json.loads(shown.out)
    assert outcome["last"] == records[-1]
    assert outcome["run"] == str(tmp_path / "run")
    assert outcome["config"]["data"] == "digits[:64]"
