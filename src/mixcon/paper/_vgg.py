"""What Table 5 and Figure 6 share: VGG-16 on CIFAR-10, cut after the second block (D.2)."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mixcon.attacks import Attack, GanDecoder
from mixcon.data import Splits
from mixcon.paper._attacks import at_scale, strong_attacks
from mixcon.paper._experiment import SCALES, RunOptions, Scale
from mixcon.paper._setting import Column, attacks_note, measure_column, psim_notes
from mixcon.paper._settings import VANILLA, Setting, mixcon
from mixcon.training import TrainConfig

__all__ = ["SCALE_TEXT", "SEEDS", "SETTINGS", "column", "notes"]

SETTINGS = (VANILLA, mixcon(1, 1e-8))

SCALE_TEXT: dict[Scale, str] = {
    "smoke": "a quarter of the channels, the first 60 images, 1 epoch, 2 victims, attacks of 2 "
    "steps",
    "small": "a quarter of the channels, all 50,000 images, 20 epochs at the recipe of "
    "`mixcon train`, 100 victims, 50 epochs of attack",
    "full": "the paper's own network, all 50,000 images, 20 epochs at the recipe of `mixcon train` "
    "in bfloat16 (the paper trains 300), 100 victims, 50 epochs of attack",
}
SEEDS: dict[Scale, int] = dict(zip(SCALES, (1, 3, 3), strict=True))
_VICTIMS: dict[Scale, int] = dict(zip(SCALES, (2, 100, 100), strict=True))
_WHOLE = {"data": "cifar10", "epochs": 20, "batch_size": 128, "augment": "shift-flip"}
_TRAINING: dict[Scale, dict[str, Any]] = {
    "smoke": {"network": "vgg16-narrow", "data": "cifar10[:60]", "epochs": 1, "batch_size": 20},
    "small": {"network": "vgg16-narrow", **_WHOLE},
    "full": {"network": "vgg16", **_WHOLE, "precision": "bf16-mixed"},
}
_SMOKE = {"steps": 2, "batch_size": 4}
_PAPERS = "gan-decoder"
_PAPERS_STEPS = 19_500  # 50 epochs of 50,000 images in batches of 128


def column(options: RunOptions, table: str, setting: Setting) -> Column:
    """One setting, trained and attacked once a seed."""
    configs = [_config(options.scale, setting, seed) for seed in options.seeds]

    def attacks(data: Splits) -> list[Attack[Any]]:
        return _attacks(data, options.scale)

    victims = _VICTIMS[options.scale]
    found = measure_column(options, table, "cifar10", setting.title, configs, attacks, victims)
    return replace(found, shown=f"{found.shown} (JPEG)") if _is_jpeg(options.data_dir) else found


def notes(columns: Sequence[Column]) -> list[str]:
    """Where these data and the attack differ from the paper's."""
    said = [
        "The paper's attack is gan-decoder: Eq. 7 with its signs put right.",
        "Images are shifted and mirrored in training: the paper names no augmentation.",
        attacks_note(columns[0]),
        *psim_notes(columns),
    ]
    if "JPEG" in columns[0].shown:
        said.append("These CIFAR-10 images were stored as JPEG: their pixels differ slightly.")
    return said


def _config(scale: Scale, setting: Setting, seed: int) -> TrainConfig:
    return TrainConfig(defense=setting.defense, seed=seed, **_TRAINING[scale])


def _attacks(data: Splits, scale: Scale) -> list[Attack[Any]]:
    """The paper's attack first, then the others."""
    papers: Attack[Any] = GanDecoder(steps=_PAPERS_STEPS)
    others = [each for each in strong_attacks(data, scale, quick=True) if each.name != _PAPERS]
    return [at_scale(scale, attack, _SMOKE) for attack in (papers, *others)]


def _is_jpeg(data_dir: Path | None) -> bool:
    """Whether the local copy holds JPEG files, which begin with FF D8."""
    from pyarrow.parquet import ParquetFile  # noqa: PLC0415  slow to import

    folder = data_dir or (Path(os.environ["MIXCON_DATA"]) if "MIXCON_DATA" in os.environ else None)
    files = sorted((folder / "cifar10").glob("train-*.parquet")) if folder else []
    if not files:
        return False
    first = next(ParquetFile(files[0]).iter_batches(batch_size=1, columns=["img"]))
    encoded: bytes = first.to_pylist()[0]["img"]["bytes"]
    return encoded.startswith(b"\xff\xd8")
