"""Run attacks against split models, and measure what comes back."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from mixcon.attacks import Attack, Auxiliary, WhiteBox
from mixcon.audit.records import AttackRecord, Gallery, ModelRecord, Report, SeparabilityRecord
from mixcon.audit.surroundings import environment
from mixcon.data import LabeledSet, Splits
from mixcon.errors import ConfigError
from mixcon.metrics import class_mean, global_mean, measure
from mixcon.split import SplitModel
from mixcon.training import accuracy, raw_separability

__all__ = ["AuditProgress", "Subject", "audit"]

_THREAT = {
    "white-box": "The white-box attacks know the encoder's weights and the channel.",
    "query": "The query attacks may send inputs of their own through the device, and see z.",
    "query-free": "The query-free attacks know neither weights nor answers, only data of the kind.",
}


@dataclass(frozen=True)
class Subject:
    """A model under audit.

    Attributes:
        model: the split model, on any device; it is attacked in evaluation mode.
        name: what tables call it.
        network: what tables call its network.
        cut: the layer whose output leaves the device.
        before: separability before training, if known.
    """

    model: SplitModel
    name: str = "model"
    network: str = "custom"
    cut: str = "custom"
    before: SeparabilityRecord | None = None


@dataclass(frozen=True)
class AuditProgress:
    """Where an audit stands: the attack that runs on the model, and the share of it done."""

    model: str
    attack: str
    share: float


OnProgress = Callable[[AuditProgress], None]


def audit(
    subjects: Sequence[Subject],
    data: Splits,
    attacks: Sequence[Attack[Any]],
    *,
    victims: int = 100,
    seed: int = 0,
    on_progress: OnProgress = lambda _: None,
) -> tuple[Report, Gallery]:
    """Attack split models that were trained on the same data.

    The victims are test samples drawn by the seed. The attackers get what the models release of
    them and, where they need it, the encoder with its channel; never a victim itself. The floors
    come from the training samples, which stand for the attacker's own data.

    Args:
        subjects: the models, the undefended one first; each with a name of its own.
        data: what they were trained and are tested on.
        attacks: the attacks to run, each at most once.
        victims: how many test samples to attack, at least 1.
        seed: draws the victims, the channels' noise and the attacks' randomness.
        on_progress: told while the attacks run.

    Returns:
        What was measured, and the victims beside their reconstructions.

    Raises:
        ConfigError: fewer than one victim or more than there are test samples; a name or an
            attack given twice.
        KnowledgeError: an attack does not fit such inputs.

    Example:
        >>> from mixcon import data, models
        >>> from mixcon.attacks import Rmle
        >>> subject = Subject(models.build("lenet5", shape=(1, 28, 28), classes=10))
        >>> report, _ = audit([subject], data.load("digits"), [Rmle(steps=5)], victims=4)
        >>> len(report.models[0].attacks[0].leakage["ssim"])
        4
    """
    _check(subjects, data, attacks, victims)
    generator = torch.Generator().manual_seed(seed)
    chosen = data.test.take(torch.randperm(len(data.test), generator=generator)[:victims])
    gallery = Gallery(chosen.floats(), chosen.labels, chosen.classes)
    auxiliary = _auxiliary(data.train, generator)
    records = []
    for subject in subjects:
        record, found = _audit_one(subject, data, chosen, auxiliary, attacks, seed, on_progress)
        records.append(record)
        gallery.reconstructions[subject.name] = found
    report = Report(
        title=f"What {len(subjects)} split model{'s' * (len(subjects) > 1)} on {data.test.name} "
        "give away",
        environment=environment(" ".join(sys.argv), seed),
        threat_model=_threat_model(attacks, data.train),
        models=records,
    )
    return report, gallery


def _check(
    subjects: Sequence[Subject], data: Splits, attacks: Sequence[Attack[Any]], victims: int
) -> None:
    for what, names in (
        ("models", [subject.name for subject in subjects]),
        ("attacks", [attack.name for attack in attacks]),
    ):
        if len(set(names)) != len(names) or (what == "models" and not names):
            raise ConfigError(f"expected {what} of different names, but got {', '.join(names)}")
    if not 1 <= victims <= len(data.test):
        raise ConfigError(
            f"expected between 1 and {len(data.test)} victims, the test samples of "
            f"{data.test.name}, but got {victims}"
        )


def _audit_one(
    subject: Subject,
    data: Splits,
    victims: LabeledSet,
    auxiliary: Auxiliary,
    attacks: Sequence[Attack[Any]],
    seed: int,
    on_progress: OnProgress,
) -> tuple[ModelRecord, dict[str, Tensor]]:
    model, originals = subject.model, victims.floats()
    was_training = model.training
    model.eval()
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        released, predicted = _intercept(model, originals)
        knowledge = WhiteBox.of(
            model.encoder,
            model.channel,
            shape=victims.shape,
            box=(0.0, 1.0) if victims.is_image else None,
            auxiliary=auxiliary,
            head=model.head,
        )
        measured: list[AttackRecord] = []
        found: dict[str, Tensor] = {}
        for attack in attacks:

            def on_step(share: float, attack: Attack[Any] = attack) -> None:
                on_progress(AuditProgress(subject.name, attack.name, share))

            torch.manual_seed(seed)
            started = time.monotonic()
            found[attack.name] = attack.fit(knowledge, on_step)(released).cpu()
            measured.append(
                AttackRecord(
                    attack=attack.name,
                    access=attack.needs.access,
                    settings=attack.settings,
                    seconds=round(time.monotonic() - started, 3),
                    leakage=_compared(found[attack.name], originals),
                )
            )
        record = ModelRecord(
            name=subject.name,
            data=victims.name,
            network=subject.network,
            cut=subject.cut,
            accuracy=accuracy(model, data.test),
            test_images=len(data.test),
            numbers_sent=released[0].numel(),
            before=subject.before,
            after=SeparabilityRecord(**asdict(raw_separability(model, data.test))),
            floors=_floors(auxiliary, predicted, originals),
            attacks=measured,
        )
    model.train(was_training)
    return record, found


def _intercept(model: SplitModel, originals: Tensor) -> tuple[Tensor, Tensor]:
    """What crosses the wire, and the class that the cloud reads from it, on the CPU."""
    with torch.inference_mode():
        released = model.release(originals.to(next(model.parameters())))
        predicted = model.head(released).argmax(1)
    return released.clone(), predicted.cpu()


def _auxiliary(train: LabeledSet, generator: torch.Generator) -> Auxiliary:
    """The training samples stand for the attacker's own data, in no order."""
    order = torch.randperm(len(train), generator=generator)
    return Auxiliary(train.floats(order), train.labels[order])


def _floors(
    auxiliary: Auxiliary, predicted: Tensor, originals: Tensor
) -> dict[str, dict[str, list[float]]]:
    guesses = {
        "global-mean": global_mean(auxiliary.inputs, len(originals)),
        "class-mean": class_mean(auxiliary.inputs, auxiliary.labels, predicted),
    }
    return {name: _compared(guess, originals) for name, guess in guesses.items()}


def _compared(reconstruction: Tensor, originals: Tensor) -> dict[str, list[float]]:
    return {name: values.tolist() for name, values in measure(reconstruction, originals).items()}


def _threat_model(attacks: Sequence[Attack[Any]], auxiliary: LabeledSet) -> list[str]:
    accesses = dict.fromkeys(attack.needs.access for attack in attacks)
    return [
        "The attacker sits in the cloud, runs the head and sees everything that crosses the wire.",
        *(_THREAT[access] for access in accesses),
        f"The attacker owns the {len(auxiliary):,} training samples, but no victim.",
    ]
