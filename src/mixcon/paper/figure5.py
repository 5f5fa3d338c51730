"""Figure 5: reconstructions from LeNet-5 trained with UniCon and with MixCon (D.1)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Findings, Job
from mixcon.paper._lenet import RAN, SEEDS, column, headline, notes, sets, within
from mixcon.paper._pictures import draw, picture_rows
from mixcon.paper._settings import VANILLA

__all__ = ["FIGURE5"]


def _measure(job: Job) -> Findings:
    found, columns = Findings(), []
    found.data = {"titles": ["original", "vanilla", "UniCon", "MixCon"], "rows": []}
    for data, part in job.parts(sets(job)):
        settings = [VANILLA, within(data), headline(data)]
        of_data = [column(p, "figure5", data, s) for s, p in part.parts(settings)]
        found.data["rows"] += picture_rows(of_data)
        for one in of_data:
            found.rows += [one.accuracy_row(), one.leakage_row("SSIM, mean", "ssim")]
            found.seconds += one.seconds
        columns += of_data
    found.notes = [
        "The first victims of seed 0, not the best; above each strip the test accuracy.",
        *notes(columns),
    ]
    return found


FIGURE5 = Experiment(
    name="figure5",
    title="Figure 5: reconstructions from LeNet-5, UniCon against MixCon",
    scales=RAN,
    seeds=dict.fromkeys(SEEDS, 1),
    measure=_measure,
    draw=draw,
)
