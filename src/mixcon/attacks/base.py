"""What an attacker knows, and what an attack is. No attack ever receives an input x."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar, cast, final

import torch
from torch import Tensor, nn

from mixcon.errors import ConfigError, KnowledgeError, NonFiniteError

__all__ = ["Attack", "Inverter", "Knowledge", "OnStep", "WhiteBox"]

Inverter = Callable[[Tensor], Tensor]
"""Maps released representations z, (N, ...), to reconstructions, (N, *shape)."""

OnStep = Callable[[float], None]
"""Told the share of the work that is done, in [0, 1]."""


@dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What every attacker knows.

    Attributes:
        shape: shape of one input: (C, H, W) of images, (d,) of vectors.
        box: smallest and largest value that an input can have; None if unbounded.
    """

    shape: tuple[int, ...]
    box: tuple[float, float] | None = None
    access: ClassVar[str] = "query-free"

    @property
    def is_image(self) -> bool:
        """Whether the inputs are images."""
        return len(self.shape) == 3


@dataclass(frozen=True, kw_only=True)
class WhiteBox(Knowledge):
    """The attacker also holds the device's half of the model: weights and channel.

    Attributes:
        encoder: maps inputs to released representations, (N, *shape) to (N, ...), noise included.
    """

    encoder: nn.Module
    access: ClassVar[str] = "white-box"


K = TypeVar("K", bound=Knowledge)


@dataclass(frozen=True)
class Attack(ABC, Generic[K]):
    """An inversion attack: its fields are its hyper-parameters.

    A subclass says what it `needs`, and writes `_fit`; all checks are made here. It is a frozen
    dataclass, so that a report can list its settings.
    """

    name: ClassVar[str]
    needs: ClassVar[type[Knowledge]]
    inputs: ClassVar[frozenset[str]] = frozenset({"images", "vectors"})
    batch: ClassVar[int] = 256

    @final
    def fit(self, knowledge: Knowledge, on_step: OnStep = lambda _: None) -> Inverter:
        """Prepare the attack.

        Args:
            knowledge: what the attacker knows; never the inputs to be recovered.
            on_step: told about progress while the inverter runs.

        Returns:
            A function from z, (N, ...), to reconstructions, (N, *shape), inside the box. All
            images of a batch are attacked at once and independently. One whose reconstruction
            diverges is given up: it becomes the middle of the box, or zero without one.

        Raises:
            KnowledgeError: the attack needs another kind of knowledge or of inputs.
        """
        kind = "images" if knowledge.is_image else "vectors"
        if not isinstance(knowledge, self.needs) or kind not in self.inputs:
            raise KnowledgeError(
                f"{self.name}: expected {self.needs.__name__} knowledge of "
                f"{' or '.join(sorted(self.inputs))}, but got {type(knowledge).__name__} of {kind}"
            )

        def invert(z: Tensor) -> Tensor:
            if not z.isfinite().all():
                raise NonFiniteError(f"{self.name}: expected finite representations, but got NaN")
            parts = z.split(self.batch)
            done: list[Tensor] = []
            for part in parts:

                def report(share: float, before: int = len(done)) -> None:
                    on_step((before + share) / len(parts))

                done.append(_bounded(run(part, report), knowledge))
            return torch.cat(done)

        run = self._fit(cast(K, knowledge))
        return invert

    @abstractmethod
    def _fit(self, knowledge: K) -> Callable[[Tensor, OnStep], Tensor]:
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
