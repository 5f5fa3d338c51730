"""Figure 2: representations of the synthetic set after the first and after the last epoch."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from mixcon.metrics import mixed_pairs
from mixcon.paper._experiment import Check, Experiment, Measured, Result, Row, RunOptions
from mixcon.paper._models import Trained, train_or_load
from mixcon.paper._settings import Setting
from mixcon.paper._synthetic import COLLAPSED, NOTES, SCALE_TEXT, SEEDS, SEPARATED, SETTINGS, config
from mixcon.reports.sheets import ScatterPanel, scatter_panels

__all__ = ["FIGURE2"]

_COLLAPSE = 0.01  # of vanilla's mean distance


def _measure(options: RunOptions) -> Measured:
    found = Measured(
        notes=[*NOTES, "The representations are those of the 200 test samples."],
        data={"panels": []},
    )
    mean: dict[tuple[str, int], list[float]] = {}
    last = config(SETTINGS[0], options.scale, 0).epochs
    for (setting, epoch), part in options.parts([(s, e) for s in SETTINGS for e in (1, last)]):
        plots = []
        for seed, seeded in part.parts(options.seeds):
            upto = config(setting, options.scale, seed).model_copy(update={"epochs": epoch})
            model = train_or_load(seeded, upto)
            plots.append(_plot(model))
            found.seconds += model.seconds
        found.data["panels"].append({"setting": setting.title, "epoch": epoch, **plots[0]})
        found.rows += _rows(setting, epoch, plots)
        mean[setting.title, epoch] = [plot["mean"] for plot in plots]
    found.checks = _checks(mean, last)
    return found


def _plot(model: Trained) -> dict[str, Any]:
    """Points and labels, and the pairs and lengths of delta_h and Delta_H (Definition 3.1)."""
    test = model.data.test
    with torch.inference_mode():
        z = model.model.represent(test.floats()).double()
    pairs = torch.combinations(torch.arange(len(z)))
    mixed = mixed_pairs(test.labels)
    nearest = pairs[_length(z, pairs).argmin()]
    farthest = mixed[_length(z, mixed).argmax()]
    return {
        "points": z.tolist(),
        "labels": test.labels.tolist(),
        "nearest": z[nearest].tolist(),
        "farthest": z[farthest].tolist(),
        "delta_h": _length(z, pairs).min().item(),
        "Delta_H": _length(z, mixed).max().item(),
        "mean": _length(z, pairs).mean().item(),
    }


def _length(z: Tensor, pairs: Tensor) -> Tensor:
    length: Tensor = (z[pairs[:, 0]] - z[pairs[:, 1]]).norm(dim=1)
    return length


def _rows(setting: Setting, epoch: int, plots: list[dict[str, Any]]) -> list[Row]:
    names = {"delta_h": "smallest distance, δ_h", "Delta_H": "largest, Δ_H", "mean": "mean"}
    return [
        Row(
            group=f"after epoch {epoch}",
            setting=setting.title,
            quantity=name,
            ours=[plot[key] for plot in plots],
            places=4,
        )
        for key, name in names.items()
    ]


def _checks(mean: dict[tuple[str, int], list[float]], last: int) -> list[Check]:
    first_vanilla, vanilla = mean["vanilla", 1], mean["vanilla", last]
    separated, collapsed = mean[SEPARATED.title, last], mean[COLLAPSED.title, last]
    return [
        Check(
            claim="Vanilla training spreads the representations out from the first to the last "
            "epoch.",
            holds=[b > a for a, b in zip(first_vanilla, vanilla, strict=True)],
        ),
        Check(
            claim=f"{SEPARATED.title} keeps them closer together than vanilla.",
            holds=[b < a for a, b in zip(vanilla, separated, strict=True)],
        ),
        Check(
            claim=f"{COLLAPSED.title} maps all of them to one point: their mean distance is below "
            f"{_COLLAPSE:.0%} of vanilla's.",
            holds=[b < _COLLAPSE * a for a, b in zip(vanilla, collapsed, strict=True)],
        ),
    ]


def _draw(result: Result) -> dict[str, bytes]:
    order = sorted(result.data["panels"], key=lambda panel: int(panel["epoch"]))
    panels = [
        ScatterPanel(
            f"{p['setting']}, E = {p['epoch']}\n$\\delta_h$ = {p['delta_h']:.2g}, "
            f"$\\Delta_H$ = {p['Delta_H']:.2g}",
            p["points"],
            p["labels"],
            tuple(p["nearest"]),
            tuple(p["farthest"]),
        )
        for p in order
    ]
    return {f"{result.name}.svg": scatter_panels(panels, columns=len(SETTINGS))}


FIGURE2 = Experiment(
    name="figure2",
    title="Figure 2: representations of the synthetic set in the plane, first and last epoch",
    scales=SCALE_TEXT,
    seeds=SEEDS,
    measure=_measure,
    draw=_draw,
)
