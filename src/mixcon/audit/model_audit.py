"""One model under audit: its attacks, floors, and what else is measured of it."""

from __future__ import annotations

import hashlib
import math
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import cached_property
from pathlib import Path
from statistics import fmean
from typing import Any

import torch
from torch import Tensor, nn

from mixcon._cache import raw_bytes
from mixcon._clock import time_limit, time_share
from mixcon._memory import at_once
from mixcon.attacks import Attack, Auxiliary, Rmle, WhiteBox
from mixcon.attacks.base import OnStep, frozen
from mixcon.audit.attack_cache import AttackCache
from mixcon.audit.bits import certified_bits, prove
from mixcon.audit.bound import bound
from mixcon.audit.choice import MORE, contenders, scores_over_all
from mixcon.audit.effort import effort_of
from mixcon.audit.guesses import LabelGuesses
from mixcon.audit.masking import masking
from mixcon.audit.plan import CHOICE
from mixcon.audit.progress import TUNING
from mixcon.audit.records import (
    AttackRecord,
    BitsRecord,
    BoundRecord,
    GuessRecord,
    MaskingRecord,
    ModelRecord,
    SaturationRecord,
    SecretRecord,
    SeparabilityRecord,
)
from mixcon.audit.saturation import saturation
from mixcon.audit.secrets import read_secret
from mixcon.audit.setup import Setup
from mixcon.audit.subject import Subject, fingerprint
from mixcon.channels import averaged
from mixcon.metrics import (
    chance_level,
    class_mean,
    global_mean,
    label_leakage,
    metric_named,
    nearest_neighbor,
)
from mixcon.split import SplitModel
from mixcon.training import accuracy, raw_separability

__all__ = ["ModelAudit"]

_GUESSES = 12  # of a class, at least: an attack more or less does not change them
_SEEN = 10_000  # so many auxiliary samples are released for neighbors and probes, or as many
_SECRET = 2000  # so many test samples, from which a probe reads secrets
_NUMBERS = 2**25  # as have representations of so many numbers


