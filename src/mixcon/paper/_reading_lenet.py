"""Readings of the LeNet-5 experiment: trained, attacked and measured, each part once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save

from mixcon._files import write_whole
from mixcon.data import Splits, load
from mixcon.defenses import DefenseConfig, Part
from mixcon.metrics import ssim
from mixcon.models import build
from mixcon.paper._experiment import Row, RunOptions, Scale
from mixcon.paper._kept import Kept
from mixcon.paper._lenet import length, mixcon_setting, unicon_setting
from mixcon.paper._numbers import paper_value
from mixcon.paper._plain_training import fit
from mixcon.paper._psim_networks import PSIMS, psims
from mixcon.paper._reading_attack import RESIDUALS, invert
from mixcon.paper._search import Reading
from mixcon.paper._settings import VANILLA, Setting
from mixcon.reports import spread
from mixcon.split import SplitModel
from mixcon.training import TrainConfig, accuracy

__all__ = [
    "ATTACK",
    "METRIC",
    "MOST",
    "SIZES",
    "START",
    "TRAINING",
    "VARIATION",
    "WHOLE_SETS",
    "LenetReadings",
]

TRAINING: dict[str, tuple[Any, ...]] = {
    "batch": (16, 32, 64, 128),
    "pairing": ("as batches fall", "balanced batches"),
    "distances": ("normalized", "as they are"),
    "warm-up": (0, 5),
}
WHOLE_SETS: dict[str, tuple[Any, ...]] = {
    "batch": (16, 32, 64),
    "pairing": TRAINING["pairing"],
    "warm-up": TRAINING["warm-up"],
}
"""Of these, what is worth hours of training: the rest is far off on a tenth of the images."""
ATTACK: dict[str, tuple[Any, ...]] = {
    "residual": tuple(RESIDUALS),
    "attacked": ("normalized", "as sent"),
    "pixels": ("stretched", "clamped"),
}
VARIATION: dict[str, tuple[Any, ...]] = {
    "variation": ("summed", "averaged"),
    "zeta on SVHN": (1e-5, 0.01),
}
METRIC: dict[str, tuple[Any, ...]] = {"SSIM": ("raw", "in [0, 1]"), "PSIM": PSIMS}
MOST = prod(map(len, ATTACK.values())) + sum(
    len(values) - 1 for values in (TRAINING | VARIATION | METRIC).values()
)
"""How many readings the search tries at most."""
START: Reading = {
    "batch": 32,
    **{
        axis: values[0]
        for axis, values in (TRAINING | ATTACK | VARIATION | METRIC).items()
        if axis != "batch"
    },
}
"""How Tables 3 and 4 are read."""


@dataclass(frozen=True)
class Size:
    """How much of everything a scale takes; `epochs` and `sets` by the paper's data set."""

    sets: Mapping[str, str]
    epochs: Mapping[str, int]
    victims: int
    steps: int
    recognizer: int


_SETS = {"mnist": "mnist", "fashion_mnist": "fashion_mnist", "svhn": "svhn"}
_TENTH = {name: f"{name}[:10000]" for name in _SETS}
SIZES: dict[Scale, Size] = {
    "smoke": Size({"mnist": "digits[:300]"}, {"mnist": 1}, 3, 3, 5),
    "small": Size(_TENTH, {"mnist": 10, "fashion_mnist": 10, "svhn": 20}, 50, 500, 600),
    "full": Size(_SETS, dict.fromkeys(_SETS, 20), 100, 500, 600),
}


