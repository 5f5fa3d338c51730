"""Table 1: utility on the synthetic set, and what a deeper or wider head does for it."""

from __future__ import annotations

from mixcon.data import Splits
from mixcon.errors import NonFiniteError
from mixcon.paper._experiment import Check, Experiment, Measured, Row, RunOptions
from mixcon.paper._models import train_or_load
from mixcon.paper._numbers import paper_value
from mixcon.paper._settings import VANILLA
from mixcon.paper._synthetic import COLLAPSED, NOTES, SCALE_TEXT, SEEDS, SEPARATED, config
from mixcon.training import accuracy

__all__ = ["TABLE1"]

_HEADS = {"": "", ", deeper": "-deeper", ", wider": "-wider"}
_TEST = "Test accuracy (%)"
_COLUMNS = [
    (VANILLA, ""),
    *((setting, head) for setting in (SEPARATED, COLLAPSED) for head in _HEADS),
]


def _measure(options: RunOptions) -> Measured:
    found = Measured(notes=list(NOTES))
    for (setting, head), column in options.parts(_COLUMNS):
        scores = []
        for seed, part in column.parts(options.seeds):
            what = config(setting, options.scale, seed, _HEADS[head])
            try:
                model = train_or_load(part, what)
            except NonFiniteError:
                scores.append(_always_the_first(what.load_data(options.data_dir)))
                found.notes.append(
                    f"{setting.title}{head}, seed {seed}, diverged; it counts as a network that "
                    "always says the first class."
                )
                continue
            found.seconds += model.seconds
            parts = (model.data.train, model.data.test)
            scores.append([100 * accuracy(model.model, labeled) for labeled in parts])
        for quantity, ours in zip(("Train", "Test"), zip(*scores, strict=True), strict=True):
            name = f"{quantity} accuracy (%)"
            found.rows.append(
                Row(
                    setting=setting.title + head,
                    quantity=name,
                    paper=paper_value("table1", "", setting.title + head, name),
                    ours=list(ours),
                    places=1,
                )
            )
    found.checks = _checks({(r.setting, r.quantity): r.ours for r in found.rows})
    return found


def _always_the_first(data: Splits) -> list[float]:
    return [100 * (part.labels == 0).double().mean().item() for part in (data.train, data.test)]


def _checks(ours: dict[tuple[str, str], list[float]]) -> list[Check]:
    """What the paper reads from its table."""
    default = SEPARATED.title
    claims = {
        "Beta is what keeps MixCon trainable": (default, COLLAPSED.title),
        "A deeper head makes up for some of what MixCon costs": (f"{default}, deeper", default),
        "A wider head does, too": (f"{default}, wider", default),
        "MixCon costs accuracy": (VANILLA.title, default),
    }
    return [
        Check(
            claim=f"{claim}: {more} is more often right than {less}.",
            holds=[a > b for a, b in zip(ours[more, _TEST], ours[less, _TEST], strict=True)],
            measured=f"By seed, {_list(ours[more, _TEST])} against {_list(ours[less, _TEST])} %.",
        )
        for claim, (more, less) in claims.items()
    ]


def _list(values: list[float]) -> str:
    return ", ".join(f"{value:.1f}" for value in values)


TABLE1 = Experiment(
    name="table1",
    title="Table 1: data utility (accuracy) on the synthetic set",
    scales=SCALE_TEXT,
    seeds=SEEDS,
    measure=_measure,
)
