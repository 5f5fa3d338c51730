"""The curious cloud: redraws inputs from what leaves, by decoders fitted on its own samples."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from mixcon._cache import digest, kept
from mixcon.attacks import Auxiliary, Decoder, WhiteBox
from mixcon.attacks.base import OnStep
from mixcon.kinds import Kind
from mixcon.serving.contract import Contract
from mixcon.show.noise import LEVELS, dialed
from mixcon.split import SplitModel

__all__ = ["CuriousCloud", "Redraw"]

Redraw = Callable[[Tensor], Tensor]
_FIT = 1  # raise when the same samples give other decoders


class CuriousCloud:
    """Sees representations and nothing else; knows the device, and samples of its own.

    One decoder for each level of noise, as a device cannot hide which it uses. They are kept in
    the user's cache.

    Args:
        model: the split model, in evaluation mode.
        contract: of its export.
        own: the attacker's own samples.
        steps: training steps of a decoder.

    Attributes:
        sigmas: standard deviation of the noise at each level, in units of the representation.
        shares: how much of each level's decoder is fitted, 1 once it is ready.
    """

    def __init__(self, model: SplitModel, contract: Contract, own: Auxiliary, steps: int) -> None:
        self._model, self._contract, self._own = model, contract, own
        self._attack = Decoder(steps=steps)
        with torch.no_grad():
            torch.manual_seed(0)
            spread = model.release(own.inputs[:1000]).std().item()
        self.sigmas = [level * spread for level in LEVELS]
        self.shares = [0.0] * len(LEVELS)
        self._redraw: dict[int, Redraw] = {}

    def learn(self, level: int, on_step: OnStep = lambda _: None) -> None:
        """Fit the decoder of a level, or find it in the cache.

        Args:
            level: position in `LEVELS`.
            on_step: told about progress.
        """

        def report(share: float) -> None:
            self.shares[level] = 0.99 * share
            on_step(share)

        shape = self._contract.input.shape
        knowledge = WhiteBox.of(
            self._model.encoder,
            dialed(self._model.channel, self._contract, self.sigmas[level]),
            shape=shape,
            box=Kind.IMAGE.box,
            auxiliary=self._own,
        )

        def make() -> dict[str, Tensor]:
            torch.manual_seed(0)
            return self._attack.network(knowledge, report).state_dict()

        facts = f"{self._contract.encoder_sha256} {self._contract.wire} {self._attack} {_FIT}"
        made = kept(digest(self._own.inputs, facts, self.sigmas[level]), make)
        self._redraw[level] = self._attack.restored(knowledge, made)
        self.shares[level] = 1.0
        on_step(1.0)

    def redraw(self, z: Tensor, level: int) -> Tensor | None:
        """What it makes of representations, (N, ...): (N, C, H, W) in [0, 1].

        None as long as it has not learned the level.
        """
        decoder = self._redraw.get(level)
        if decoder is None:
            return None
        with torch.inference_mode():
            return decoder(z)
