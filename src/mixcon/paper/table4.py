"""Table 4: UniCon, which pulls within a class, against MixCon, which mixes classes (D.1)."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Findings, Job
from mixcon.paper._lenet import RAN, SEEDS, column, headline, notes, sets, within

__all__ = ["TABLE4"]


def _measure(job: Job) -> Findings:
    found, columns = Findings(), []
    pairs = [(data, s) for data in sets(job) for s in (within(data), headline(data))]
    for (data, setting), part in job.parts(pairs):
        columns.append(column(part, "table4", data, setting))
        found.rows += [columns[-1].accuracy_row(), *columns[-1].similarity_rows()]
        found.seconds += columns[-1].seconds
    found.notes = notes(columns)
    return found


TABLE4 = Experiment(
    name="table4",
    title="Table 4: leakage of LeNet-5, UniCon against MixCon",
    scales=RAN,
    seeds=SEEDS,
    measure=_measure,
)
