"""Table 1: utility on the synthetic set, and what a deeper or wider head does for it."""

from __future__ import annotations

from mixcon.paper._experiment import Experiment, Findings, Job, Row
from mixcon.paper._models import trained
from mixcon.paper._numbers import printed
from mixcon.paper._settings import VANILLA
from mixcon.paper._synthetic import COLLAPSED, NOTES, RAN, SEEDS, SEPARATED, config
from mixcon.training import accuracy

__all__ = ["TABLE1"]

_HEADS = {"": "mlp", ", deeper": "mlp-deeper", ", wider": "mlp-wider"}
_COLUMNS = [
    (VANILLA, ""),
    *((setting, head) for setting in (SEPARATED, COLLAPSED) for head in _HEADS),
]


def _measure(job: Job) -> Findings:
    found = Findings(notes=NOTES)
    for (setting, head), column in job.parts(_COLUMNS):
        scores = []
        for seed, part in column.parts(job.seeds):
            model = trained(part, config(setting, job.scale, seed, _HEADS[head]))
            parts = (model.data.train, model.data.test)
            found.seconds += model.seconds
            scores.append([100 * accuracy(model.model, labeled) for labeled in parts])
        for quantity, ours in zip(("Train", "Test"), zip(*scores, strict=True), strict=True):
            name = f"{quantity} accuracy (%)"
            found.rows.append(
                Row(
                    setting=setting.title + head,
                    quantity=name,
                    paper=printed("table1", "", setting.title + head, name),
                    ours=list(ours),
                    places=1,
                )
            )
    return found


TABLE1 = Experiment(
    name="table1",
    title="Table 1: data utility (accuracy) on the synthetic set",
    scales=RAN,
    seeds=SEEDS,
    measure=_measure,
)
