"""Table 4: UniCon, which pulls within a class, against MixCon, which mixes classes (D.1)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Findings, Job
from mixcon.paper._lenet import RAN, SEEDS, headline, table, within

__all__ = ["TABLE4"]


def _measure(job: Job) -> Findings:
    return table(job, "table4", lambda data: (within(data), headline(data)))


TABLE4 = Experiment(
    name="table4",
    title="Table 4: leakage of LeNet-5, UniCon against MixCon",
    scales=RAN,
    seeds=SEEDS,
    measure=_measure,
)
