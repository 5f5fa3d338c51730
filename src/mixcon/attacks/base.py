"""What an attacker knows, and what an attack is. No attack ever receives an input x."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, Generic, TypeVar, cast, final

import torch
from torch import Tensor, nn

from mixcon.errors import ConfigError, KnowledgeError, NonFiniteError

__all__ = ["Attack", "Auxiliary", "Inverter", "Knowledge", "OnStep", "Query", "WhiteBox", "frozen"]

Inverter = Callable[[Tensor], Tensor]
"""Maps released representations z, (N, ...), to reconstructions, (N, *shape)."""

OnStep = Callable[[float], None]
"""Told the share of the work that is done, in [0, 1]."""


Run = Callable[[Tensor, OnStep], Tensor]
"""An inverter for one batch that also tells about its progress."""


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
        shape: shape of one input: (C, H, W) of images, (d,) of vectors.
        box: smallest and largest value that an input can have; None if unbounded.
        auxiliary: the attacker's own samples, in no order; None if there are none.
        head: the cloud's half of the model, which the attacker runs, from representations to
            logits (N, classes); None if the attacker only listens.
    """

    shape: tuple[int, ...]
    box: tuple[float, float] | None = None
    auxiliary: Auxiliary | None = field(default=None, repr=False)
    head: nn.Module | None = field(default=None, repr=False)
    access: ClassVar[str] = "query-free"

    @property
    def is_image(self) -> bool:
        """Whether the inputs are images."""
        return len(self.shape) == 3


@dataclass(frozen=True, kw_only=True)
class Query(Knowledge):
    """The attacker may also send inputs of its own through the device.

    Attributes:
        query: maps inputs, (N, *shape), to what the device releases of them, (N, ...), noise
            drawn anew at every call; no gradient comes back.
    """

    query: Callable[[Tensor], Tensor]
    access: ClassVar[str] = "query"


@dataclass(frozen=True, kw_only=True)
class WhiteBox(Query):
    """The attacker also holds the device's half of the model: weights and channel.

    Attributes:
        encoder: maps inputs to released representations, (N, *shape) to (N, ...), noise included.
    """

    encoder: nn.Module
    access: ClassVar[str] = "white-box"

    @classmethod
    def of(cls, encoder: nn.Module, **known: Any) -> WhiteBox:
        """Knowledge of an encoder, whose queries are its own answers; `known` as in `Knowledge`."""

        def query(x: Tensor) -> Tensor:
            with frozen(encoder), torch.no_grad():
                return cast(Tensor, encoder(x))

        return cls(encoder=encoder, query=query, **known)


K = TypeVar("K", bound=Knowledge)


@dataclass(frozen=True)
class Attack(ABC, Generic[K]):
    """An inversion attack: its fields are its hyper-parameters.

    A subclass says what it `needs`, and writes `_fit`; all checks are made here. It is a frozen
    dataclass, so that a report can list its settings.

    Attributes:
        name: what tables and the command line call it.
        needs: the least knowledge it works with; it is given no more than this.
        inputs: the kinds of input it can reconstruct.
        needs_auxiliary: whether it cannot do without auxiliary samples.
        needs_head: whether it cannot do without the head.
        fitting: share of its work that is done before it sees any representation.
        batch: images attacked at once.
    """

    name: ClassVar[str]
    needs: ClassVar[type[Knowledge]]
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "vectors"})
    needs_auxiliary: ClassVar[bool] = False
    needs_head: ClassVar[bool] = False
    fitting: ClassVar[float] = 0.0
    batch: ClassVar[int] = 256

    @final
    def fit(self, knowledge: Knowledge, on_step: OnStep = lambda _: None) -> Inverter:
        """Prepare the attack.

        Args:
            knowledge: what the attacker knows; never the inputs to be recovered. Of more than the
                attack needs, it gets to see only what it needs.
            on_step: told about progress while the attack is fitted and while the inverter runs.

        Returns:
            A function from z, (N, ...), to reconstructions, (N, *shape), inside the box. All
            images of a batch are attacked at once and independently. One whose reconstruction
            diverges is given up: it becomes the middle of the box, or zero without one.

        Raises:
            KnowledgeError: the attack needs another kind of knowledge or of inputs.
        """
        run = self._fit(self._narrowed(knowledge), lambda share: on_step(self.fitting * share))

        def invert(z: Tensor) -> Tensor:
            if not z.isfinite().all():
                raise NonFiniteError(f"{self.name}: expected finite representations, but got NaN")
            parts = z.split(self.batch)
            done: list[Tensor] = []
            for part in parts:

                def report(share: float, before: int = len(done)) -> None:
                    share = (before + share) / len(parts)
                    on_step(self.fitting + (1 - self.fitting) * share)

                done.append(_bounded(run(part, report), knowledge))
            on_step(1.0)
            return torch.cat(done)

        return invert

    def missing(self, knowledge: Knowledge) -> str | None:
        """What the attack needs beyond this knowledge, in words; None if it applies."""
        kind = "images" if knowledge.is_image else "vectors"
        if not isinstance(knowledge, self.needs) or kind not in self.inputs:
            return (
                f"{self.needs.__name__} knowledge of {' or '.join(sorted(self.inputs))}, but got "
                f"{type(knowledge).__name__} of {kind}"
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

    @property
    def settings(self) -> dict[str, Any]:
        """The hyper-parameters by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}


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
