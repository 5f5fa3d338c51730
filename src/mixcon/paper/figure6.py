"""Figure 6: what a generative adversarial decoder makes of VGG-16's representations (D.2)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Measured, RunOptions
from mixcon.paper._pictures import draw, picture_rows
from mixcon.paper._vgg import SCALE_TEXT, SEEDS, SETTINGS, column, notes

__all__ = ["FIGURE6"]


def _measure(options: RunOptions) -> Measured:
    columns = [column(part, "figure6", setting) for setting, part in options.parts(SETTINGS)]
    return Measured(
        rows=[one.leakage_row("SSIM, mean", "ssim") for one in columns],
        notes=["The first victims of seed 0, not the best.", *notes(columns)],
        data={
            "titles": ["original", *(setting.title for setting in SETTINGS)],
            "rows": picture_rows(columns),
        },
        seconds=sum(one.seconds for one in columns),
    )


FIGURE6 = Experiment(
    name="figure6",
    title="Figure 6: reconstructions from VGG-16 on CIFAR-10",
    scales=SCALE_TEXT,
    seeds=dict.fromkeys(SEEDS, 1),
    measure=_measure,
    draw=draw,
)
