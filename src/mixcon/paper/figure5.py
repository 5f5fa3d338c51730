"""Figure 5: reconstructions from LeNet-5 trained with UniCon and with MixCon (D.1)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Measured, RunOptions
from mixcon.paper._lenet import SCALE_TEXT, SEEDS, mixcon_setting, pictures, unicon_setting
from mixcon.paper._pictures import draw
from mixcon.paper._settings import VANILLA

__all__ = ["FIGURE5"]


def _measure(options: RunOptions) -> Measured:
    titles = ("vanilla", "UniCon", "MixCon")
    return pictures(
        options, "figure5", titles, lambda d: (VANILLA, unicon_setting(d), mixcon_setting(d))
    )


FIGURE5 = Experiment(
    name="figure5",
    title="Figure 5: reconstructions from LeNet-5, UniCon against MixCon",
    scales=SCALE_TEXT,
    seeds=dict.fromkeys(SEEDS, 1),
    measure=_measure,
    draw=draw,
)
