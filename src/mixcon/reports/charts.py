"""Charts: the report's numbers as Plotly figures."""

from __future__ import annotations

import html

import plotly.graph_objects as go

from mixcon.audit import Report
from mixcon.reports._scales import scale_of
from mixcon.reports.summary import Summary, headline_metric, summarize
from mixcon.reports.tables import attack_names

__all__ = ["COLORS", "distribution", "plain", "styled", "trade_off"]

COLORS = ("#3b5b92", "#c8553d", "#588157", "#8e6c8a", "#d8973c", "#4f9da6", "#7a6c5d", "#a23b72")


def trade_off(report: Report) -> go.Figure:
    """Utility against leakage: a point a model, lower right is better.

    Horizontally the accuracy in percent. Vertically the mean leakage of the strongest attack per
    image, with a whisker up to the image that leaks most; dashed, the label-only floor.
    """
    metric = headline_metric(report)
    scale, figure = scale_of(metric), go.Figure()
    for color, summary in zip(_cycle(report), _summaries(report, metric), strict=True):
        if summary.best is None:
            continue
        worst = abs(summary.best.worst - summary.best.mean)
        whisker = {"arrayminus" if not scale.higher_leaks else "array": [worst]}
        figure.add_scatter(
            name=plain(summary.model),
            x=[100 * summary.accuracy],
            y=[summary.best.mean],
            error_y={
                "type": "data",
                "symmetric": False,
                "array": [0],
                "arrayminus": [0],
                **whisker,
            },
            mode="markers",
            marker={"size": 13, "color": color},
            hovertemplate="%{x:.1f} % correct, leakage %{y:.2f}",
        )
    floors = [s.floor for s in _summaries(report, metric) if s.floor is not None]
    if floors:
        figure.add_hline(
            sum(floors) / len(floors),
            line={"dash": "dash", "color": "#777"},
            annotation={"text": "label-only floor", "font": {"color": "#555"}},
        )
    figure.update_xaxes(title="Accuracy on test inputs (%)")
    figure.update_yaxes(title=f"{scale.label} of the strongest attack")
    return styled(figure)


def distribution(report: Report) -> go.Figure:
    """Leakage over the attacked images: a box an attack and model, outliers as points."""
    metric = headline_metric(report)
    figure = go.Figure()
    for color, model in zip(_cycle(report), report.models, strict=True):
        pairs = [(plain(a.attack), value) for a in model.attacks for value in a.leakage[metric]]
        figure.add_box(
            name=plain(model.name),
            x=[name for name, _ in pairs],
            y=[value for _, value in pairs],
            marker={"color": color, "size": 4},
            boxpoints="outliers",
        )
    figure.update_xaxes(categoryorder="array", categoryarray=[*map(plain, attack_names(report))])
    figure.update_yaxes(title=f"{scale_of(metric).label} per image")
    return styled(figure).update_layout(boxmode="group")


def _summaries(report: Report, metric: str) -> list[Summary]:
    return [summarize(model, metric) for model in report.models]


def _cycle(report: Report) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(len(report.models))]


def plain(text: str) -> str:
    """Text that Plotly shows as it is: it would make a link that leads out of `<a href=...>`."""
    return html.escape(text, quote=False)


def styled(figure: go.Figure) -> go.Figure:
    """The look that all charts share."""
    return figure.update_layout(
        template="plotly_white",
        height=400,
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
        font={"family": "system-ui, sans-serif"},
    )
