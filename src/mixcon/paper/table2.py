"""Table 2: inversion of the synthetic set, by mean squared error and mean cosine similarity."""

from __future__ import annotations

from functools import partial

from mixcon.paper._attacks import strong_attacks
from mixcon.paper._experiment import Experiment, Measured, RunOptions
from mixcon.paper._setting import attacks_note, measure_column
from mixcon.paper._synthetic import NOTES, SCALE_TEXT, SEEDS, SETTINGS, config

__all__ = ["TABLE2"]

_VICTIMS = 200  # all of the test samples


def _measure(options: RunOptions) -> Measured:
    found = Measured()
    attacks = partial(strong_attacks, scale=options.scale)
    for setting, part in options.parts(SETTINGS):
        configs = [config(setting, options.scale, seed) for seed in options.seeds]
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
    scales=SCALE_TEXT,
    seeds=SEEDS,
    measure=_measure,
)
