"""Table 5: VGG-16 on CIFAR-10 against a generative adversarial decoder (D.2)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Measured, RunOptions
from mixcon.paper._vgg import SCALE_TEXT, SEEDS, SETTINGS, column, notes

__all__ = ["TABLE5"]


def _measure(options: RunOptions) -> Measured:
    found, columns = Measured(), []
    for setting, part in options.parts(SETTINGS):
        columns.append(column(part, "table5", setting))
        found.rows += [columns[-1].accuracy_row(), *columns[-1].similarity_rows()]
        found.seconds += columns[-1].seconds
    found.notes = notes(columns)
    return found


TABLE5 = Experiment(
    name="table5",
    title="Table 5: leakage of VGG-16 on CIFAR-10 under a GAN decoder",
    scales=SCALE_TEXT,
    seeds=SEEDS,
    measure=_measure,
)
