"""The audit report of what a sweep tested, put together from the judgments of its trials."""

from __future__ import annotations

import json

from safetensors import safe_open
from safetensors.torch import load_file
from torch import Tensor

from mixcon.audit import Environment, Gallery, Report
from mixcon.reports import read_report
from mixcon.sweep.records import Sweep, Trial

__all__ = ["front_audit"]


def front_audit(sweep: Sweep, where: Environment) -> tuple[Report, Gallery] | None:
    """The audit of what was tested, with every seed, the undefended network first."""
    runs = [run for trial in sweep.done for run in sweep.over_seeds(trial)]
    tested = {_called(sweep, run): run for run in runs if run.test and run.test.attacks}
    if not tested:
        return None
    base, first = sweep.config.base, next(iter(tested.values()))
    models = [
        run.test.model_copy(update={"name": name}) for name, run in tested.items() if run.test
    ]
    held = f"The trials were selected on {base.holdout:.0%} of the training set."
    report = Report(
        title=f"What the front of a sweep on {base.data_title} gives away",
        environment=where,
        threat_model=[*read_report(first.folder / "test.json").threat_model, held],
        models=models,
    )
    return report, _gallery(tested)


def _called(sweep: Sweep, run: Trial) -> str:
    """What tables call a tested model: by its seed too if it was tested with several."""
    return run.title_with_seed if sweep.config.seeds > 1 else run.title


def _gallery(tested: dict[str, Trial]) -> Gallery:
    """The victims, which are the same for all, beside what became of them."""
    found = {name: _tensors(run, "reconstructions.") for name, run in tested.items()}
    first = next(iter(tested.values()))
    shared = _tensors(first, "")
    with safe_open(first.folder / "test.safetensors", framework="pt") as file:
        said = {what: tuple(json.loads(of)) for what, of in file.metadata().items()}
    return Gallery(
        shared["originals"],
        shared["labels"],
        said["classes"],
        found,
        vocabulary=said.get("vocabulary", ()),  # which older sweeps lack
    )


def _tensors(trial: Trial, prefix: str) -> dict[str, Tensor]:
    tensors = load_file(trial.folder / "test.safetensors")
    return {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}
