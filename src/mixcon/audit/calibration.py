"""The audit itself under audit: devices whose excess leakage is known, attacked like any other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import torch

from mixcon._clock import time_share
from mixcon._places import cache_folder
from mixcon.attacks.base import OnStep
from mixcon.audit.model_audit import ModelAudit
from mixcon.audit.plan import CALIBRATION
from mixcon.audit.records import ModelRecord, SeparabilityRecord
from mixcon.audit.reference_devices import reference_attacks, reference_devices
from mixcon.audit.setup import Setup
from mixcon.audit.subject import Subject
from mixcon.metrics import chance_level
from mixcon.training import accuracy, raw_separability

__all__ = ["calibrate"]


def calibrate(
    setup: Setup, begin: Callable[[str, str], OnStep], device: torch.device
) -> list[ModelRecord]:
    """Attack each reference device by one cheap attack of each family.

    What depends on the data set and the seed alone is kept in the user's cache.

    Args:
        setup: of the audit: the same victims and auxiliary samples.
        begin: of its progress.
        device: where the models of the audit are attacked.
    """
    report = begin(CALIBRATION, "attacks")
    devices = reference_devices(setup.auxiliary, len(setup.data.train.classes))
    records = []
    for place, (name, model) in enumerate(devices.items()):

        def on_step(share: float, place: int = place) -> None:
            report((place + share) / len(devices))

        with torch.random.fork_rng():
            torch.manual_seed(setup.seed)
            subject = Subject(model.to(device), name=name)
            audited = ModelAudit(subject, setup, _folder(), None, lambda *_, f=on_step: f)
            with time_share(1 / (len(devices) - place)):
                records.append(_record(name, audited, setup))
    return records


def _record(name: str, audited: ModelAudit, setup: Setup) -> ModelRecord:
    attacks = reference_attacks(setup.victims.kind)
    measured, _, _ = audited.attacked(attacks, tune=False)
    test = setup.data.test
    return ModelRecord(
        name=name,
        data=setup.victims.name,
        kind=setup.victims.kind,
        network="reference device",
        cut="",
        accuracy=accuracy(audited.model, test),
        test_images=len(test),
        chance=chance_level(test.labels),
        numbers_sent=audited.released[0].numel(),
        before=None,
        after=SeparabilityRecord(**asdict(raw_separability(audited.model, test))),
        floors=audited.floors(),
        guesses=audited.guessed(len(attacks)),
        attacks=measured,
        weights=audited.weights,
    )


def _folder() -> Path | None:
    """Where reconstructions of reference devices are kept; None where nothing can be written."""
    folder = cache_folder() / "calibration"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return None
    return folder
