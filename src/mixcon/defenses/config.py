"""A defense in words: checked and built for the sizes of a model."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, PlainSerializer

from mixcon.channels import CHANNELS, Channel
from mixcon.defenses.base import Defense
from mixcon.defenses.cem import ConditionalEntropy
from mixcon.defenses.disco import disco
from mixcon.defenses.grammar import Part, parse_parts, write_parts
from mixcon.defenses.loss_penalty import LossPenalty
from mixcon.defenses.reconstructor import Reconstructor
from mixcon.defenses.shredder import shredder
from mixcon.defenses.vib import vib
from mixcon.errors import ConfigError
from mixcon.losses import LOSSES, SeparabilityLoss
from mixcon.registry import Registry, unknown
from mixcon.split import Sizes

__all__ = ["DEFENSES", "DefenseConfig", "DefenseField", "PartKind", "part_kind", "part_names"]

DEFENSES: Registry[Callable[..., Any]] = Registry(
    "defenses",
    {
        "reconstructor": Reconstructor,
        "shredder": shredder,
        "disco": disco,
        "vib": vib,
        "cem": ConditionalEntropy,
    },
)
"""Parts that are no plain loss or channel, by name: classes or functions that make them."""


@dataclass(frozen=True)
class DefenseConfig:
    """A composition of parts by name, with their settings.

    Losses and other penalties add up; channels apply from left to right. ``vanilla`` is the
    composition of nothing.
    """

    parts: tuple[Part, ...] = ()

    @classmethod
    def parse(cls, given: Any) -> DefenseConfig:
        """From text, see `mixcon.defenses.grammar`, or from the tables of an older run folder.

        Raises:
            ConfigError: it cannot be read.
        """
        if isinstance(given, DefenseConfig):
            return given
        if isinstance(given, str):
            return cls(parse_parts(given))
        if isinstance(given, Mapping) and set(given) <= {"losses", "channels"}:
            return cls(
                tuple(map(_from_table, [*given.get("losses", ()), *given.get("channels", ())]))
            )
        raise ConfigError(f"expected a defense as text, but got {given!r}")

    def __str__(self) -> str:
        return write_parts(self.parts)

    @property
    def name(self) -> str:
        """The names joined by +, e.g. ``mixcon+gaussian``; ``vanilla`` where there are none."""
        return "+".join(part.name for part in self.parts) or "vanilla"

    def with_settings(self, values: Mapping[str, Any]) -> DefenseConfig:
        """The same with some settings replaced, by ``part.setting``."""
        parts = []
        for part in self.parts:
            own = {k: values.get(f"{part.name}.{k}", v) for k, v in part.settings.items()}
            parts.append(Part(part.name, own))
        return DefenseConfig(tuple(parts))

    def check(self) -> None:
        """Refuse unknown parts and settings, without building anything.

        Raises:
            ConfigError: an unknown part, an unknown or missing setting, or a penalty twice.
        """
        kinds = [part_kind(part.name) for part in self.parts]
        for part, kind in zip(self.parts, kinds, strict=True):
            kind.check(part)
        once = [p.name for p, k in zip(self.parts, kinds, strict=True) if not k.is_channel]
        twice = sorted({name for name in once if once.count(name) > 1})
        if twice:
            raise ConfigError(
                f"expected each penalty once, but got {', '.join(twice)} twice; add up the weights"
            )

    def build(self, sizes: Sizes) -> Defense:
        """The defense of a model of these sizes; weights are drawn from torch's generator.

        Raises:
            ConfigError: what `check` refuses, or a value out of range.
        """
        self.check()
        whole = Defense()
        for part in self.parts:
            found = Defense.of(part_kind(part.name).build(part, sizes))
            for channel in found.channels:
                sizes = sizes._replace(representation=channel.shape(sizes.representation))
            for made in (*found.penalties, *found.adversaries):
                made.name = made.name or part.name
            whole = whole + found
        return whole


DefenseField: TypeAlias = Annotated[
    DefenseConfig, BeforeValidator(DefenseConfig.parse), PlainSerializer(str)
]
"""A defense as a field of a config: text in TOML, read when the config is."""


@dataclass(frozen=True)
class PartKind:
    """What is known of all parts of one name: how they are made, and what can be set.

    Attributes:
        make: the class, or a function, that takes the settings.
        settings: by name; `sizes` is none of them.
        search: setting to the values that a grid visits, and the range that a sampler draws from.
        is_channel: whether it is a channel.
        stacked: settings by which the models of a stack may differ; None if it cannot be stacked.
    """

    make: Callable[..., Any]
    settings: Mapping[str, inspect.Parameter]
    search: Mapping[str, tuple[str, str]]
    is_channel: bool
    stacked: tuple[str, ...] | None

    @property
    def required(self) -> set[str]:
        """Settings without a default."""
        return {n for n, p in self.settings.items() if p.default is inspect.Parameter.empty}

    def check(self, part: Part) -> None:
        """Refuse settings that are unknown or missing."""
        odd = sorted(set(part.settings) - set(self.settings))
        if odd:
            known = f"out of {', '.join(self.settings)}" if self.settings else "none"
            raise ConfigError(f"expected settings of {part.name} {known}, but got {', '.join(odd)}")
        missing = sorted(self.required - set(part.settings))
        if missing:
            raise ConfigError(
                f"expected {part.name} to be given its {', '.join(missing)}, as in "
                f"'{part.name}({missing[0]}=...)'"
            )

    def build(self, part: Part, sizes: Sizes) -> Any:
        """The part, for these sizes if it asks for them."""
        wanted = {"sizes": sizes} if "sizes" in _signature(self.make) else {}
        return self.make(**part.settings, **wanted)


def part_names() -> list[str]:
    """Every name that a defense may be made of, but for code of one's own."""
    return [*LOSSES.names, *CHANNELS.names, *DEFENSES.names]


def part_kind(name: str) -> PartKind:
    """What is known of the parts of this name.

    Raises:
        ConfigError: an unknown name, or code that was not allowed or cannot be imported.
    """
    for registry in (LOSSES, CHANNELS, DEFENSES):
        if registry.has(name):
            return _kind(registry.find(name))
    raise ConfigError(unknown("parts of a defense", name, ["vanilla", *part_names()]))


def _kind(made: Any) -> PartKind:
    if isinstance(made, type) and issubclass(made, SeparabilityLoss):
        return _loss_kind(made)
    settings = {n: p for n, p in _signature(made).items() if n != "sizes"}
    is_channel = isinstance(made, type) and issubclass(made, Channel)
    stacked = () if is_channel else getattr(made, "stacked", None)
    return PartKind(made, settings, getattr(made, "search", {}), is_channel, stacked)


def _loss_kind(loss: type[SeparabilityLoss]) -> PartKind:
    outer = {n: p for n, p in _signature(LossPenalty).items() if n != "loss"}
    inner = _signature(loss)

    def make(**settings: Any) -> LossPenalty:
        own = {n: settings.pop(n) for n in inner if n in settings}
        return LossPenalty(loss(**own), **settings)

    settings = {"weight": outer["weight"], **inner, "on": outer["on"]}
    search = {**LossPenalty.search, **loss.search}
    return PartKind(make, settings, search, is_channel=False, stacked=("weight", *loss.stacked))


def _signature(made: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    found = inspect.signature(made).parameters
    return {n: p for n, p in found.items() if p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD)}


def _from_table(table: Mapping[str, Any]) -> Part:
    return Part(table["name"], {k: v for k, v in table.items() if k != "name"})
