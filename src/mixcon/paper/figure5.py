"""Figure 5: reconstructions from LeNet-5 trained with UniCon and with MixCon (D.1)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Findings, Job
from mixcon.paper._lenet import RAN, SEEDS, headline, pictures, within
from mixcon.paper._pictures import draw
from mixcon.paper._settings import VANILLA

__all__ = ["FIGURE5"]


def _measure(job: Job) -> Findings:
    titles = ("vanilla", "UniCon", "MixCon")
    return pictures(job, "figure5", titles, lambda d: (VANILLA, within(d), headline(d)))


FIGURE5 = Experiment(
    name="figure5",
    title="Figure 5: reconstructions from LeNet-5, UniCon against MixCon",
    scales=RAN,
    seeds=dict.fromkeys(SEEDS, 1),
    measure=_measure,
    draw=draw,
)
