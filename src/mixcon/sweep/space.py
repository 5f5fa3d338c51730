"""The search space: which defenses are tried, and which of their settings vary."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mixcon.channels import CHANNELS
from mixcon.defenses import named_defense, parameters, required
from mixcon.errors import ConfigError
from mixcon.losses import LOSSES
from mixcon.sweep.axes import Axis, AxisField, Value
from mixcon.training import TrainConfig

__all__ = ["PAPER", "Space"]

_LISTS = {
    "lam": "0.01,0.1,0.5,1,2,5,10,100",
    "beta": "1e-2,1e-3,1e-4,1e-5,1e-6,1e-7,1e-8",
    "sigma": "0.01,0.03,0.1,0.3,1",
    "scale": "0.01,0.03,0.1,0.3,1",
    "rate": "0.1,0.3,0.5,0.7,0.9",
    "bits": "1,2,4,8",
}
"""What a grid visits where nothing is said; lambda and beta as in the paper (section 4.3)."""

_RANGES = {
    "lam": "0.01..100",
    "beta": "1e-8..1e-2",
    "sigma": "0.01..1",
    "scale": "0.01..1",
    "rate": "0.1..0.9",
    "bits": "1..8",
}
"""Where a sampler draws from if nothing is said."""


class Space(BaseModel):
    """Which defenses are searched, and where.

    Attributes:
        defenses: names as `named_defense` takes them, without ``vanilla``: the undefended network
            is part of every sweep anyway.
        vary: setting to its axis: ``lam``, any setting of a loss or channel, or ``cut``. One that
            is not named takes its default axis if it has one, else its default value.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    defenses: tuple[str, ...] = Field(default=("mixcon", "normalize+gaussian"), min_length=1)
    vary: dict[str, AxisField] = {}

    @property
    def is_grid(self) -> bool:
        """Whether values were listed, and no range was given."""
        axes = [axis for name, axis in self.vary.items() if name != "cut"]
        return bool(axes) and all(axis.is_list for axis in axes)

    def axes(self, defense: str, *, grid: bool) -> dict[str, Axis]:
        """The settings that vary for one defense, and their axes.

        Raises:
            ConfigError: an unknown defense, or a setting without a default or an axis.
        """
        kinds = _kinds(defense)
        names = [name for kind in kinds for name in _settings(kind)]
        missing = {name for kind in kinds for name in required(kind)} - {*self.vary, *_LISTS}
        if missing:
            raise ConfigError(
                f"expected values of {', '.join(sorted(missing))} for {defense}, but got none: add "
                "them under [vary] in a --space file"
            )
        defaults = _LISTS if grid else _RANGES
        axes = {n: Axis.parse(defaults[n]) for n in names if n in defaults}
        axes |= {n: axis for n, axis in self.vary.items() if n in names or n == "cut"}
        return axes

    def points(self, defense: str) -> Iterator[dict[str, Value]]:
        """Every combination of the listed values of one defense, in order.

        Raises:
            ConfigError: an axis is a range, which has no end of values.
        """
        axes = self.axes(defense, grid=True)
        odd = [f"{name} = {axis}" for name, axis in axes.items() if not axis.is_list]
        if odd:
            raise ConfigError(
                f"expected lists such as 0.1,1,10 for a grid, but got {', '.join(odd)}; choose "
                "another --sampler for ranges"
            )
        yield from _combined(axes)

    def check(self, base: TrainConfig, *, grid: bool) -> list[TrainConfig]:
        """The configs at all points of a grid, or at the corners of a search.

        Raises:
            ConfigError: one of them cannot be built, or a setting belongs to no defense.
        """
        self._check_names()
        configs = []
        for defense in self.defenses:
            corners = _combined(self.axes(defense, grid=grid))
            chosen = self.points(defense) if grid else corners
            configs += [config_at(base, defense, point) for point in chosen]
        for config in configs:
            config.defense.build()
        return configs

    def _check_names(self) -> None:
        if len(set(self.defenses)) != len(self.defenses) or "vanilla" in self.defenses:
            raise ConfigError(
                "expected different defenses, without vanilla, which is always tried, but got "
                f"{', '.join(self.defenses)}"
            )
        known = {name for d in self.defenses for kind in _kinds(d) for name in _settings(kind)}
        odd = sorted(set(self.vary) - known - {"cut"})
        if odd:
            raise ConfigError(
                f"expected settings of {', '.join(self.defenses)} ({', '.join(sorted(known))} or "
                f"cut), but got {', '.join(odd)}"
            )


def config_at(base: TrainConfig, defense: str, point: Mapping[str, Value]) -> TrainConfig:
    """The training config at one point of the space."""
    options: dict[str, Any] = dict(point)
    cut = options.pop("cut", base.cut)
    whole = [n for n in options if is_whole(defense, n)]
    options |= {name: int(options[name]) for name in whole}
    update = {"cut": cut, "defense": named_defense(defense, **options)}
    return base.model_copy(update=update)


def is_whole(defense: str, name: str) -> bool:
    """Whether a setting of a defense is a whole number."""
    if name == "lam":
        return False
    signatures = [inspect.signature(kind).parameters for kind in _kinds(defense)]
    found = [s[name].annotation for s in signatures if name in s]
    return bool(found) and found[0] in {"int", int}


def _combined(axes: Mapping[str, Axis]) -> Iterator[dict[str, Value]]:
    """All combinations of the values, or of the ends of ranges."""
    for values in itertools.product(*(axis.samples for axis in axes.values())):
        yield dict(zip(axes, values, strict=True))


def _kinds(defense: str) -> list[type]:
    named_defense(defense)  # names the unknown part, if there is one
    parts = [part for part in defense.split("+") if part != "vanilla"]
    return [(LOSSES if part in LOSSES else CHANNELS)[part] for part in parts]


def _settings(kind: type) -> list[str]:
    weight = ["lam"] if kind in LOSSES.values() else []
    return [*weight, *parameters(kind)]


PAPER = Space(
    defenses=("mixcon",),
    vary={"lam": Axis.parse(_LISTS["lam"]), "beta": Axis.parse(_LISTS["beta"])},
)
"""The grid of the paper's Figure 3: 8 weights by 7 repulsions (section 4.3)."""
