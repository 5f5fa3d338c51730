"""What is audited: a split model with a name, the user's own or that of a training run."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from torch import nn

from mixcon._cache import raw_bytes
from mixcon.audit.records import SeparabilityRecord
from mixcon.data import Splits
from mixcon.errors import ConfigError
from mixcon.models import network_named
from mixcon.split import SplitModel
from mixcon.training import RunFolder, device_of, load_model

__all__ = ["Subject", "fingerprint", "subject_of", "subjects_of"]


@dataclass(frozen=True)
class Subject:
    """A model under audit.

    Attributes:
        model: the split model, on any device; it is attacked in evaluation mode.
        name: what tables call it.
        network: what tables call its network.
        cut: the layer whose output leaves the device.
        before: separability before training, if known.
        defense: what it has in common with models of other seeds; empty if it stands alone.
        seed: the seed that trained it, if known.
    """

    model: SplitModel
    name: str = "model"
    network: str = "custom"
    cut: str = "custom"
    before: SeparabilityRecord | None = None
    defense: str = ""
    seed: int | None = None


def subjects_of(runs: Sequence[Path], data: Splits, accelerator: str = "cpu") -> list[Subject]:
    """The trained models of run folders, ready for an audit.

    Runs of one defense are told apart in their names by network, cut and seed, if these differ.

    Args:
        runs: the run folders.
        data: what they were trained on.
        accelerator: where they are attacked, see `mixcon.training.device_of`.

    Raises:
        ConfigError: runs of one defense, network and cut differ in more than the seed; no such
            accelerator.
    """
    device = device_of(accelerator)
    subjects = [subject_of(run, load_model(run, data).to(device)) for run in runs]
    names = [_told_apart(s, subjects) for s in subjects]
    subjects = [replace(s, name=n, defense=n) for s, n in zip(subjects, names, strict=True)]
    for defense in {subject.defense for subject in subjects}:
        _check(
            defense, [run for run, s in zip(runs, subjects, strict=True) if s.defense == defense]
        )
    shared = Counter(subject.defense for subject in subjects)
    return [
        replace(s, name=f"{s.name}, seed {s.seed}") if shared[s.defense] > 1 else s
        for s in subjects
    ]


def _told_apart(subject: Subject, others: Sequence[Subject]) -> str:
    """The name, with the network or the cut where those of the same defense have another one."""
    alike = [other for other in others if other.defense == subject.defense]
    said = [subject.name]
    if len({other.network for other in alike}) > 1:
        said.append(f"network {subject.network}")
    if len({other.cut for other in alike}) > 1:
        said.append(f"cut after {subject.cut}")
    return ", ".join(said)


def subject_of(run: Path, model: SplitModel) -> Subject:
    """The trained model of a run folder, with what the folder says of it."""
    folder = RunFolder(run)
    config, first = folder.config, folder.read_metrics()[0]
    return Subject(
        model,
        name=str(config.defense),
        network=config.network,
        cut=config.cut or network_named(config.network).cut,
        before=SeparabilityRecord(**first["separability"]),
        defense=str(config.defense),
        seed=config.seed,
    )


def fingerprint(model: nn.Module) -> str:
    """SHA-256 of the names and values of all weights and buffers, on any device, in hex."""
    digest = hashlib.sha256()
    for name, tensor in model.state_dict().items():
        digest.update(name.encode())
        digest.update(raw_bytes(tensor))
    return digest.hexdigest()


def _check(defense: str, runs: list[Path]) -> None:
    """Models of one defense are compared over seeds, so they must differ in nothing else."""
    first, *others = (RunFolder(run).config.model_dump(exclude={"seed"}) for run in runs)
    for run, config in zip(runs[1:], others, strict=True):
        changed = {name: value for name, value in config.items() if value != first[name]}
        if changed:
            raise ConfigError(
                f"expected runs of {defense} to differ in nothing but their seed, but {run} has "
                f"{changed}, unlike {runs[0]}"
            )
