"""Figure 4: reconstructions from LeNet-5 under the paper's settings."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Measured, RunOptions
from mixcon.paper._lenet import SCALE_TEXT, SEEDS, pictures
from mixcon.paper._pictures import draw
from mixcon.paper._settings import VANILLA, mixcon

__all__ = ["FIGURE4"]

# The paper's columns c3 to c5 share lambda, c3 and c6 to c8 share beta. Its text names (1, 1e-7),
# (10, 1e-2) and (100, 1e-2); the others are read from that pattern.
_PAIRS = ((1, 1e-2), (1, 1e-4), (1, 1e-7), (5, 1e-2), (10, 1e-2), (100, 1e-2))


def _measure(options: RunOptions) -> Measured:
    settings = [VANILLA, *(mixcon(weight, beta) for weight, beta in _PAIRS)]
    found = pictures(options, "figure4", [s.title for s in settings], lambda _: settings)
    found.notes.insert(
        1,
        "The paper's text names three of its six MixCon settings; the others are read from the "
        "pattern that it describes.",
    )
    return found


FIGURE4 = Experiment(
    name="figure4",
    title="Figure 4: reconstructions from LeNet-5, vanilla and six settings of MixCon",
    scales=SCALE_TEXT,
    seeds=dict.fromkeys(SEEDS, 1),
    measure=_measure,
    draw=draw,
)
