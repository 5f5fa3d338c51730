"""Table 2: inversion of the synthetic set, by mean squared error and mean cosine similarity."""

from __future__ import annotations

from mixcon.attacks import RmlePaperVector
from mixcon.paper._attacks import attacked, leakage_row, strong_attacks
from mixcon.paper._experiment import Experiment, Findings, Job
from mixcon.paper._models import trained
from mixcon.paper._synthetic import NOTES, RAN, SEEDS, SETTINGS, config

__all__ = ["TABLE2"]


def _measure(job: Job) -> Findings:
    found = Findings(notes=[*NOTES, "All 200 test samples are attacked."])
    for setting, column in job.parts(SETTINGS):
        records = []
        for seed, part in column.parts(job.seeds):
            model = trained(part, config(setting, job.scale, seed))
            attacks = strong_attacks(model.data, job.scale)
            records.append(attacked(part, model, attacks, victims=len(model.data.test))[0])
        for quantity, metric, places in (("MSE", "mse", 2), ("MCS", "cosine", 3)):
            name = RmlePaperVector.name
            found.rows.append(
                leakage_row(
                    "table2", "", setting.title, quantity, records, name, metric, places=places
                )
            )
    return found


TABLE2 = Experiment(
    name="table2",
    title="Table 2: inversion of the synthetic set",
    scales=RAN,
    seeds=SEEDS,
    measure=_measure,
)
