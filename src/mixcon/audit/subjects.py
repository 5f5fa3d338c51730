"""From the folder of a training run to a model under audit."""

from __future__ import annotations

from pathlib import Path

from mixcon.audit.measure import Subject
from mixcon.audit.records import SeparabilityRecord
from mixcon.data import Splits
from mixcon.models import NETWORKS
from mixcon.training import RunFolder, load_model

__all__ = ["subject_of"]


def subject_of(run: Path, data: Splits) -> Subject:
    """The trained model of a run folder, ready for an audit."""
    folder = RunFolder(run)
    config, first = folder.config, folder.read_metrics()[0]
    return Subject(
        load_model(run, data),
        name=config.defense.title,
        network=config.network,
        cut=config.cut or NETWORKS[config.network].cut,
        before=SeparabilityRecord(**first["separability"]),
    )