@dataclass(frozen=True)
class LenetReadings:
    """Rows for readings, from what lies in the work folder or anew."""

    options: RunOptions
    kept: Kept

    @property
    def size(self) -> Size:
        """That of the scale."""
        return SIZES[self.options.scale]

    def rows(self, reading: Reading) -> list[Row]:
        """All numbers of Tables 3 and 4 for one reading, one value a seed."""
        return [
            row
            for data in self.size.sets
            for setting in (VANILLA, mixcon_setting(data), unicon_setting(data))
            for row in self._column(data, setting, reading)
        ]

    def _column(self, data: str, setting: Setting, reading: Reading) -> list[Row]:
        table = "table4" if "UniCon" in setting.title else "table3"
        found = [
            _quantities(self._measured(data, setting, reading, seed), reading)
            for seed in self.options.seeds
        ]
        return [
            Row(
                group=self.size.sets[data],
                setting=setting.title,
                quantity=quantity,
                paper=paper_value(table, data, setting.title, quantity),
                ours=[each[quantity] for each in found],
                places=1 if quantity.startswith("Accuracy") else 2,
                ordered=False,
            )
            for quantity in found[0]
        ]

    def _measured(self, data: str, setting: Setting, reading: Reading, seed: int) -> dict[str, Any]:
        """Accuracy in percent, and one value a victim of each metric."""
        trained = [self.size.sets[data], setting.title, _of_model(setting, reading), seed]
        attack = {axis: reading[axis] for axis in ATTACK}
        attack["tv"] = _variation_weight(data, reading)

        def right() -> float:
            model = self._trained(data, setting, reading, seed)
            return 100 * accuracy(model, self._splits(data).test)

        def similar() -> dict[str, list[float]]:
            return self._attacked(data, setting, reading, seed, attack["tv"])

        return {
            "accuracy": self.kept.value(["accuracy", *trained], right),
            **self.kept.value([*trained, attack], similar),
        }

    def _attacked(
        self, data: str, setting: Setting, reading: Reading, seed: int, tv: float
    ) -> dict[str, list[float]]:
        splits = self._splits(data)
        model = self._trained(data, setting, reading, seed)
        order = splits.test.shuffled(torch.Generator().manual_seed(seed))
        originals = splits.test.floats(order[: self.size.victims])
        encoder = model.encoder.requires_grad_(False)
        with torch.no_grad():
            z = encoder(originals)
        found = invert(
            encoder,
            z,
            splits.test.shape,
            residual=reading["residual"],
            tv=tv,
            attacked=reading["attacked"],
            pixels=reading["pixels"],
            steps=self.size.steps,
        )
        vanilla = self._trained(data, VANILLA, START, seed).encoder
        return {
            "ssim": ssim(found, originals).tolist(),
            **psims(found, originals, splits.train, vanilla, self.size.recognizer),
        }

    def _trained(self, data: str, setting: Setting, reading: Reading, seed: int) -> SplitModel:
        axes, name = _of_model(setting, reading), self.size.sets[data]
        splits = self._splits(data)
        defense = setting.defense
        if axes.get("distances") == "as they are":
            (part,) = defense.parts
            defense = DefenseConfig((Part(part.name, {**part.settings, "normalize": False}),))
        epochs, batch = self.size.epochs[data], axes["batch"]
        if self.options.scale == "full":  # as Tables 3 and 4 have it
            epochs, batch = length(splits.train.name, epochs, batch)
        config = TrainConfig(
            data=name,
            network="lenet5",
            defense=defense,
            optimizer="sgd",
            schedule="constant",
            lr=0.01,
            epochs=epochs,
            batch_size=batch,
            ramp=axes.get("warm-up", 0),
            seed=seed,
        )
        path = self.kept.path([name, setting.title, axes, seed], "safetensors")
        if not path.is_file():
            balanced = axes.get("pairing") == "balanced batches"
            write_whole(path, save(fit(config, splits, balanced=balanced).state_dict()))
        model = build("lenet5", splits.train.shape, len(splits.train.classes))
        model.load_state_dict(load_file(path))
        return model.eval().requires_grad_(False)

    def _splits(self, data: str) -> Splits:
        return _load(self.size.sets[data], self.options.data_dir)


@lru_cache(maxsize=len(_SETS))
def _load(name: str, data_dir: Path | None) -> Splits:
    return load(name, data_dir=data_dir)


def _of_model(setting: Setting, reading: Reading) -> dict[str, Any]:
    """The axes that matter for the training of a setting: only MixCon forms pairs of classes."""
    if setting is VANILLA:
        return {"batch": reading["batch"]}
    axes = ["batch", "distances", "warm-up", *(["pairing"] if "MixCon" in setting.title else [])]
    return {axis: reading[axis] for axis in axes}


def _variation_weight(data: str, reading: Reading) -> float:
    """Zeta, of the summed total variation."""
    zeta: float = reading["zeta on SVHN"] if data == "svhn" else 1e-5
    pixels = 32 * 32 if data == "svhn" else 28 * 28
    return zeta / pixels if reading["variation"] == "averaged" else zeta


def _quantities(measured: Mapping[str, Any], reading: Reading) -> dict[str, float]:
    """What the paper's tables print, by its names."""
    plain = measured["ssim"]
    values = {
        "SSIM": plain if reading["SSIM"] == "raw" else [(value + 1) / 2 for value in plain],
        "PSIM": measured[reading["PSIM"]],
    }
    found = {"Accuracy (%)": measured["accuracy"]}
    for name, each in values.items():
        over = spread(each)
        found |= {
            f"{name}, mean": over.mean,
            f"{name}, std": over.std,
            f"{name}, worst": over.worst,
        }
    return found
