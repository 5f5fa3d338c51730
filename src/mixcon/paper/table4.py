"""Table 4: UniCon, which pulls within a class, against MixCon, which mixes classes (D.1)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Measured, RunOptions
from mixcon.paper._lenet import SCALE_TEXT, SEEDS, mixcon_setting, table, unicon_setting

__all__ = ["TABLE4"]


def _measure(options: RunOptions) -> Measured:
    return table(options, "table4", lambda data: (unicon_setting(data), mixcon_setting(data)))


TABLE4 = Experiment(
    name="table4",
    title="Table 4: leakage of LeNet-5, UniCon against MixCon",
    scales=SCALE_TEXT,
    seeds=SEEDS,
    measure=_measure,
)
