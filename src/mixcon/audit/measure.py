"""Run attacks against split models, and measure what comes back."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from mixcon.attacks import Attack, Auxiliary, Rmle, WhiteBox
from mixcon.attacks.base import frozen
from mixcon.audit.bound import bound
from mixcon.audit.kept import Kept
from mixcon.audit.masking import masking
from mixcon.audit.records import AttackRecord, Gallery, ModelRecord, Report, SeparabilityRecord
from mixcon.audit.surroundings import environment
from mixcon.data import LabeledSet, Splits
from mixcon.errors import ConfigError
from mixcon.metrics import (
    Judge,
    class_mean,
    global_mean,
    label_leakage,
    measure,
    nearest_neighbor,
)
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

_CANDIDATES = 1000  # among so many a reconstruction is to be re-identified
_SEEN = 10_000  # so many auxiliary samples are released for neighbors and probes


def audit(
    subjects: Sequence[Subject],
    data: Splits,
    attacks: Sequence[Attack[Any]],
    *,
    victims: int = 100,
    seed: int = 0,
    thorough: bool = False,
    keep: Path | None = None,
    captured: Tensor | None = None,
    on_progress: OnProgress = lambda _: None,
) -> tuple[Report, Gallery]:
    """Attack split models that were trained on the same data.

    The victims are test samples drawn by the seed. The attackers get what the models release of
    them and, where they need it, the encoder with its channel; never a victim itself. The training
    samples stand for the attacker's own data: on them settings are chosen and decoders trained.

    Args:
        subjects: the models, the undefended one first; each with a name of its own.
        data: what they were trained and are tested on.
        attacks: the attacks to run, each at most once; see `mixcon.attacks.strongest`.
        victims: how many test samples to attack, at least 1.
        seed: draws the victims, the channels' noise and the attacks' randomness.
        thorough: also choose each attack's settings on auxiliary samples, and measure what takes
            training: recognition, perceptual similarity, re-identification, label leakage, the
            nearest neighbor, signs of gradient masking, and the bound.
        keep: a folder for finished attacks, from which an interrupted audit goes on.
        captured: representations of the victims, (N, ...), that really crossed a wire: attacked in
            place of what the model would release now; of one subject alone.
        on_progress: told while the attacks run.

    Returns:
        What was measured, and the victims beside their reconstructions.

    Raises:
        ConfigError: fewer than one victim or more than there are test samples; a name or an
            attack given twice; captured representations of other victims or several models.
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
    if captured is not None and (len(subjects) > 1 or len(captured) != victims):
        raise ConfigError(
            f"expected one model and {victims} captured representations, one a victim, but got "
            f"{len(subjects)} and {len(captured)}"
        )
    scene = _scene(data, victims, seed, thorough)
    gallery = Gallery(scene.originals, scene.victims.labels, scene.victims.classes)
    records = []
    for subject in subjects:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            record, found = _Audited(subject, scene, keep, captured, on_progress).run(attacks)
        records.append(record)
        gallery.reconstructions[subject.name] = found
    report = Report(
        title=f"What {len(subjects)} split model{'s' * (len(subjects) > 1)} on {data.test.name} "
        "give away",
        environment=environment(" ".join(sys.argv), seed),
        threat_model=_threat_model(attacks, data.train),
        models=records,
        notes=scene.judge.notes if scene.judge else {},
        ceiling={k: sum(v) / len(v) for k, v in scene.compared(scene.originals).items()},
    )
    return report, gallery


@dataclass(frozen=True)
class _Scene:
    """What all models of an audit have in common."""

    data: Splits
    seed: int
    victims: LabeledSet
    originals: Tensor
    auxiliary: Auxiliary
    judge: Judge | None = field(repr=False)

    def compared(self, reconstruction: Tensor) -> dict[str, list[float]]:
        """Every metric, one value a victim."""
        found = reconstruction.cpu()
        if self.judge:
            values = self.judge.measure(found, self.originals, self.victims.labels)
        else:
            values = measure(found, self.originals)
        return {name: each.tolist() for name, each in values.items()}


def _scene(data: Splits, victims: int, seed: int, thorough: bool) -> _Scene:
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(data.test), generator=generator)
    chosen = data.test.take(order[:victims])
    auxiliary = _auxiliary(data.train, generator)
    judge = None
    if thorough:
        others = data.test.floats(order[victims : victims + _CANDIDATES])
        candidates = others if len(others) else auxiliary.inputs[:_CANDIDATES]
        classes = len(data.train.classes)
        judge = Judge.prepare(auxiliary.inputs, auxiliary.labels, classes, candidates, seed=seed)
    return _Scene(data, seed, chosen, chosen.floats(), auxiliary, judge)


