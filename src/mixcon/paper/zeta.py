"""The grid over zeta, the weight of the total variation in the paper's attack (C.2)."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mixcon.data import LabeledSet
from mixcon.metrics import ssim
from mixcon.paper._experiment import SCALES, Check, Experiment, Measured, Row, RunOptions, Scale
from mixcon.paper._kept import Kept
from mixcon.paper._lenet import SCALE_TEXT, config, mixcon_setting, sets
from mixcon.paper._models import Trained, train_or_load
from mixcon.paper._reading_attack import invert
from mixcon.paper._settings import VANILLA

__all__ = ["ZETA"]

_GRID = (0, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1)
_PAPERS = {"mnist": 1e-5, "fashion_mnist": 1e-5, "svhn": 1e-2}  # the best, it says
_RESIDUALS = {"mean": "mean squared residual", "norm": "norm as printed"}
_IMAGES: dict[Scale, int] = dict(zip(SCALES, (4, 100, 100), strict=True))
_STEPS: dict[Scale, int] = dict(zip(SCALES, (10, 500, 500), strict=True))

Found = dict[tuple[str, str, str, float], list[tuple[float, float]]]
"""Data, setting, residual and zeta to what was found of each seed's victims, and the attacker's."""


def _measure(options: RunOptions) -> Measured:
    kept, found = Kept(options.work / "zeta"), Found()
    trained, seconds = options.chosen(sets(options)), 0.0
    cells = [(data, s) for data in trained for s in (VANILLA, mixcon_setting(data))]
    for (data, setting), part in options.parts(cells):
        for seed, own in part.parts(options.seeds):
            model = train_or_load(own, config(own, data, setting, seed))
            seconds += model.seconds
            for residual in _RESIDUALS:
                for zeta in _GRID:
                    both = _kept(kept, model, options.scale, residual, zeta)
                    found.setdefault((data, setting.title, residual, zeta), []).append(both)
    return Measured(
        rows=[row for data in trained for row in _rows(data, found)],
        checks=[_check(d, r, found) for d in trained if d in _PAPERS for r in _RESIDUALS],
        notes=[
            "Mean SSIM of 100 test images under the paper's attack: unit-normalized "
            "representations, SGD at 10 for 500 steps, each image stretched to [0, 1]. The paper "
            "prints which weight was best and no figure.",
            "The total variation is summed over the pixels, as printed. *Mean squared residual* is "
            "the reading of the other tables; *norm as printed* is |h(s) - z| without a square.",
            "Which weight is best is said by training images, as an attacker would find it.",
        ],
        seconds=seconds + kept.seconds,
    )


def _kept(
    kept: Kept, model: Trained, scale: Scale, residual: str, zeta: float
) -> tuple[float, float]:
    about = [model.config.model_dump(mode="json"), scale, residual, zeta]

    def measure() -> list[float]:
        parts = (model.data.test, model.data.train)
        return [_similarity(model, part, scale, residual, zeta) for part in parts]

    victims, own = kept.value(about, measure)
    return victims, own


def _similarity(
    model: Trained, part: LabeledSet, scale: Scale, residual: str, zeta: float
) -> float:
    """Mean SSIM of images drawn by the seed of the training."""
    order = part.shuffled(torch.Generator().manual_seed(model.config.seed))
    images = part.floats(order[: _IMAGES[scale]])
    encoder = model.model.eval().encoder.requires_grad_(False)
    images = images.to(next(encoder.parameters()).device)
    options: dict[str, Any] = {"residual": residual, "tv": zeta, "steps": _STEPS[scale]}
    options |= {"attacked": "normalized", "pixels": "stretched"}
    with torch.no_grad():
        z: Tensor = encoder(images)
    return ssim(invert(encoder, z, part.shape, **options), images).mean().item()


def _rows(data: str, found: Found) -> list[Row]:
    return [
        Row(
            group=data,
            setting=f"zeta = {zeta:g}",
            quantity=f"SSIM, {setting}, {_RESIDUALS[residual]}",
            ours=[victims for victims, _ in values],
            ordered=False,
        )
        for (of, setting, residual, zeta), values in found.items()
        if of == data
    ]


def _check(data: str, residual: str, found: Found) -> Check:
    """Is the paper's weight the best on the undefended network?"""
    values = {zeta: found[data, VANILLA.title, residual, zeta] for zeta in _GRID}
    papers = _PAPERS[data]
    seeds = range(len(values[papers]))  # the best is said by the attacker's own images
    best = [max(_GRID, key=lambda zeta: values[zeta][seed][1]) for seed in seeds]
    shown = ", ".join(f"{z:g} ({values[z][seed][0]:.2f})" for seed, z in enumerate(best))
    there = ", ".join(f"{victims:.2f}" for victims, _ in values[papers])
    return Check(
        claim=f"{data}, {_RESIDUALS[residual]}: the best weight is the paper's, {papers:g}.",
        holds=[zeta == papers for zeta in best],
        measured=f"Best is {shown}; {papers:g} gets {there}.",
    )


ZETA = Experiment(
    name="zeta",
    title="C.2: the grid over zeta, the weight of the total variation",
    scales=SCALE_TEXT,
    seeds=dict.fromkeys(SCALES, 1),
    measure=_measure,
)
