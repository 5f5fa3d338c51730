"""From the options of a search to its config and its folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mixcon.cli._options import allow_typed, train_config
from mixcon.defenses import split_outside
from mixcon.errors import ConfigError
from mixcon.sweep import PAPER, Space, SweepConfig, SweepFolder
from mixcon.training import read_toml

__all__ = ["read_options"]


def read_options(given: dict[str, Any], out: Path | None) -> tuple[SweepConfig, SweepFolder]:
    """The sweep that the options describe, or that the folder already holds.

    Raises:
        ConfigError: neither, or options that do not go together.
    """
    given = {name: value for name, value in given.items() if value is not None}
    if out and SweepFolder(out).exists and not set(given) - {"trials", "seeds"}:
        folder = SweepFolder(out)
        return SweepConfig.model_validate({**folder.config.model_dump(), **given}), folder
    if "data" not in given:
        raise ConfigError(
            "expected --data, for example --data digits, or --out with a sweep to go on with"
        )
    space = _space(given)
    own = {n: given.pop(n) for n in ("trials", "victims", "seeds") if n in given}
    attacks = tuple(given.pop("attack", ()))
    allow_typed(*attacks)
    sampler = given.pop("sampler", "grid" if space.is_grid else "tpe")
    base = train_config(given)
    config = SweepConfig(base=base, space=space, sampler=sampler, attacks=attacks, **own)
    name = f"{base.data_title}-{base.network}".replace(":", "-")
    return config, SweepFolder(out or Path("sweeps") / name)


def _space(given: dict[str, Any]) -> Space:
    """The search space, taken out of the options."""
    file, grid = given.pop("space", None), given.pop("grid", None)
    defenses, cut = given.pop("defense", None), given.pop("cut", None)
    if sum([file is not None, grid is not None, bool(defenses or cut)]) > 1:
        raise ConfigError("expected one of --space, --grid and settings of the space, but got more")
    if grid is not None:
        if grid != "paper":
            raise ConfigError(f"expected --grid paper, but got --grid {grid}")
        return PAPER
    if file is not None:
        return read_toml(file, Space, "a search space")
    allow_typed(defenses or "")
    names = {"defenses": tuple(d.strip() for d in split_outside(defenses, ","))} if defenses else {}
    return Space.model_validate({**names, "cut": cut})