class _Audited:
    """One model under attack."""

    def __init__(
        self,
        subject: Subject,
        scene: _Scene,
        keep: Path | None,
        captured: Tensor | None,
        on_progress: OnProgress,
    ) -> None:
        self.subject, self.scene, self.on_progress = subject, scene, on_progress
        self.model, self.device = subject.model, next(subject.model.parameters()).device
        self.released, self.predicted = _intercept(self.model, scene.originals, captured)
        facts = (scene.seed, scene.victims.name, scene.judge is not None, _digest(self.released))
        self.kept = Kept.of(keep, subject.model, *facts)
        on_device = (scene.auxiliary.inputs.to(self.device), scene.auxiliary.labels.to(self.device))
        self.knowledge = WhiteBox.of(
            self.model.encoder,
            self.model.channel,
            shape=scene.victims.shape,
            box=(0.0, 1.0) if scene.victims.is_image else None,
            auxiliary=Auxiliary(*on_device),
            head=self.model.head,
        )

    def run(self, attacks: Sequence[Attack[Any]]) -> tuple[ModelRecord, dict[str, Tensor]]:
        scene, model = self.scene, self.model
        found: dict[str, Tensor] = {}
        measured: list[AttackRecord] = []
        chosen: list[Attack[Any]] = []
        for attack in attacks:
            tuned, found[attack.name], seconds = self._attacked(attack)
            chosen.append(tuned)
            measured.append(
                AttackRecord(
                    attack=attack.name,
                    access=attack.needs.access,
                    settings=tuned.settings,
                    seconds=round(seconds, 3),
                    leakage=scene.compared(found[attack.name]),
                )
            )
        record = ModelRecord(
            name=self.subject.name,
            data=scene.victims.name,
            network=self.subject.network,
            cut=self.subject.cut,
            accuracy=accuracy(model, scene.data.test),
            test_images=len(scene.data.test),
            numbers_sent=self.released[0].numel(),
            before=self.subject.before,
            after=SeparabilityRecord(**asdict(raw_separability(model, scene.data.test))),
            floors={name: scene.compared(guess) for name, guess in self._floors().items()},
            attacks=measured,
            **self._examined(chosen, measured),
        )
        return record, found

    def _attacked(self, attack: Attack[Any]) -> tuple[Attack[Any], Tensor, float]:
        """The attack as it was tuned, what it found, and the seconds that took."""

        def on_step(share: float) -> None:
            self.on_progress(AuditProgress(self.subject.name, attack.name, share))

        torch.manual_seed(self.scene.seed)
        started = time.monotonic()
        tuned = attack.tuned(self.knowledge) if self.scene.judge else attack
        kept = self.kept.read(tuned)
        if kept:
            on_step(1.0)
            return tuned, *kept
        torch.manual_seed(self.scene.seed)
        found = tuned.fit(self.knowledge, on_step)(self.released).cpu()
        seconds = time.monotonic() - started
        self.kept.write(tuned, found, seconds)
        return tuned, found, seconds

    def _floors(self) -> dict[str, Tensor]:
        own = self.scene.auxiliary
        floors = {
            "global-mean": global_mean(own.inputs, len(self.predicted)),
            "class-mean": class_mean(own.inputs, own.labels, self.predicted),
        }
        if self.scene.judge:
            part = own.take(_SEEN)
            arguments = (part.inputs, part.labels, self._seen, self.released.cpu())
            floors["nearest-neighbor"] = nearest_neighbor(*arguments, self.predicted)
        return floors

    @cached_property
    def _seen(self) -> Tensor:
        """What the device releases of the first auxiliary samples."""
        own = self.knowledge.auxiliary
        parts = own.take(_SEEN).inputs.split(500) if own else ()
        return torch.cat([self.knowledge.query(part).cpu() for part in parts])

    def _examined(
        self, chosen: Sequence[Attack[Any]], measured: Sequence[AttackRecord]
    ) -> dict[str, Any]:
        """What a thorough audit adds to the record."""
        scene = self.scene
        if not scene.judge:
            return {}
        leaks = label_leakage(
            self._seen,
            scene.auxiliary.labels[:_SEEN],
            self.released.cpu(),
            scene.victims.labels,
            len(scene.data.train.classes),
            seed=scene.seed,
        )
        signs = [
            masking(attack, self.knowledge, self.released, scene.originals, measured)
            for attack in chosen
            if isinstance(attack, Rmle) and scene.victims.is_image
        ]
        return {
            "label_leakage": leaks.float().mean().item(),
            "bound": bound(self.model, scene.originals),
            "masking": [sign for found in signs for sign in found],
        }


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


def _intercept(
    model: SplitModel, originals: Tensor, captured: Tensor | None
) -> tuple[Tensor, Tensor]:
    """What crosses the wire, and the class that the cloud reads from it, on the CPU."""
    like = next(model.parameters())
    with frozen(model), torch.inference_mode():
        released = model.release(originals.to(like)) if captured is None else captured.to(like)
        predicted = model.head(released).argmax(1)
    return released.clone(), predicted.cpu()


def _auxiliary(train: LabeledSet, generator: torch.Generator) -> Auxiliary:
    """The training samples stand for the attacker's own data, in no order."""
    order = torch.randperm(len(train), generator=generator)
    return Auxiliary(train.floats(order), train.labels[order])


def _digest(tensor: Tensor) -> str:
    return hashlib.sha256(tensor.cpu().contiguous().numpy().tobytes()).hexdigest()


def _threat_model(attacks: Sequence[Attack[Any]], auxiliary: LabeledSet) -> list[str]:
    accesses = dict.fromkeys(attack.needs.access for attack in attacks)
    return [
        "The attacker sits in the cloud, runs the head and sees everything that crosses the wire.",
        *(_THREAT[access] for access in accesses),
        f"The attacker owns the {len(auxiliary):,} training samples, but no victim.",
    ]
