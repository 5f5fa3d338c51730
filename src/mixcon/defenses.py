"""Defenses: separability losses with weights, and channels. Composed, never subclassed."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from mixcon.channels import CHANNELS, compose
from mixcon.errors import ConfigError
from mixcon.losses import LOSSES

__all__ = ["ChannelConfig", "Defense", "DefenseConfig", "LossConfig", "Term", "named_defense"]


@dataclass(frozen=True)
class Term:
    """One loss on the raw representation, times its weight (lambda in the paper)."""

    weight: float
    loss: nn.Module


@dataclass(frozen=True)
class Defense:
    """What is added to training (`terms`) and done to what leaves the device (`channel`)."""

    name: str
    terms: tuple[Term, ...]
    channel: nn.Module

    def penalty(self, raw: Tensor, x: Tensor, y: Tensor) -> Tensor:
        """Weighted sum of the losses of raw representations (N, ...), a scalar."""
        total = torch.zeros((), device=raw.device)
        for term in self.terms:
            against = y if term.loss.against == "labels" else x
            total = total + term.weight * term.loss(raw, against)
        return total


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    name: str

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})

    def _make(self, kinds: Mapping[str, type[nn.Module]], what: str) -> nn.Module:
        if self.name not in kinds:
            raise ConfigError(unknown(what, self.name, kinds))
        allowed = parameters(kinds[self.name])
        odd = sorted(set(self.options) - set(allowed))
        if odd:
            raise ConfigError(
                f"expected settings of {self.name} out of {allowed}, but got {', '.join(odd)}"
            )
        missing = sorted(required(kinds[self.name]) - set(self.options))
        if missing:
            raise ConfigError(f"expected {self.name} to be given its {', '.join(missing)}")
        return kinds[self.name](**self.options)


class LossConfig(_Part):
    """A loss by name, its weight, and its own settings as further keys."""

    weight: float = Field(default=1.0, ge=0, allow_inf_nan=False)

    def build(self) -> Term:
        """The loss, its settings checked."""
        return Term(self.weight, self._make(LOSSES, "loss"))


class ChannelConfig(_Part):
    """A channel by name, and its own settings as further keys."""

    def build(self) -> nn.Module:
        """The channel, its settings checked."""
        return self._make(CHANNELS, "channel")


class DefenseConfig(BaseModel):
    """Any combination of losses and channels; channels apply in the order given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    losses: tuple[LossConfig, ...] = ()
    channels: tuple[ChannelConfig, ...] = ()

    @property
    def name(self) -> str:
        """The parts joined by +, e.g. ``mixcon+gaussian``; ``vanilla`` where there are none."""
        return "+".join(part.name for part in (*self.losses, *self.channels)) or "vanilla"

    @property
    def title(self) -> str:
        """The name with its settings, for tables: ``mixcon (weight=1, beta=0.0001)``."""
        settings = [f"weight={loss.weight:g}" for loss in self.losses]
        for part in (*self.losses, *self.channels):
            settings += [f"{key}={value}" for key, value in part.options.items()]
        return f"{self.name} ({', '.join(settings)})" if settings else self.name

    def build(self) -> Defense:
        """The defense.

        Raises:
            ConfigError: an unknown loss, channel or setting, or a value out of range.
        """
        terms = tuple(loss.build() for loss in self.losses)
        return Defense(self.name, terms, compose(*(c.build() for c in self.channels)))


def named_defense(name: str, *, lam: float | None = None, **options: Any) -> DefenseConfig:
    """A defense of the literature by name, or several joined by +.

    Args:
        name: ``vanilla``, a loss (``mixcon``, ``unicon``, ``nopeek``), a channel (``normalize``,
            ``gaussian``, ``laplace``, ``dropout``, ``quantize``), or a sum such as
            ``mixcon+normalize+gaussian``.
        lam: weight of each loss, lambda in the paper; default 1.
        options: settings of the parts, e.g. ``beta=1e-4`` or ``sigma=0.05``; None is left out.

    Raises:
        ConfigError: an unknown part, or an option that no part takes.
    """
    given = {key: value for key, value in options.items() if value is not None}
    losses, channels, used = [], [], set()
    for part in name.split("+"):
        kinds: Mapping[str, type[nn.Module]] = LOSSES if part in LOSSES else CHANNELS
        if part == "vanilla":
            continue
        if part not in kinds:
            raise ConfigError(unknown("defense", part, ["vanilla", *LOSSES, *CHANNELS]))
        own = {key: given[key] for key in parameters(kinds[part]) if key in given}
        used |= set(own)
        if part in LOSSES:
            losses.append(LossConfig(name=part, weight=1.0 if lam is None else lam, **own))
        else:
            channels.append(ChannelConfig(name=part, **own))
    spare = sorted(set(given) - used) + (["lam"] if lam is not None and not losses else [])
    if spare:
        raise ConfigError(f"defense '{name}' does not use {', '.join(spare)}: leave it out")
    return DefenseConfig(losses=tuple(losses), channels=tuple(channels))


def parameters(kind: type[nn.Module]) -> list[str]:
    """Names of the settings that a loss or channel takes."""
    return [p.name for p in _signature(kind)]


def required(kind: type[nn.Module]) -> set[str]:
    """Names of those settings that have no default."""
    return {p.name for p in _signature(kind) if p.default is inspect.Parameter.empty}


def _signature(kind: type[nn.Module]) -> list[inspect.Parameter]:
    if kind.__init__ is nn.Module.__init__:  # nothing to set
        return []
    return list(inspect.signature(kind).parameters.values())


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The message for an unknown name: the nearest known one, and all of them."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"expected a {what} out of {', '.join(known)}, but got '{name}'{hint}"
