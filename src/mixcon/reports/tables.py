"""Tables: the report's numbers as text, one row a model."""

from __future__ import annotations

import math
from collections.abc import Sequence

from mixcon.audit import ModelRecord, Report, SecretRecord
from mixcon.metrics import Metric
from mixcon.reports.columns import Column
from mixcon.reports.figures import Figures
from mixcon.reports.headline import Excess
from mixcon.reports.seeds import over_seeds
from mixcon.reports.summary import Spread, Summary

__all__ = [
    "attack_rows",
    "calibration_rows",
    "column_rows",
    "examination_rows",
    "markdown_table",
    "metric_rows",
    "model_rows",
    "rows",
    "seed_rows",
    "separability_rows",
]

_HASH = 12  # figures of one
MISSING = "–"  # noqa: RUF001  an en dash is what stands for an empty cell in print


def rows(figures: Figures) -> list[dict[str, str]]:
    """The main table: column title to text, one dictionary per model, all with the same keys.

    Columns: model, accuracy, numbers sent per input, per attack the mean ± standard deviation
    over inputs with the worst one in parentheses, the label-only floor, the strongest attack per
    input, the headline excess and the excess per input, with 95 % bootstrap intervals.
    """
    pairs = zip(figures.report.models, figures.models, strict=True)
    return [_row(model, summary, figures) for model, summary in pairs]


def markdown_table(figures: Figures, found: Sequence[Column] = ()) -> str:
    """The main table (see `rows`) in GitHub's Markdown, names escaped, ending in a newline.

    Below it the spread over training seeds, where there are several, the calibration, the columns
    of vectors, and which models they are.
    """
    parts = rows(figures), seed_rows(figures), calibration_rows(figures), column_rows(found)
    return "\n".join(_table(part) for part in (*parts, model_rows(figures.report)) if part)


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


def model_rows(report: Report) -> list[dict[str, str]]:
    """What was attacked: one dictionary per model, with the first figures of its weights' hash."""
    return [
        {
            "Model": model.name,
            "Network": model.network,
            "Cut after": model.cut,
            "Data": model.data,
            "Weights, SHA-256": model.weights[:_HASH] or MISSING,
        }
        for model in report.models
    ]


def attack_rows(figures: Figures) -> list[dict[str, str]]:
    """What was run: one dictionary per attack and settings, with the time over all models."""
    return [
        {
            "Attack": cost.attack,
            "Access": cost.access,
            "Settings": cost.settings or MISSING,
            "Models": str(cost.models),
            "Time": f"{cost.seconds:.1f} s",
        }
        for cost in figures.costs
    ]


def seed_rows(figures: Figures) -> list[dict[str, str]]:
    """A dictionary per defense of several seeds, its figures as `over_seeds` writes them."""
    return [
        _seed_row(defense.name, defense.models, figures)
        for defense in figures.defenses
        if len(defense.models) > 1
    ]


def _seed_row(name: str, models: tuple[Summary, ...], figures: Figures) -> dict[str, str]:
    row = {
        "Defense": name,
        "Seeds": str(len(models)),
        "Accuracy (%)": over_seeds([100 * summary.accuracy for summary in models], 1),
    }
    best = [summary.best.mean for summary in models if summary.best]
    above = [summary.excess for summary in models if summary.excess is not None]
    if len(best) > 1 and len(above) > 1:
        row[f"{figures.scale.label}, strongest per {figures.thing}"] = over_seeds(best, 3)
        row["Excess leakage"] = over_seeds(above, 3)
    return row


def calibration_rows(figures: Figures) -> list[dict[str, str]]:
    """Devices of which the right excess is known, one dictionary each."""
    return [
        {
            "Calibration": each.summary.model,
            "Right excess": MISSING if each.right is None else f"{each.right:.0f}",
            "Measured": _excess(each.summary.found),
            "In order": "no" if each.is_off else "yes",
        }
        for each in figures.calibration
    ]


def column_rows(found: Sequence[Column]) -> list[dict[str, str]]:
    """The columns of vectors that come back worst and best, one dictionary each."""
    return [
        {
            "Model": each.model,
            "Attack": each.attack,
            "Column": str(each.column),
            "Error": _number(each.error),
            "Spread": _number(each.spread),
            "Error / spread": f"{each.share:z.2f}",
        }
        for each in found
    ]


