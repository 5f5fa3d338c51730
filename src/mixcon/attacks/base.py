"""What an attacker knows, and what an attack is. No attack ever receives an input x."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any, ClassVar, Generic, Self, TypeVar, cast, final

import torch
from torch import Tensor, nn

from mixcon._clock import time_share
from mixcon._memory import at_once
from mixcon.errors import ConfigError, KnowledgeError, NonFiniteError
from mixcon.kinds import Kind, has_structure
from mixcon.metrics import cosine, mse, ssim, token_accuracy
from mixcon.split import keep_inputs

__all__ = [
    "TUNED_BY",
    "Attack",
    "Auxiliary",
    "Device",
    "Inverter",
    "Knowledge",
    "OnStep",
    "Query",
    "WhiteBox",
    "frozen",
    "held_out",
]

_HELD_OUT = 512  # at most so many samples are held out, and never over a tenth
_FEW = 100  # of the attacker's own samples tell of which kind all are
TUNED_BY = 16
"""So many auxiliary samples decide between settings: the last of those held out."""

Inverter = Callable[[Tensor], Tensor]
"""Maps released representations z, (N, ...), to reconstructions, (N, *shape)."""

OnStep = Callable[[float], None]
"""Told the share of the work that is done, in [0, 1]."""


Run = Callable[[Tensor, OnStep], Tensor]
"""An inverter for one batch that also tells about its progress."""


def held_out(count: int) -> int:
    """So many of the first of the attacker's samples decide and score, and teach nothing."""
    return min(_HELD_OUT, -(-count // 10))


@dataclass(frozen=True)
class Auxiliary:
    """The attacker's own samples: of the kind of the victims, none of them a victim.

    Attributes:
        inputs: float32 samples, (M, *shape), inside the box.
        labels: their classes, int64 (M,).
    """

    inputs: Tensor
    labels: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    def take(self, count: int) -> Auxiliary:
        """The first `count` samples, or all if there are fewer."""
        return Auxiliary(self.inputs[:count], self.labels[:count])


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What every attacker knows: the query-free one knows nothing else.

    Attributes:
        shape: shape of one input, which says of which kind inputs are.
        box: smallest and largest value that an input can have; None if unbounded.
        auxiliary: the attacker's own samples, in no order; None if there are none.
        head: the cloud's half of the model, which the attacker runs, from representations to
            logits (N, classes); None if the attacker only listens.
        fitted: what attacks made of this knowledge so far, so that none is fitted twice.
    """

    shape: tuple[int, ...]
    box: tuple[float, float] | None = None
    auxiliary: Auxiliary | None = field(default=None, repr=False)
    head: nn.Module | None = field(default=None, repr=False)
    fitted: dict[Attack[Any], Run] = field(default_factory=dict, repr=False, compare=False)
    access: ClassVar[str] = "query-free"

    @property
    def kind(self) -> Kind:
        """What the inputs are; a few of the attacker's own tell texts from other sequences."""
        own = self.auxiliary.inputs[:_FEW] if self.auxiliary else torch.empty(0, *self.shape)
        return Kind.of_samples(own)

    @property
    def taught(self) -> Tensor:
        """The attacker's own inputs without the first ones, which are held out; there may be none.

        Attacks learn from these alone.
        """
        own = self.auxiliary.inputs if self.auxiliary else torch.empty(0, *self.shape)
        return own[held_out(len(own)) :]


@dataclass(frozen=True, kw_only=True)
class Query(Knowledge):
    """The attacker may also send inputs of its own through the device.

    Attributes:
        query: maps inputs, (N, *shape), to what the device releases of them, (N, ...), noise
            drawn anew at every call; no gradient comes back.
    """

    query: Callable[[Tensor], Tensor]
    access: ClassVar[str] = "query"


class Device(nn.Module):
    """The device's half: encoder, then channel."""

    def __init__(self, encoder: nn.Module, channel: nn.Module) -> None:
        super().__init__()
        self.encoder, self.channel = keep_inputs(encoder), keep_inputs(channel)

    def forward(self, x: Tensor) -> Tensor:
        """What is released of inputs, (N, *shape) to (N, ...), noise drawn anew."""
        return _differentiable(cast(Tensor, self.channel(self.encoder(x))), x)

    def mean(self, x: Tensor, draws: int) -> Tensor:
        """The same, averaged over so many draws of the channel; the encoder runs once."""
        raw: Tensor = self.encoder(x)
        released: Tensor = self.channel(raw.repeat(draws, *[1] * (raw.ndim - 1)))
        average: Tensor = released.unflatten(0, (draws, len(x))).mean(0)
        return _differentiable(average, x)


def _differentiable(z: Tensor, x: Tensor) -> Tensor:
    """Z with a gradient of 0 where a device has none, such as one that sends a class."""
    return z + 0 * x.sum() if x.requires_grad and not z.requires_grad else z


@dataclass(frozen=True, kw_only=True)
class WhiteBox(Query):
    """The attacker also holds the device's half of the model: weights and channel.

    Attributes:
        encoder: maps inputs to released representations, (N, *shape) to (N, ...), noise included.
    """

    encoder: Device
    access: ClassVar[str] = "white-box"

    @classmethod
    def of(cls, encoder: nn.Module, channel: nn.Module | None = None, **known: Any) -> WhiteBox:
        """Knowledge of a device, whose queries are its own answers.

        Args:
            encoder: maps inputs to raw representations.
            channel: maps these to what is released; the identity by default.
            known: as in `Knowledge`.
        """
        device = Device(encoder, channel or nn.Identity())

        def query(x: Tensor) -> Tensor:
            with frozen(device), torch.no_grad():
                return cast(Tensor, device(x))

        return cls(encoder=device, query=query, **known)

    def expected(self, like: Tensor, draws: int) -> Callable[[Tensor], Tensor]:
        """What is released on average: over draws where it is left to chance, else as it is.

        Args:
            like: representations, for their type and device.
            draws: of the channel in each call.
        """
        low, high = self.box or (-1.0, 1.0)
        probe = like.new_full((2, *self.shape), (low + high) / 2)
        if torch.equal(self.query(probe), self.query(probe)):
            return self.encoder
        return lambda x: self.encoder.mean(x, draws)


K = TypeVar("K", bound=Knowledge)


@dataclass(frozen=True)
class Attack(ABC, Generic[K]):
    """An inversion attack: its fields are its hyper-parameters.

    A subclass says what it `needs`, and writes `_fit`; all checks are made here. It is a frozen
    dataclass, so that a report can list its settings.

    Attributes:
        name: what tables and the command line call it.
        needs: the least knowledge it works with; it is given no more than this.
        inputs: the kinds of input it can reconstruct, all by default.
        needs_auxiliary: whether it cannot do without auxiliary samples.
        needs_head: whether it cannot do without the head.
        fitting: share of its work that is done before it sees any representation.
        batch: inputs attacked at once, fewer where they are large.
        family: what it works by: attacks of two families that agree are a sign that there is no
            more to be had.
    """

    name: ClassVar[str]
    needs: ClassVar[type[Knowledge]]
    inputs: ClassVar[frozenset[Kind]] = frozenset(Kind)
    needs_auxiliary: ClassVar[bool] = False
    needs_head: ClassVar[bool] = False
    fitting: ClassVar[float] = 0.0
    batch: ClassVar[int] = 256
    family: ClassVar[str] = "optimization"

    @final
    def fit(self, knowledge: Knowledge, on_step: OnStep = lambda _: None) -> Inverter:
        """Prepare the attack.

        Args:
            knowledge: what the attacker knows; never the inputs to be recovered. Of more than the
                attack needs, it gets to see only what it needs.
            on_step: told about progress while the attack is fitted and while the inverter runs.

        Returns:
            A function from z, (N, ...), to reconstructions, (N, *shape), inside the box. All
            images of a batch are attacked at once and independently, those that send the same
            once. One whose reconstruction diverges is given up: it becomes the middle of the box,
            or zero without one.

        Raises:
            KnowledgeError: the attack needs another kind of knowledge or of inputs.
        """
        run = self.fit_run(knowledge, lambda share: on_step(self.fitting * share))

        def invert(z: Tensor) -> Tensor:
            if not z.isfinite().all():
                raise NonFiniteError(f"{self.name}: expected finite representations, but got NaN")
            z, which = _distinct(z)
            many = (self.copies * knowledge.shape[0], *knowledge.shape[1:])
            parts = z.split(at_once(self.batch, many))
            done: list[Tensor] = []
            for part in parts:

                def report(share: float, before: int = len(done)) -> None:
                    share = (before + share) / len(parts)
                    on_step(self.fitting + (1 - self.fitting) * share)

                with time_share(1 / (len(parts) - len(done))):
                    done.append(_bounded(run(part, report), knowledge))
            on_step(1.0)
            return torch.cat(done)[which]

        return invert

    @final
    def fit_run(self, knowledge: Knowledge, on_step: OnStep = lambda _: None) -> Run:
        """The fitted attack without checks of z and of the box, for attacks that build on it."""
        if self not in knowledge.fitted:
            with time_share(self.fitting or 1.0):
                knowledge.fitted[self] = self._fit(self._narrowed(knowledge), on_step)
        return knowledge.fitted[self]

    def candidates(self) -> Sequence[Self]:
        """Settings worth a try on auxiliary samples before the attack; none by default."""
        return ()

    @final
    def tuned(self, knowledge: Knowledge, on_step: OnStep = lambda _: None) -> Self:
        """The attack with those of its `candidates` that did best on auxiliary samples.

        They are the last of those held out: nothing learns from them, and where there are enough,
        none of them scores attacks, or one that may choose settings would seem better than it is.
        They are inverted from what the device releases of them, and compared with the truth,
        which the attacker knows: by SSIM for images of 11 x 11 pixels or more, by the cosine for
        sequences, by the tokens that are right for texts, else by the mean squared error. Victims
        play no part. Without candidates, auxiliary samples or queries it is the attack as it is.
        """
        candidates = self.candidates()
        if not candidates or not knowledge.auxiliary or not isinstance(knowledge, Query):
            return self
        held = held_out(len(knowledge.auxiliary))  # of which the first ones score attacks
        own = knowledge.auxiliary.inputs[max(0, held - TUNED_BY) : held]
        z = knowledge.query(own)
        scores: list[float] = []
        for candidate in candidates:

            def report(share: float, before: int = len(scores)) -> None:
                on_step((before + share) / len(candidates))

            with time_share(1 / (len(candidates) - len(scores))):
                found = candidate.fit(knowledge, report)(z)
            scores.append(_likeness(found, own))
        return candidates[scores.index(max(scores))]

    def missing(self, knowledge: Knowledge) -> str | None:
        """What the attack needs beyond this knowledge, in words; None if it applies."""
        kind = knowledge.kind
        if not isinstance(knowledge, self.needs) or kind not in self.inputs:
            known = " or ".join(each.plural for each in Kind if each in self.inputs)
            return (
                f"{self.needs.__name__} knowledge of {known}, but got {type(knowledge).__name__} "
                f"of {kind.plural}"
            )
        if self.needs_auxiliary and not knowledge.auxiliary:
            return "auxiliary samples, but got none"
        if self.needs_head and knowledge.head is None:
            return "the head, but got none"
        return None

    def _narrowed(self, knowledge: Knowledge) -> K:
        missing = self.missing(knowledge)
        if missing:
            raise KnowledgeError(f"{self.name}: expected {missing}")
        known = {f.name: getattr(knowledge, f.name) for f in fields(self.needs)}
        return cast(K, self.needs(**known))

    @abstractmethod
    def _fit(self, knowledge: K, on_step: OnStep) -> Run:
        """The attack on one batch: z, (N, ...), to reconstructions, (N, *shape)."""

    @final
    def scaled(self, budget: float) -> Self:
        """The attack with so many times its steps, at least one of each kind."""
        counts = {f.name: getattr(self, f.name) for f in fields(self) if f.name.endswith("steps")}
        return replace(self, **{k: max(1, round(budget * v)) for k, v in counts.items()})

    @property
    def copies(self) -> int:
        """Inputs that are at work for each representation."""
        return 1

    @property
    def settings(self) -> dict[str, Any]:
        """The hyper-parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


def _distinct(z: Tensor) -> tuple[Tensor, Tensor]:
    """Representations, each once, and for every one of z, (N, ...), which of them it is."""
    each, which = z.unique(dim=0, return_inverse=True)
    return (each, which) if len(each) < len(z) else (z, torch.arange(len(z), device=z.device))


def _likeness(found: Tensor, wanted: Tensor) -> float:
    shape = wanted.shape[1:]
    if has_structure(shape):
        return ssim(found, wanted).mean().item()
    kind = Kind.of_samples(wanted)
    if kind is Kind.TEXT:
        return token_accuracy(found, wanted).mean().item()
    if kind is Kind.SEQUENCE:
        return cosine(found, wanted).mean().item()
    return -mse(found, wanted).mean().item()


def _bounded(reconstruction: Tensor, knowledge: Knowledge) -> Tensor:
    if reconstruction.shape[1:] != knowledge.shape:
        raise ConfigError(
            f"expected reconstructions of shape (N, {knowledge.shape}), but the attack gave "
            f"{tuple(reconstruction.shape)}"
        )
    low, high = knowledge.box or (0.0, 0.0)
    finite = reconstruction.flatten(1).isfinite().all(1)
    finite = finite.view(-1, *[1] * len(knowledge.shape))
    bounded = torch.where(finite, reconstruction, (low + high) / 2)
    return bounded.clamp(low, high) if knowledge.box else bounded


@contextmanager
def frozen(encoder: nn.Module) -> Iterator[None]:
    """In evaluation mode and without gradients to its weights; afterwards as it was."""
    modes = {module: module.training for module in encoder.modules()}
    wanted = {parameter: parameter.requires_grad for parameter in encoder.parameters()}
    encoder.eval().requires_grad_(False)
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode
        for parameter, want in wanted.items():
            parameter.requires_grad_(want)
