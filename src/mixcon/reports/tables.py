"""Tables: the report's numbers as text, one row a model."""

from __future__ import annotations

import json
import math
from statistics import fmean

from mixcon.audit import AttackRecord, ModelRecord, Report
from mixcon.reports._scales import Scale, scale_of
from mixcon.reports.seeds import seed_rows
from mixcon.reports.summary import (
    LABEL_ONLY,
    Spread,
    Summary,
    best_attack,
    headline_metric,
    summarize,
)

__all__ = [
    "attack_names",
    "attack_rows",
    "examination_rows",
    "markdown_table",
    "metric_rows",
    "rows",
    "separability_rows",
]

MISSING = "–"  # noqa: RUF001  an en dash is what stands for an empty cell in print


def attack_names(report: Report) -> list[str]:
    """Names of all attacks, in the order in which the records first mention them."""
    return list(dict.fromkeys(a.attack for model in report.models for a in model.attacks))


def rows(report: Report) -> list[dict[str, str]]:
    """The main table: column title to text, one dictionary per model, all with the same keys.

    Columns: model, accuracy, numbers sent per image, per attack the mean ± standard deviation
    over images with the worst image in parentheses, the label-only floor, the strongest attack per
    image, and its excess over that floor with a 95 % bootstrap interval over the images.

    Raises:
        ConfigError: as `summarize` and `headline_metric`.
    """
    metric = headline_metric(report)
    names = attack_names(report)
    return [_row(model, names, metric) for model in report.models]


def markdown_table(report: Report) -> str:
    """The main table (see `rows`) in GitHub's Markdown, names escaped, ending in a newline.

    Below it the spread over training seeds, where there are several.
    """
    return "\n".join(_table(part) for part in (rows(report), seed_rows(report)) if part)


def _table(rows: list[dict[str, str]]) -> str:
    titles = list(rows[0])
    lines = [titles, [":--"] + ["--:"] * (len(titles) - 1), *(list(row.values()) for row in rows)]
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
        "Accuracy": f"{100 * model.accuracy:.1f} %{', at chance' * _guesses(summary)}",
        "Numbers sent": f"{model.numbers_sent:,}",
        **{f"{scale.label}, {name}": _cell(summary.attacks.get(name), scale) for name in names},
        "Label-only floor": MISSING if summary.floor is None else scale.text(summary.floor),
        "Strongest per image": _cell(summary.best, scale),
        "Excess of strongest": _excess(summary),
    }


def _excess(summary: Summary) -> str:
    if summary.excess is None:
        return MISSING
    if summary.interval is None:
        return f"{summary.excess:z.2f}"
    low, high = summary.interval
    failed = ", attacks failed" if summary.evidence and summary.evidence.failed else ""
    return f"{summary.excess:z.2f} [{low:z.2f}, {high:z.2f}]{failed}"


def _guesses(summary: Summary) -> bool:
    return summary.evidence is not None and summary.evidence.guesses


def metric_rows(report: Report) -> list[dict[str, str]]:
    """Every other metric: the best attack per image of each model, its floor and the ceiling."""
    return [
        {
            "Model": model.name,
            "Metric": name,
            "Strongest per image": _number(fmean(best_attack(model, name))),
            "Label-only floor": _mean(model.floors.get(LABEL_ONLY, {}).get(name)),
            "Nearest neighbor": _mean(model.floors.get("nearest-neighbor", {}).get(name)),
            "Exact copy": _number(report.ceiling.get(name, math.nan)),
        }
        for model in report.models
        if model.attacks
        for name in model.attacks[0].leakage
    ]


def examination_rows(report: Report) -> list[dict[str, str]]:
    """What a thorough audit found besides: one dictionary per model and finding."""
    rows = []
    for model in report.models:
        winners = ", ".join(
            f"{name} on {count}"
            for name, count in summarize(model, headline_metric(report)).winners.items()
        )
        findings = {"Strongest attack, by images": winners} if winners else {}
        if model.label_leakage is not None:
            findings["Class read from z by a probe"] = f"{100 * model.label_leakage:.1f} %"
        if model.bound is not None:
            findings["Least mean squared error of an unbiased attacker (dFIL)"] = (
                "vacuous" if model.bound.mse is None else f"{model.bound.mse:.3g}"
            )
        for sign in model.masking:
            shown = "yes" if sign.found else "no"
            findings[sign.sign] = f"{shown} (SSIM {sign.weaker:.2f} against {sign.stronger:.2f})"
        rows += [{"Model": model.name, "Finding": k, "Result": v} for k, v in findings.items()]
    return rows


def _mean(values: list[float] | None) -> str:
    return _number(fmean(values)) if values else MISSING


def _number(value: float) -> str:
    return f"{value:z.3g}" if math.isfinite(value) else MISSING


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