def _row(model: ModelRecord, summary: Summary, figures: Figures) -> dict[str, str]:
    scale, names, thing = figures.scale, figures.attacks, figures.thing
    return {
        "Model": model.name,
        "Accuracy": f"{100 * model.accuracy:.1f} %{', at chance' * _guesses(summary)}",
        "Numbers sent": f"{model.numbers_sent:,}",
        **{f"{scale.label}, {name}": _cell(summary.attacks.get(name), scale) for name in names},
        "Label-only floor": MISSING if summary.floor is None else scale.text(summary.floor),
        f"Strongest per {thing}": _cell(summary.best, scale),
        "Excess leakage": _excess(summary.found)
        + ", attacks failed" * bool(summary.evidence and summary.evidence.failed),
        f"Excess per {thing}": _excess(summary.beside),
    }


def _excess(found: Excess | None) -> str:
    if found is None:
        return MISSING
    if found.interval is None:
        return f"{found.value:z.2f}"
    low, high = found.interval
    return f"{found.value:z.2f} [{low:z.2f}, {high:z.2f}]"


def _guesses(summary: Summary) -> bool:
    return summary.evidence is not None and summary.evidence.guesses


def metric_rows(figures: Figures) -> list[dict[str, str]]:
    """Every other metric: the best attack per input, its simple floors and the ceiling."""
    return [
        {
            "Model": each.model,
            "Metric": each.metric,
            f"Strongest per {figures.thing}": _number(each.strongest),
            "Class mean": _number(each.class_mean),
            "Nearest neighbor": _number(each.nearest),
            "Exact copy": _number(each.copy),
        }
        for each in figures.compared
    ]


def examination_rows(figures: Figures) -> list[dict[str, str]]:
    """What a thorough audit found besides: one dictionary per model and finding."""
    rows = []
    for model, summary in zip(figures.report.models, figures.models, strict=True):
        winners = ", ".join(f"{name} on {count}" for name, count in summary.winners.items())
        by = f"Strongest attack, by {figures.thing}s"
        findings = {by: winners} if winners else {}
        if model.label_leakage is not None:
            findings["Class read from z by a probe"] = f"{100 * model.label_leakage:.1f} %"
        for secret in model.secrets:
            findings[f"Secret {secret.name} read from z by a probe"] = _secret(secret)
        if model.bound is not None:
            findings["Least mean squared error of an unbiased attacker (dFIL)"] = (
                "no bound" if model.bound.mse is None else f"{model.bound.mse:.3g}"
            )
            near = model.bound.neighborhood_mse
            findings["Least mean squared error of any attacker, near these inputs (van Trees)"] = (
                "no bound" if near is None else f"{near:.3g}"
            )
        for sign in model.masking:
            shown = "yes" if sign.found else "no"
            against = f"{figures.scale.label} {sign.weaker:.2f} against {sign.stronger:.2f}"
            findings[sign.sign] = f"{shown} ({against})"
        rows += [{"Model": model.name, "Finding": k, "Result": v} for k, v in findings.items()]
    return rows


def _secret(secret: SecretRecord) -> str:
    low, high = secret.interval
    bound = f", at most {secret.most:.1%} by any attacker" if secret.most < 1 else ", no bound"
    if secret.bits is not None and secret.entropy is not None:
        bound += f" ({secret.bits:.2g} of its {secret.entropy:.2g} bits)"
    return (
        f"{secret.accuracy:.1%} [{low:.1%}, {high:.1%}]{', the probe failed' * secret.failed}; "
        f"from the class alone {secret.from_class:.1%}, blind {secret.blind:.1%}{bound}"
    )


def _number(value: float | None) -> str:
    return MISSING if value is None or not math.isfinite(value) else f"{value:z.3g}"


def _cell(value: Spread | None, scale: Metric) -> str:
    if value is None:
        return MISSING
    mean, std, worst = map(scale.text, (value.mean, value.std, value.worst))
    return f"{mean} ± {std} ({worst})"


def _change(model: ModelRecord, measure: str) -> str:
    after = f"{getattr(model.after, measure):.3g}"
    return after if model.before is None else f"{getattr(model.before, measure):.3g} → {after}"


def _markdown(cell: str) -> str:
    escaped = " ".join(cell.split()).replace("&", "&amp;").replace("<", "&lt;")
    return escaped.replace("|", "\\|")
