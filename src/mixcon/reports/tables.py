"""Tables: the report's numbers as text, one row a model."""

from __future__ import annotations

import json

from mixcon.audit import AttackRecord, ModelRecord, Report
from mixcon.reports._scales import Scale, scale_of
from mixcon.reports.summary import Spread, headline_metric, summarize

__all__ = ["attack_names", "attack_rows", "markdown_table", "rows", "separability_rows"]

MISSING = "–"  # noqa: RUF001  an en dash is what stands for an empty cell in print


def attack_names(report: Report) -> list[str]:
    """Names of all attacks, in the order in which the records first mention them."""
    return list(dict.fromkeys(a.attack for model in report.models for a in model.attacks))


def rows(report: Report) -> list[dict[str, str]]:
    """The main table: column title to text, one dictionary per model, all with the same keys.

    Columns: model, accuracy, numbers sent per image, per attack the mean ± standard deviation
    over images with the worst image in parentheses, the label-only floor, and the excess of the
    strongest attack per image over that floor.

    Raises:
        ConfigError: as `summarize` and `headline_metric`.
    """
    metric = headline_metric(report)
    names = attack_names(report)
    return [_row(model, names, metric) for model in report.models]


def markdown_table(report: Report) -> str:
    """The main table (see `rows`) in GitHub's Markdown, names escaped, ending in a newline."""
    table = rows(report)
    titles = list(table[0])
    lines = [titles, [":--"] + ["--:"] * (len(titles) - 1), *(list(row.values()) for row in table)]
    return "".join(f"| {' | '.join(map(_markdown, line))} |\n" for line in lines)


def separability_rows(report: Report) -> list[dict[str, str]]:
    """Distances between representations, before → after training, one dictionary per model."""
    return [
        {
            "Model": model.name,
            "Smallest, δ_h": _change(model, "minimum"),
            "Mean": _change(model, "mean"),
            "Largest, Δ_H": _change(model, "maximum"),
            "Representations": f"{model.after.count:,}",
            "Scaled to unit norm": "yes" if model.after.normalized else "no",
        }
        for model in report.models
    ]


def attack_rows(report: Report) -> list[dict[str, str]]:
    """What was run: one dictionary per attack and settings, with the time over all models."""
    groups: dict[tuple[str, str, str], list[AttackRecord]] = {}
    for model in report.models:
        for attack in model.attacks:
            groups.setdefault((attack.attack, attack.access, _settings(attack)), []).append(attack)
    return [
        {
            "Attack": name,
            "Access": access,
            "Settings": settings or MISSING,
            "Models": str(len(group)),
            "Time": f"{sum(attack.seconds for attack in group):.1f} s",
        }
        for (name, access, settings), group in groups.items()
    ]


def _row(model: ModelRecord, names: list[str], metric: str) -> dict[str, str]:
    scale, summary = scale_of(metric), summarize(model, metric)
    return {
        "Model": model.name,
        "Accuracy": f"{100 * model.accuracy:.1f} %",
        "Numbers sent": f"{model.numbers_sent:,}",
        **{f"{scale.label}, {name}": _cell(summary.attacks.get(name), scale) for name in names},
        "Label-only floor": MISSING if summary.floor is None else scale.text(summary.floor),
        "Excess of strongest": MISSING if summary.excess is None else f"{summary.excess:z.2f}",
    }


def _cell(value: Spread | None, scale: Scale) -> str:
    if value is None:
        return MISSING
    mean, std, worst = map(scale.text, (value.mean, value.std, value.worst))
    return f"{mean} ± {std} ({worst})"


def _change(model: ModelRecord, measure: str) -> str:
    after = f"{getattr(model.after, measure):.3g}"
    return after if model.before is None else f"{getattr(model.before, measure):.3g} → {after}"


def _settings(attack: AttackRecord) -> str:
    return ", ".join(f"{name}={json.dumps(value)}" for name, value in attack.settings.items())


def _markdown(cell: str) -> str:
    escaped = " ".join(cell.split()).replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace("|", "\\|")
