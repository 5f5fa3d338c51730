"""Figure 3: utility and separability over all pairs (lambda, beta)."""

from __future__ import annotations

from typing import Any

from mixcon.data import load
from mixcon.errors import NonFiniteError
from mixcon.paper._experiment import SCALES, Check, Experiment, Measured, Result, RunOptions, Scale
from mixcon.paper._models import train_or_load
from mixcon.paper._settings import mixcon
from mixcon.reports.sheets import CurvePanel, curve_panels
from mixcon.training import TrainConfig

__all__ = ["FIGURE3"]

_WEIGHTS = (0.01, 0.1, 0.5, 1, 2, 5, 10, 100)
_BETAS = (1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-7, 1e-8)
# Each scale's data sets, with epochs and batch size. The part of SVHN is small and hard: LeNet-5
# needs about ten epochs in batches of 16 there to leave its start.
_SETS: dict[Scale, dict[str, tuple[int, int]]] = {
    "smoke": {"digits": (1, 16)},
    "small": {"mnist[:10000]": (5, 16)},
    "full": {"mnist": (2, 32), "fashion_mnist": (2, 32), "svhn": (20, 16)},
}
_RAN: dict[Scale, str] = {
    "smoke": "4 of the 56 pairs on digits, 1 epoch",
    "small": "all 56 pairs on the first 10,000 images of MNIST, 5 epochs in batches of 16",
    "full": "all 56 pairs on the three sets; MNIST and Fashion-MNIST 2 epochs in batches of 32, "
    "SVHN 20 in batches of 16",
}
_SWEET = 1.0  # points of accuracy below the best


def _measure(options: RunOptions) -> Measured:
    found = Measured(notes=["One model a pair; mean distance between unit-normalized h(x)."])
    corners = options.scale == "smoke"
    weights, betas = (a[:: len(a) - 1] if corners else a for a in (_WEIGHTS, _BETAS))
    lengths = _SETS[options.scale]
    sets = options.chosen(tuple(lengths))
    shown = {s: load(s, data_dir=options.data_dir).train.name for s in sets}
    grid = [(s, w, b) for s in sets for w in weights for b in betas]
    cells: list[dict[str, Any]] = []
    for (data, weight, beta), part in options.parts(grid):
        per_seed = [
            _cell(p, data, lengths[data], weight, beta, seed)
            for seed, p in part.parts(options.seeds)
        ]
        found.seconds += sum(cell.pop("seconds") for cell in per_seed)
        cells.append({"data": shown[data], "lambda": weight, "beta": beta, "seeds": per_seed})
    found.data = {"cells": cells, "weights": list(weights), "betas": list(betas)}
    found.checks = [check for data in shown.values() for check in _checks(data, cells)]
    return found


def _cell(
    options: RunOptions, data: str, length: tuple[int, int], weight: float, beta: float, seed: int
) -> dict[str, Any]:
    """Accuracy in percent and mean distance; None where training diverged."""
    epochs, batch_size = length
    config = TrainConfig(
        data=data,
        network="lenet5",
        defense=mixcon(weight, beta).defense,
        optimizer="sgd",
        schedule="constant",
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
    )
    try:
        model = train_or_load(options, config)
    except NonFiniteError:
        return {"accuracy": None, "distance": None, "seconds": 0.0}
    last = model.folder.read_metrics()[-1]
    return {
        "accuracy": 100 * last["test_accuracy"],
        "distance": last["separability"]["mean"],
        "seconds": model.seconds,
    }


def _checks(data: str, cells: list[dict[str, Any]]) -> list[Check]:
    values = {
        (c["lambda"], c["beta"]): c["seeds"][0]
        for c in cells
        if c["data"] == data and c["seeds"][0]["accuracy"] is not None
    }
    weights = sorted({w for w, _ in values})
    betas = sorted({b for _, b in values})
    light, heavy, small, large = weights[0], weights[-1], betas[0], betas[-1]
    best = max(v["accuracy"] for v in values.values())
    far = max(v["distance"] for v in values.values())
    sweet = [
        key
        for key, v in values.items()
        if v["accuracy"] >= best - _SWEET and v["distance"] < far / 2
    ]
    return [
        Check(
            claim=f"{data}: a larger lambda ({heavy:g} against {light:g}) brings representations "
            "closer together, at every beta.",
            holds=_compare(values, "distance", [((heavy, b), (light, b)) for b in betas]),
        ),
        Check(
            claim=f"{data}: a larger lambda ({heavy:g} against {light:g}) costs accuracy, at every "
            "beta.",
            holds=_compare(values, "accuracy", [((heavy, b), (light, b)) for b in betas]),
        ),
        Check(
            claim=f"{data}: a smaller beta ({small:g} against {large:g}) brings representations "
            "closer together, at every lambda.",
            holds=_compare(values, "distance", [((w, small), (w, large)) for w in weights]),
        ),
        Check(
            claim=f"{data}: a pair exists within {_SWEET:g} point of the best accuracy with less "
            "than half of the largest mean distance.",
            holds=[bool(sweet)],
            measured=f"{len(sweet)} of {len(values)} pairs do.",
        ),
    ]


def _compare(
    values: dict[tuple[float, float], dict[str, float]],
    what: str,
    pairs: list[tuple[tuple[float, float], tuple[float, float]]],
) -> list[bool]:
    """Whether the first of each pair has less; pairs with a diverged training are left out."""
    return [values[a][what] < values[b][what] for a, b in pairs if a in values and b in values]


def _draw(result: Result) -> dict[str, bytes]:
    cells, panels = result.data["cells"], []
    weights, betas = result.data["weights"], result.data["betas"]
    names = {"accuracy": "test accuracy (%)", "distance": "mean pairwise distance"}
    for data in dict.fromkeys(cell["data"] for cell in cells):
        value = {(c["lambda"], c["beta"]): c["seeds"][0] for c in cells if c["data"] == data}
        for key, name in names.items():
            curves = {f"β = {b:g}": [value[w, b][key] for w in weights] for b in betas}
            panels.append(CurvePanel(data, "λ", name, weights, curves))
    return {f"{result.name}.svg": curve_panels(panels, columns=2, title=result.ran)}


FIGURE3 = Experiment(
    name="figure3",
    title="Figure 3: accuracy and mean pairwise distance over lambda and beta",
    scales=_RAN,
    seeds=dict.fromkeys(SCALES, 1),
    measure=_measure,
    draw=_draw,
)
