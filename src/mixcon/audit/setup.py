"""What all models of an audit have in common: victims, the attacker's own samples, the meter."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from mixcon._cache import digest
from mixcon._memory import at_once
from mixcon.attacks import Auxiliary
from mixcon.attacks.base import TUNED_BY, OnStep, held_out
from mixcon.data import LabeledSet, Splits
from mixcon.metrics import LeakageMeter, measure

__all__ = ["Setup", "scored_of"]

_SCORED = 32
_CANDIDATES = 1000  # among so many a reconstruction is to be re-identified, fewer large ones
_HIDDEN = 2**25  # numbers of all candidates: 128 MiB
_FEW = 10  # candidates of a class, below which being found among them says little
_OWN = 2**28  # numbers of all auxiliary samples: 1 GiB


def scored_of(auxiliary: int) -> int:
    """How many of so many auxiliary samples score attacks."""
    return min(_SCORED, held_out(auxiliary))


@dataclass(frozen=True)
class Setup:
    """The same for every model of one audit.

    Attributes:
        data: what the models were trained and are tested on.
        seed: draws the victims, the channels' noise and the attacks' randomness.
        victims: the attacked test samples.
        originals: their inputs, (N, *shape).
        auxiliary: the training samples, which stand for the attacker's own, in no order; of large
            ones as many as fit into 1 GiB.
        scored: how many of the first auxiliary samples attacks are scored by, so that the attacker
            chooses among them without a look at a victim; nothing learns from these.
        thorough: whether settings are chosen, and floors, probes and bounds measured as well.
        meter: measures what takes training; None for the pairwise metrics alone.
        identity: tells these victims and auxiliary samples from any others.
        length: so many times the usual steps of what is no attack.
        omitted: measurements that are left out.
        places: where the auxiliary samples stand among the training samples.
        secrets: attributes of the data that are to be read from z.
    """

    data: Splits
    seed: int
    victims: LabeledSet
    originals: Tensor
    auxiliary: Auxiliary
    scored: int
    thorough: bool
    meter: LeakageMeter | None = field(repr=False)
    identity: str
    length: float = 1.0
    omitted: Collection[str] = ()
    places: Tensor = field(default_factory=lambda: torch.empty(0, dtype=torch.int64), repr=False)
    secrets: Sequence[str] = ()

    @classmethod
    def of(
        cls,
        data: Splits,
        victims: int,
        seed: int,
        *,
        meter: LeakageMeter | None,
        thorough: bool,
        begin: Callable[[str, str], OnStep],
        length: float = 1.0,
        omitted: Collection[str] = (),
        secrets: Sequence[str] = (),
    ) -> Setup:
        """Draw the victims by the seed; a thorough audit prepares a meter if none is given."""
        on_step = begin("", "preparation")
        generator = torch.Generator().manual_seed(seed)
        order = data.test.shuffled(generator)
        chosen = data.test.take(order[:victims])
        on_step(1 / 3)
        mixed = data.train.shuffled(generator)[: cls.own(data.train)]
        auxiliary = Auxiliary(data.train.floats(mixed), data.train.labels[mixed])
        on_step(2 / 3)
        originals = chosen.floats()
        identity = digest(originals, auxiliary.inputs, auxiliary.labels)
        on_step(1.0)
        if thorough and meter is None and "recognizer" not in omitted:
            count = at_once(_CANDIDATES, data.test.shape, numbers=_HIDDEN)
            others = data.test.floats(order[victims : victims + count])
            candidates = others if len(others) else auxiliary.inputs[:count]
            classes = len(data.train.classes)
            most = at_once(_CANDIDATES * classes, data.test.shape, numbers=_HIDDEN) // classes
            places = _by_class(data.test.labels, order[victims:], chosen.labels, most)
            same_class = {number: data.test.floats(of) for number, of in places.items()}
            meter = LeakageMeter.prepare(
                auxiliary.inputs,
                auxiliary.labels,
                classes,
                candidates,
                same_class,
                seed=seed,
                on_step=begin("", "recognizer"),
            )
        scored = scored_of(len(auxiliary)) if thorough else 0
        return cls(
            data,
            seed,
            chosen,
            originals,
            auxiliary,
            scored,
            thorough,
            meter,
            identity,
            length,
            omitted,
            mixed,
            secrets,
        )

    @staticmethod
    def own(train: LabeledSet) -> int:
        """How many of the training samples an attacker has."""
        return at_once(len(train), train.shape, numbers=_OWN)

    @property
    def held(self) -> int:
        """How many of the first auxiliary samples are held out: nothing learns from these.

        All of them score guesses, which cost next to nothing.
        """
        return held_out(len(self.auxiliary))

    def deciding(self, count: int) -> Tensor:
        """So many of those held out that neither score attacks nor choose settings, or fewer.

        They follow on those that score attacks; none where nothing does.
        """
        last = max(self.scored, self.held - TUNED_BY) if self.scored else 0
        return self.auxiliary.inputs[self.scored : min(last, self.scored + count)]

    def score(self, reconstruction: Tensor, metric: str, start: int = 0) -> Tensor:
        """One pairwise metric, (N,), of auxiliary samples from `start` on."""
        original = self.auxiliary.inputs[start : start + len(reconstruction)]
        return measure(reconstruction.cpu(), original)[metric]

    def scores(self, reconstruction: Tensor) -> dict[str, float]:
        """The mean by every metric that an attacker chooses by, over as many auxiliary samples.

        They are the first ones. Re-identification is scored on those that score attacks alone, by
        the mean reciprocal rank of each among the others that teach nothing: of few samples, that
        says more than how many are named.
        """
        if not len(reconstruction):
            return {}
        own, found = self.auxiliary, reconstruction.cpu()
        values = measure(found, own.inputs[: len(found)])
        if self._own_meter:
            few = own.take(self.scored)
            ranks = self._own_meter.ranks(found[: self.scored], few.inputs, few.labels)
            values |= {name: 1 / rank for name, rank in ranks.items()}
        return {name: each.double().mean().item() for name, each in values.items()}

    @cached_property
    def _own_meter(self) -> LeakageMeter | None:
        """The meter, with the auxiliary samples that score attacks hidden among others."""
        inputs, labels = self.auxiliary.inputs, self.auxiliary.labels
        count = at_once(_CANDIDATES, tuple(inputs.shape[1:]), numbers=_HIDDEN)
        others = torch.arange(self.scored, min(self.held, self.scored + count))
        if not self.meter or not self.scored or not len(others):
            return None
        places = _by_class(labels, others, labels[: self.scored], count)
        same_class = {number: inputs[of] for number, of in places.items()}
        return replace(self.meter, candidates=inputs[others], same_class=same_class)

    def compared(self, reconstruction: Tensor) -> dict[str, list[float]]:
        """Every metric of reconstructions, (N, *shape): one value a victim."""
        found = reconstruction.cpu()
        if self.meter:
            values = self.meter.measure(found, self.originals, self.victims.labels)
        else:
            values = measure(found, self.originals)
        return {name: each.tolist() for name, each in values.items()}


def _by_class(labels: Tensor, others: Tensor, hidden: Tensor, most: int) -> dict[int, Tensor]:
    """Of the places of others those of each hidden class, at least ten; none if there are fewer.

    A rare class is filled up with others of any class: to guess the class then tells some of them
    apart, and that is what naming is compared with.
    """
    found = {}
    for number in hidden.unique().tolist():
        of, rest = others[labels[others] == number][:most], others[labels[others] != number]
        found[number] = torch.cat([of, rest[: max(0, _FEW - len(of))]])
    return {} if any(len(places) < _FEW for places in found.values()) else found
