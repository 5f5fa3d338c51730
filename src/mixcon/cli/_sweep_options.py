"""The options of every search, given to each verb that searches, and the sweep they describe."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

from mixcon.attacks import ATTACKS
from mixcon.cli._allow import AllowCode, allow_typed
from mixcon.cli._data_dir import MACHINE, DataDir
from mixcon.cli._options import (
    Accelerator,
    Augment,
    BatchSize,
    Data,
    Epochs,
    LabelSmoothing,
    Lr,
    Momentum,
    Network,
    Optimizer,
    Ramp,
    Recipe,
    Resize,
    Schedule,
    Seed,
    WeightDecay,
    train_config,
)
from mixcon.cli._output import Json, Quiet
from mixcon.defenses import split_outside
from mixcon.errors import ConfigError
from mixcon.sweep import PAPER, Space, SweepConfig, SweepFolder
from mixcon.training import read_toml

__all__ = ["SPACE", "read_options", "searching"]

SPACE, _SEARCH = "Search space", "Search"

Out: TypeAlias = Annotated[
    Path | None, typer.Option(help="Folder of the sweep (default: sweeps/DATA-NETWORK)")
]
Defense: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Defenses to try, separated by commas, each as in mixcon train, with a range or a "
        'list in place of a value: "mixcon(weight=0.1..10, beta=[1e-4, 1e-2])". The undefended '
        "network is always tried too (default: mixcon, normalize+gaussian)",
        rich_help_panel=SPACE,
    ),
]
Cut: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Layers to cut at, a list such as pool1,pool2 (default: the paper's)",
        rich_help_panel=SPACE,
    ),
]
SpaceFile: TypeAlias = Annotated[
    Path | None,
    typer.Option(
        help="Take the space from a TOML file instead: defenses, a list, and cut.",
        rich_help_panel=SPACE,
    ),
]
SamplerName: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="grid, random, tpe or nsga2 (default: grid if values are listed, else tpe)",
        rich_help_panel=_SEARCH,
    ),
]
Trials: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Trials of each defense, but for a grid; raise it to go on with a finished sweep "
        "(default: 20)",
        rich_help_panel=_SEARCH,
    ),
]
AttackNames: TypeAlias = Annotated[
    list[str] | None,
    typer.Option(
        help=f"Judges of the front, beside the cheap attacks: {', '.join(ATTACKS)}; repeat for "
        "several (default: all that apply)",
        rich_help_panel=_SEARCH,
    ),
]
Victims: TypeAlias = Annotated[
    int | None,
    typer.Option(help="Images each attack is judged on (default: 100)", rich_help_panel=_SEARCH),
]
Seeds: TypeAlias = Annotated[
    int | None,
    typer.Option(
        help="Training seeds that the front meets the test set with, to show how far chance moves "
        "its figures; raise it to go on with a finished sweep (default: 1)",
        rich_help_panel=_SEARCH,
    ),
]
Workers: TypeAlias = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Trials at once; they share the cores (default: one a core, or one on a GPU)",
        rich_help_panel=MACHINE,
    ),
]
RayAddress: TypeAlias = Annotated[
    str | None,
    typer.Option(
        "--ray",
        help="Run the trials on a Ray cluster instead: auto, HOST:6379 or ray://HOST:10001.",
        rich_help_panel=MACHINE,
    ),
]
Storage: TypeAlias = Annotated[
    str | None,
    typer.Option(
        help="Optuna's database: a URL (sqlite, postgresql+psycopg), or a journal file *.log "
        "(default: study.db in the folder)",
        rich_help_panel=MACHINE,
    ),
]


def _options(
    data: Data = None,
    resize: Resize = None,
    network: Network = None,
    out: Out = None,
    defense: Defense = None,
    cut: Cut = None,
    space: SpaceFile = None,
    allow_code: AllowCode = None,
    recipe: Recipe = None,
    epochs: Epochs = None,
    batch_size: BatchSize = None,
    optimizer: Optimizer = None,
    lr: Lr = None,
    schedule: Schedule = None,
    momentum: Momentum = None,
    weight_decay: WeightDecay = None,
    label_smoothing: LabelSmoothing = None,
    ramp: Ramp = None,
    augment: Augment = None,
    seed: Seed = None,
    sampler: SamplerName = None,
    trials: Trials = None,
    attack: AttackNames = None,
    victims: Victims = None,
    seeds: Seeds = None,
    workers: Workers = None,
    ray: RayAddress = None,
    storage: Storage = None,
    data_dir: DataDir = None,
    accelerator: Accelerator = "auto",
    as_json: Json = False,
    quiet: Quiet = False,
) -> None:
    """Nothing but a list of options, for `searching` to read."""


def searching(verb: Callable[..., None]) -> Callable[..., None]:
    """Give a verb the options of every search; it takes them as keywords, beside its own."""
    own, shared = (inspect.signature(f, eval_str=True).parameters for f in (verb, _options))
    named = [p for p in own.values() if p.kind is not inspect.Parameter.VAR_KEYWORD]
    every = [*named, *shared.values()]
    verb.__signature__ = inspect.Signature(every)  # type: ignore[attr-defined]
    verb.__annotations__ = {parameter.name: parameter.annotation for parameter in every}
    return verb


def read_options(given: dict[str, Any], out: Path | None) -> tuple[SweepConfig, SweepFolder]:
    """The sweep that the options describe, or that the folder already holds.

    Raises:
        ConfigError: neither, or options that do not go together.
    """
    given = {k: v for k, v in given.items() if v is not None and k != "quiet"}
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
