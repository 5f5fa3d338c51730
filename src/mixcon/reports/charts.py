"""Charts: the report's numbers as Plotly figures."""

from __future__ import annotations

import html

import plotly.graph_objects as go

from mixcon.reports.figures import Figures

__all__ = ["COLORS", "distribution", "plain", "styled", "trade_off"]

COLORS = ("#3b5b92", "#c8553d", "#588157", "#8e6c8a", "#d8973c", "#4f9da6", "#7a6c5d", "#a23b72")


def trade_off(figures: Figures) -> go.Figure:
    """Utility against leakage: a point a model, lower right is better.

    Horizontally the accuracy in percent. Vertically the mean leakage of the headline's attack,
    with a whisker up to the image that leaks most; dashed, the label-only floor.
    """
    scale, figure = figures.scale, go.Figure()
    for color, summary in zip(_cycle(figures), figures.models, strict=True):
        if summary.found is None or summary.leakage is None:
            continue
        worst = abs(scale.closest(summary.found.leakage) - summary.leakage)
        whisker = {"arrayminus" if not scale.higher_leaks else "array": [worst]}
        figure.add_scatter(
            name=plain(summary.model),
            x=[100 * summary.accuracy],
            y=[summary.leakage],
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
    if figures.floor is not None:
        figure.add_hline(
            figures.floor,
            line={"dash": "dash", "color": "#777"},
            annotation={"text": "label-only floor", "font": {"color": "#808080"}},
        )
    figure.update_xaxes(title="Accuracy on test inputs (%)")
    figure.update_yaxes(title=f"{scale.label} of the best attack")
    return styled(figure)


def distribution(figures: Figures) -> go.Figure:
    """Leakage over the attacked inputs: a box an attack and model, outliers as points."""
    figure, names = go.Figure(), map(plain, figures.attacks)
    for color, model in zip(_cycle(figures), figures.report.models, strict=True):
        attacks = [(plain(a.attack), a.leakage[figures.metric]) for a in model.attacks]
        pairs = [(name, value) for name, values in attacks for value in values]
        figure.add_box(
            name=plain(model.name),
            x=[name for name, _ in pairs],
            y=[value for _, value in pairs],
            marker={"color": color, "size": 4},
            boxpoints="outliers",
        )
    figure.update_xaxes(categoryorder="array", categoryarray=[*names])
    figure.update_yaxes(title=f"{figures.scale.label} per {figures.thing}")
    return styled(figure).update_layout(boxmode="group")


def _cycle(figures: Figures) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(len(figures.models))]


def plain(text: str) -> str:
    """Text that Plotly shows as it is: it would make a link that leads out of `<a href=...>`."""
    return html.escape(text, quote=False)


def styled(figure: go.Figure) -> go.Figure:
    """The look that all charts share."""
    axes = {"gridcolor": "rgba(128,128,128,0.25)", "zerolinecolor": "rgba(128,128,128,0.5)"}
    figure.update_xaxes(axes).update_yaxes(axes)
    return figure.update_layout(
        template="plotly_white",
        height=400,
        margin={"l": 60, "r": 20, "t": 20, "b": 50},
        legend={"orientation": "h", "y": 1.02, "yanchor": "bottom"},
        showlegend=True,
        font={"family": "system-ui, sans-serif", "color": "#808080"},  # readable on light and dark
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
    )
