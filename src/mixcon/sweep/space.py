"""The search space: which defenses are tried, and which of their settings vary."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from pydantic import BaseModel, ConfigDict, Field

from mixcon.defenses import DefenseConfig, Part, part_kind
from mixcon.errors import ConfigError
from mixcon.sweep.axes import Axis, NamesField, Value
from mixcon.training import TrainConfig

__all__ = ["PAPER", "Space"]


class Space(BaseModel):
    """Which defenses are searched, and where.

    Attributes:
        defenses: as text, with a range or a list in place of values that vary:
            ``mixcon(weight=0.1..10, beta=[1e-4, 1e-2])``. A setting that is not named varies as
            its part says, else it has its default. Without ``vanilla``: the undefended network is
            part of every sweep anyway.
        cut: layers to cut at, if several are tried.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    defenses: tuple[str, ...] = Field(default=("mixcon", "normalize+gaussian"), min_length=1)
    cut: NamesField | None = None

    @property
    def templates(self) -> dict[str, DefenseConfig]:
        """The defenses by their names without settings; values that vary are text."""
        return {found.name: found for found in map(DefenseConfig.parse, self.defenses)}

    @property
    def is_grid(self) -> bool:
        """Whether values were listed, and no range was given."""
        axes = [axis for template in self.templates.values() for axis in _given(template).values()]
        return bool(axes) and all(axis.is_list for axis in axes)

    def axes(self, defense: str, *, grid: bool) -> dict[str, Axis]:
        """What varies for one defense, as ``part.setting`` or ``cut``, and its axes.

        Raises:
            ConfigError: an unknown part, or a setting that must be given.
        """
        template = self.templates[defense]
        axes = _default(template, grid=grid) | _given(template)
        return axes | ({"cut": self.cut} if self.cut else {})

    def points(self, defense: str) -> Iterator[dict[str, Value]]:
        """Every combination of the listed values of one defense, in order.

        Raises:
            ConfigError: an axis is a range, which has no end of values.
        """
        axes = self.axes(defense, grid=True)
        odd = [f"{name} = {axis}" for name, axis in axes.items() if not axis.is_list]
        if odd:
            raise ConfigError(
                f"expected lists such as [0.1, 1, 10] for a grid, but got {', '.join(odd)}; choose "
                "another --sampler for ranges"
            )
        yield from _combined(axes)

    def config_at(self, base: TrainConfig, defense: str, point: Mapping[str, Value]) -> TrainConfig:
        """The training config at one point of the space."""
        parts = [_at(part, point) for part in self.templates[defense].parts]
        update = {"cut": point.get("cut", base.cut), "defense": DefenseConfig(tuple(parts))}
        return base.model_copy(update=update)

    def check(self, base: TrainConfig, *, grid: bool) -> list[TrainConfig]:
        """The configs at all points of a grid, or at the corners of a search.

        Raises:
            ConfigError: one of them names what does not exist, or a defense is given twice.
        """
        templates = self.templates
        if len(templates) != len(self.defenses) or "vanilla" in templates:
            raise ConfigError(
                "expected different defenses, without vanilla, which is always tried, but got "
                f"{', '.join(self.defenses)}"
            )
        configs = []
        for defense in templates:
            corners = _combined(self.axes(defense, grid=grid))
            chosen = self.points(defense) if grid else corners
            configs += [self.config_at(base, defense, point) for point in chosen]
        for config in configs:
            config.defense.check()
        return configs


def is_whole(name: str) -> bool:
    """Whether a setting, ``part.setting``, is a whole number."""
    part, _, setting = name.rpartition(".")
    if not part or setting not in part_kind(part).settings:
        return False
    return part_kind(part).settings[setting].annotation in {"int", int}


def _given(template: DefenseConfig) -> dict[str, Axis]:
    """The axes that stand in place of values."""
    found = {f"{p.name}.{k}": v for p in template.parts for k, v in p.settings.items()}
    return {n: Axis.parse(v) for n, v in found.items() if isinstance(v, str) and _varies(v)}


def _varies(value: str) -> bool:
    return value.startswith("[") or ".." in value


def _default(template: DefenseConfig, *, grid: bool) -> dict[str, Axis]:
    """The axes of settings that were not given, as their parts say."""
    return {
        f"{part.name}.{name}": Axis.parse(texts[0 if grid else 1])
        for part in template.parts
        for name, texts in part_kind(part.name).search.items()
        if name not in part.settings
    }


def _at(part: Part, point: Mapping[str, Value]) -> Part:
    own = {
        name.rpartition(".")[2]: int(value) if is_whole(name) else value
        for name, value in point.items()
        if name.rpartition(".")[0] == part.name
    }
    order = part_kind(part.name).settings  # as they are declared
    every = {**part.settings, **own}
    return Part(part.name, {name: every[name] for name in (*order, *every) if name in every})


def _combined(axes: Mapping[str, Axis]) -> Iterator[dict[str, Value]]:
    """All combinations of the values, or of the ends of ranges."""
    for values in itertools.product(*(axis.samples for axis in axes.values())):
        yield dict(zip(axes, values, strict=True))


PAPER = Space(
    defenses=(
        "mixcon(weight=[0.01,0.1,0.5,1,2,5,10,100], beta=[1e-2,1e-3,1e-4,1e-5,1e-6,1e-7,1e-8])",
    )
)
"""The grid of the paper's Figure 3: 8 weights by 7 repulsions (section 4.3)."""
