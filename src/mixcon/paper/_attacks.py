"""The attacks of the comparison, and the audit of one model by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mixcon.attacks import ATTACKS, Attack, RmlePaper, RmlePaperVector, strongest
from mixcon.audit import (
    AuditProgress,
    Gallery,
    Report,
    run_audit,
    subject_of,
)
from mixcon.data import Splits
from mixcon.kinds import Kind
from mixcon.metrics import LeakageMeter
from mixcon.paper._experiment import RunOptions, Scale, Step
from mixcon.paper._models import Trained

__all__ = ["at_scale", "attacked", "meter_of", "papers_attack", "strong_attacks"]

_QUICK = ("rmle", "decoder", "refined")
_SMOKE = {"steps": 10, "batch_size": 16, "decoder_steps": 10}
_CANDIDATES = 1000
_UNSHOWN = ("calibration", "saturation", "masking", "bound", "label leakage")  # in no table


def papers_attack(data: Splits, scale: Scale) -> Attack[Any]:
    """The paper's attack (C.1, C.2), in the reading nearest to its numbers."""
    vector = RmlePaperVector(start="normal", averaged=True)
    return at_scale(scale, RmlePaper() if data.test.kind is Kind.IMAGE else vector)


def strong_attacks(data: Splits, scale: Scale, *, quick: bool = False) -> list[Attack[Any]]:
    """The attacks of which one counts as the strongest; the paper's first.

    Args:
        data: what is attacked.
        scale: smoke has quick ones, cut short.
        quick: only those that do for large networks.
    """
    papers = papers_attack(data, scale)
    few = [ATTACKS[name]() for name in _QUICK]
    others = few if quick or scale == "smoke" else strongest(data.test.kind)
    return [papers, *(at_scale(scale, each) for each in others if each.name != papers.name)]


def at_scale(scale: Scale, attack: Attack[Any], smoke: Mapping[str, int] = _SMOKE) -> Attack[Any]:
    """The attack, cut short for a smoke test: to those of the settings that it has."""
    short = {name: n for name, n in smoke.items() if name in attack.settings}
    return replace(attack, **short) if scale == "smoke" else attack


def attacked(
    options: RunOptions, trained: Trained, attacks: Sequence[Attack[Any]], victims: int
) -> tuple[Report, Gallery]:
    """Audit one model; what an earlier call reconstructed is not reconstructed again.

    The victims, test samples, are drawn by the seed that trained the model.
    """
    config, folder = trained.config, trained.folder

    def show(progress: AuditProgress) -> None:
        what = f"{progress.phase} on {progress.model}, {config.data}, seed {config.seed}"
        options.on_progress(Step(what, progress.done))

    return run_audit(
        [subject_of(folder.path, trained.model)],
        trained.data,
        attacks,
        victims=victims,
        seed=config.seed,
        meter=meter_of(trained.data, options.scale),
        thorough=options.scale != "smoke",
        keep=folder.path / "attacks",
        without=_UNSHOWN,
        on_progress=show,
    )


_meters: dict[str, LeakageMeter] = {}


def meter_of(data: Splits, scale: Scale) -> LeakageMeter | None:
    """One meter for all models of a data set, so that their PSIM compare; none but for images.

    It learns from training images alone. The smoke test does without.
    """
    if data.test.kind is not Kind.IMAGE or scale == "smoke":
        return None
    train = data.train
    if train.name not in _meters:
        inputs, classes = train.floats(), len(train.classes)
        _meters[train.name] = LeakageMeter.prepare(
            inputs, train.labels, classes, inputs[:_CANDIDATES]
        )
    return _meters[train.name]