class ModelAudit:
    """One model under attack."""

    def __init__(
        self,
        subject: Subject,
        setup: Setup,
        keep: Path | None,
        captured: Tensor | None,
        begin: Callable[[str, str], OnStep],
        repeats: int = 1,
    ) -> None:
        self.repeats = repeats
        self.subject, self.setup, self.begin = subject, setup, begin
        self.model, self.device = subject.model, next(subject.model.parameters()).device
        self.released = _intercept(
            self.model, setup.originals, captured, averaged(self.model.channel, repeats)
        )
        self.predicted = self._read(self.released)
        self.weights = fingerprint(self.model)
        facts = (setup.seed, setup.identity, setup.thorough, setup.scored, repeats)
        self.cache = AttackCache.of(keep, self.model, self.weights, *facts, _digest(self.released))
        own = setup.auxiliary
        self.own = Auxiliary(own.inputs.to(self.device), own.labels.to(self.device))
        self.knowledge = WhiteBox.of(
            self.model.encoder,
            averaged(self.model.channel, repeats),
            shape=setup.victims.shape,
            box=setup.victims.kind.box,
            auxiliary=self.own,
            head=self.model.head,
        )

    def run(self, attacks: Sequence[Attack[Any]]) -> tuple[ModelRecord, dict[str, Tensor]]:
        """Run the attacks: the record, and what each of them found."""
        setup, model = self.setup, self.model
        measured, chosen, found = self.attacked(attacks, tune=setup.thorough)
        record = ModelRecord(
            name=self.subject.name,
            defense=self.subject.defense,
            seed=self.subject.seed,
            weights=self.weights,
            data=setup.victims.name,
            kind=setup.victims.kind,
            network=self.subject.network,
            cut=self.subject.cut,
            accuracy=accuracy(model, setup.data.test, on_step=self._begin("accuracy")),
            test_images=len(setup.data.test),
            chance=chance_level(setup.data.test.labels),
            numbers_sent=self.released[0].numel(),
            before=self.subject.before,
            after=SeparabilityRecord(**asdict(raw_separability(model, setup.data.test))),
            floors=self.floors(),
            guesses=self.guessed(len(attacks)),
            attacks=measured,
            effort=effort_of(
                attacks,
                inputs=setup.victims.kind,
                victims=len(setup.victims),
                thorough=setup.thorough,
            ),
        )
        examined = self._examined(chosen, measured, record.guesses)
        return record.model_copy(update=examined), found

    def attacked(
        self, attacks: Sequence[Attack[Any]], *, tune: bool
    ) -> tuple[list[AttackRecord], list[Attack[Any]], dict[str, Tensor]]:
        """The record of each attack, the attack as it was tuned, and what it found."""
        measured, chosen, found, own = [], [], {}, []
        for attack in attacks:
            tuned, both, seconds = self._attacked(attack, tune=tune)
            found[attack.name] = both[: len(self.released)]
            own.append(both[len(self.released) :])
            chosen.append(tuned)
            measured.append(
                AttackRecord(
                    attack=attack.name,
                    access=attack.needs.access,
                    settings=tuned.settings,
                    seconds=round(seconds, 3),
                    leakage=self.setup.compared(found[attack.name]),
                    auxiliary=self.setup.scores(own[-1]),
                )
            )
        return self._decided(chosen, measured, own), chosen, found

    def _decided(
        self, chosen: Sequence[Attack[Any]], measured: list[AttackRecord], own: Sequence[Tensor]
    ) -> list[AttackRecord]:
        """The records, scored on more auxiliary samples where the first leave the choice open."""
        setup, metric = self.setup, self._headline
        more = setup.deciding(MORE)
        if CHOICE in setup.omitted or len(measured) < 2 or not len(more):
            return measured
        report = self._begin(CHOICE)
        z = self.knowledge.query(more.to(self.device))
        first = [setup.score(found, metric) for found in own]
        may_be_best = contenders(first, higher=metric_named(metric).higher_leaks)
        if len(may_be_best) == 1:
            return measured
        further = dict[int, Tensor]()
        with time_limit(math.inf) as limit:
            for place in may_be_best:

                def on_step(share: float, before: int = len(further)) -> None:
                    report((before + share) / len(may_be_best))

                with time_share(1 / (len(may_be_best) - len(further))):
                    found = self._again(chosen[place], z, CHOICE, on_step)
                further[place] = setup.score(found, metric, setup.scored)
        if limit.cut:  # what was stopped is no measure
            return measured
        return [
            record.model_copy(update={"auxiliary": record.auxiliary | {metric: score}})
            for record, score in zip(measured, scores_over_all(first, further), strict=True)
        ]

    def _again(self, attack: Attack[Any], z: Tensor, purpose: str, on_step: OnStep) -> Tensor:
        """What an attack finds of z, kept apart for that purpose."""
        cache = self.cache.apart(purpose)
        kept = cache.read(attack)
        if kept:
            return kept[1]
        with time_limit(math.inf) as limit:
            torch.manual_seed(self.setup.seed)
            invert = attack.fit(self.knowledge, on_step)
            torch.manual_seed(self.setup.seed)  # the same whether or not it was fitted before
            found = invert(z).cpu()
        if limit.cut:
            self.cache = replace(self.cache, folder=None)
        else:
            cache.write(attack, attack, found, 0.0)
        return found

    def _attacked(self, attack: Attack[Any], *, tune: bool) -> tuple[Attack[Any], Tensor, float]:
        """The attack as it was tuned, what it found, and the seconds that took."""
        report = self._begin(attack.name)
        kept = self.cache.read(attack)
        if kept:
            return kept
        started = time.monotonic()
        before = TUNING if tune and attack.candidates() else 0.0

        def on_step(share: float) -> None:
            report(before + (1 - before) * share)

        with time_limit(math.inf) as limit:
            tuned = self._tuned(attack, report) if tune else attack
            torch.manual_seed(self.setup.seed)
            found = tuned.fit(self.knowledge, on_step)(self._attackable).cpu()
        seconds = time.monotonic() - started
        if limit.cut:  # nor is kept what later attacks make of the same fits
            self.cache = replace(self.cache, folder=None)
        self.cache.write(attack, tuned, found, seconds)
        return tuned, found, seconds

    @cached_property
    def _attackable(self) -> Tensor:
        """What is released of the victims, and of the auxiliary samples that score the attacks."""
        own = self.knowledge.auxiliary
        if not self.setup.scored or not own:
            return self.released
        with torch.random.fork_rng():
            self._reseed("scored")
            z = self.knowledge.query(own.inputs[: self.setup.scored])
        return torch.cat([self.released, z])

    def guessed(self, attacks: int) -> list[GuessRecord]:
        """Guesses from the predicted class alone, at least as many as there are attacks.

        They are made of samples that the model puts into that class: where it errs, its prediction
        tells the look of an input rather than its class.
        """
        setup = self.setup
        if not setup.thorough:
            return []
        on_step = self._begin("guesses")
        scoring, teaching = self.own.inputs[: setup.held], self.own.inputs[setup.held :]
        own = self._predictions(scoring)
        learned = LabelGuesses.learn(
            Auxiliary(teaching, self._predictions(teaching)),
            torch.cat([self.predicted, own]).unique().tolist(),
            max(_GUESSES, attacks),
            seed=setup.seed,
            on_step=on_step,
            length=setup.length,
        )
        return [
            GuessRecord(guess=name, leakage=setup.compared(guess), auxiliary=setup.scores(by_own))
            for (name, guess), (_, by_own) in zip(
                learned.of(self.predicted), learned.of(own), strict=True
            )
        ]

    def _predictions(self, inputs: Tensor) -> Tensor:
        """The class that the cloud reads from what is released of inputs, on the CPU."""
        parts = inputs.split(at_once(500, self.setup.victims.shape))
        return torch.cat([self._read(self.knowledge.query(x)) for x in parts])

    def _read(self, z: Tensor) -> Tensor:
        """The class that the cloud reads from representations, on the CPU."""
        with frozen(self.model), torch.inference_mode():
            predicted: Tensor = self.model.head(z).argmax(1)
        return predicted.cpu()

    def _tuned(self, attack: Attack[Any], report: OnStep) -> Attack[Any]:
        torch.manual_seed(self.setup.seed)
        with time_share(TUNING):
            return attack.tuned(self.knowledge, lambda share: report(TUNING * share))

    def _begin(self, phase: str) -> OnStep:
        self._reseed(phase)
        return self.begin(self.subject.name, phase)

    def _reseed(self, what: str) -> None:
        """Give something noise of its own, the same whether what came before ran or was kept."""
        torch.manual_seed(self.setup.seed + zlib.crc32(what.encode()))

    def floors(self) -> dict[str, dict[str, list[float]]]:
        """What an attacker gets who inverts nothing."""
        return {name: self.setup.compared(guess) for name, guess in self._floors().items()}

    def _floors(self) -> dict[str, Tensor]:
        own = self.setup.auxiliary
        floors = {
            "global-mean": global_mean(own.inputs, len(self.predicted)),
            "class-mean": class_mean(own.inputs, own.labels, self.predicted),
        }
        if self.setup.thorough:
            part = own.take(len(self._seen))
            arguments = (part.inputs, part.labels, self._seen, self.released.cpu())
            floors["nearest-neighbor"] = nearest_neighbor(*arguments, self.predicted)
        return floors

    @cached_property
    def _seen(self) -> Tensor:
        """What the device releases of the first auxiliary samples."""
        own = self.knowledge.auxiliary
        count = at_once(_SEEN, tuple(self.released.shape[1:]), numbers=_NUMBERS)
        size = at_once(500, self.setup.victims.shape)
        parts = own.take(count).inputs.split(size) if own else ()
        report = self._begin("floors")
        released = []
        for done, part in enumerate(parts, 1):
            released.append(self.knowledge.query(part).cpu())
            report(done / len(parts))
        return torch.cat(released)

    def _examined(
        self,
        chosen: Sequence[Attack[Any]],
        measured: Sequence[AttackRecord],
        guesses: Sequence[GuessRecord],
    ) -> dict[str, Any]:
        """What a thorough audit adds to the record; of any audit what takes no work."""
        setup = self.setup
        found: dict[str, Any] = {"bits": self._proved()}
        if setup.secrets:
            found["secrets"] = self._secrets(found["bits"])
        if not setup.thorough:
            return found
        looks: dict[str, Callable[[], Any]] = {
            "label leakage": self._label_leakage,
            "bound": self._bound,
            "masking": lambda: self._masking(chosen, measured),
            "saturation": lambda: self._saturation(chosen, measured, guesses),
        }
        for name, look in looks.items():
            if name not in setup.omitted:
                found[name.replace(" ", "_")] = look()
        return found

    def _proved(self) -> BitsRecord:
        """What is proved of a release; without samples unless the audit is thorough."""
        if self.setup.thorough:
            report = self._begin("bits")
            proved = prove(self.model, self.setup.data.test, self.repeats)
            report(1.0)
            return proved
        raw = self.model.represent(self.setup.originals[:1].to(self.device))
        leakage, capacity = certified_bits(self.model, tuple(raw.shape[1:]), self.repeats)
        return BitsRecord(maximal_leakage=leakage, capacity=capacity, repeats=self.repeats)

    def _label_leakage(self) -> float:
        setup, seen = self.setup, self._seen
        leaks = label_leakage(
            seen,
            setup.auxiliary.labels[: len(seen)],
            self.released.cpu(),
            setup.victims.labels,
            len(setup.data.train.classes),
            seed=setup.seed,
            on_step=self._begin("label leakage"),
        )
        return leaks.float().mean().item()

    def _secrets(self, proved: BitsRecord) -> list[SecretRecord]:
        """What a probe reads of the attributes, from what is released of many test samples."""
        setup, own, test = self.setup, self._seen, self.setup.data.test
        self._reseed("secrets")
        count = at_once(_SECRET, setup.victims.shape, numbers=_NUMBERS)
        others = test.mixed(count, setup.seed)
        size = at_once(500, setup.victims.shape)
        with torch.inference_mode():
            z = torch.cat(
                [self.knowledge.query(x.to(self.device)) for x, _ in others.batches(size)]
            )
        mine = setup.data.train.take(setup.places[: len(own)])
        return [
            read_secret(
                name,
                (own, mine.attributes[name], mine.labels),
                (z.cpu(), others.attributes[name], self._read(z)),
                proved.maximal_leakage,
                proved.information,
                seed=setup.seed,
                on_step=self._begin(f"secret {name}"),
            )
            for name in setup.secrets
        ]

    def _bound(self) -> BoundRecord:
        report = self._begin("bound")
        return bound(self.model, self.setup.originals, report, box=self.knowledge.box)

    def _masking(
        self, chosen: Sequence[Attack[Any]], measured: Sequence[AttackRecord]
    ) -> list[MaskingRecord]:
        report = self._begin("masking")
        known = (self.knowledge, self.released, self.setup.originals, measured, self._headline)
        signs = [
            masking(attack, *known, report)
            for attack in chosen
            if isinstance(attack, Rmle) and metric_named(self._headline).higher_leaks
        ]
        return [sign for found in signs for sign in found]

    def _saturation(
        self,
        chosen: Sequence[Attack[Any]],
        measured: Sequence[AttackRecord],
        guesses: Sequence[GuessRecord],
    ) -> SaturationRecord | None:
        """Does the best attack gain by its second half, and does another family agree?"""

        def again(attack: Attack[Any]) -> dict[str, list[float]]:
            report = self._begin("saturation")
            return self.setup.compared(
                self._again(attack.scaled(0.5), self.released, "half", report)
            )

        metric = self._headline
        guessed = [fmean(guess.leakage[metric]) for guess in guesses]
        worst = 0.0 if metric_named(metric).higher_leaks else min(guessed)
        return saturation(chosen, measured, again, metric=metric, worst=worst)

    @property
    def _headline(self) -> str:
        return self.setup.victims.kind.headlines[0]


def _intercept(
    model: SplitModel, originals: Tensor, captured: Tensor | None, channel: nn.Module
) -> Tensor:
    """What crosses the wire."""
    like = next(model.parameters())
    with frozen(model), torch.inference_mode():
        released = captured
        if released is None:
            parts = originals.split(at_once(len(originals), tuple(originals.shape[1:])))
            released = channel(torch.cat([model.represent(part.to(like)) for part in parts]))
        released = released.to(like)
    return released.clone()


def _digest(tensor: Tensor) -> str:
    return hashlib.sha256(raw_bytes(tensor)).hexdigest()
