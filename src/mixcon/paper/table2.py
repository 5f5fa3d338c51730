"""Table 2: inversion of the synthetic set, by mean squared error and mean cosine similarity."""

from __future__ import annotations

from functools import partial

from mixcon.paper._attacks import strong_attacks
from mixcon.paper._column import attacks_note, measure_column
from mixcon.paper._experiment import Experiment, Findings, Job
from mixcon.paper._synthetic import NOTES, RAN, SEEDS, SETTINGS, config

__all__ = ["TABLE2"]

_VICTIMS = 200  # all of the test samples


def _measure(job: Job) -> Findings:
    found = Findings()
    attacks = partial(strong_attacks, scale=job.scale)
    for setting, part in job.parts(SETTINGS):
        configs = [config(setting, job.scale, seed) for seed in job.seeds]
        column = measure_column(part, "table2", "", setting.title, configs, attacks, _VICTIMS)
        found.rows += [
            column.leakage_row("MSE", "mse"),
            column.leakage_row("MCS", "cosine", places=3),
        ]
        found.seconds += column.seconds
        found.notes = [*NOTES, attacks_note(column)]
    return found


TABLE2 = Experiment(
    name="table2",
    title="Table 2: inversion of the synthetic set",
    scales=RAN,
    seeds=SEEDS,
    measure=_measure,
)
