"""A tiny sweep as a user runs it, in a process of its own, and what it left behind."""

import os

from optuna.storages import RDBStorage
from tests.commands import Command

from mixcon.sweep.search import open_storage

COMMAND = [  # vectors: their decoders are cheap
    "sweep", "--data", "synthetic", "--network", "mlp",
    "--defense", "mixcon(weight=[0.01, 0.1], beta=1e-2)", "--epochs", "10", "--lr", "0.005",
    "--optimizer", "adam", "--schedule", "constant", "--batch-size", "16",
    "--attack", "rmle-paper-vector", "--victims", "2", "--workers", "2", "--accelerator", "cpu",
]  # fmt: skip


def start(folder, *options):
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return Command(*COMMAND, "--out", folder, *options, env=environment)


def judgments(folder):
    """Every judgment so far: file to content and time of writing."""
    return {
        path: (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.glob("trials/*/*.json")
        if path.name != "versions.json"
    }


def states(storage):
    """The state of every trial but of those killed before they were drawn: they are drawn anew."""
    storage = open_storage(storage)
    studies = storage.get_all_studies()
    trials = [trial for study in studies for trial in storage.get_all_trials(study._study_id)]
    if isinstance(storage, RDBStorage):
        storage.engine.dispose()
    drawn = [t for t in trials if t.state.name != "FAIL" or "config" in t.user_attrs]
    return [trial.state.name for trial in drawn]
