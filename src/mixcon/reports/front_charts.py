"""Charts of a sweep: the front between accuracy and leakage, and maps over lambda and beta."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import plotly.graph_objects as go

from mixcon.reports.charts import COLORS, plain, styled
from mixcon.reports.front import Interval, pareto

__all__ = ["Measured", "SweepPoint", "front_chart", "heat_map"]


@dataclass(frozen=True)
class Measured:
    """A figure and its 95 % interval over images."""

    value: float
    interval: Interval


@dataclass(frozen=True)
class SweepPoint:
    """One trial of a sweep, as a page shows it.

    Attributes:
        title: its config in words.
        defense: what it is a trial of.
        accuracy: share of the held-out images classified correctly, in [0, 1].
        excess: excess leakage on held-out images; None if it is no better than guessing, which
            nobody attacked.
        judged: whether by the strong attacks; else `excess` is a lower bound of theirs.
        distance: mean pairwise distance of its representations.
        place: lambda and beta, where it has both.
        picture: data URI of victims over their reconstructions; empty if there is none.
        test: accuracy and excess on the test set, where it was tested.
        seeds: the same with each training seed, the first one included; no excess where it is no
            better than guessing.
        on_front: whether no other trial beats it.
    """

    title: str
    defense: str
    accuracy: float
    excess: float | None
    judged: bool
    distance: float
    place: tuple[float, float] | None = None
    picture: str = ""
    test: tuple[Measured, Measured] | None = None
    seeds: tuple[tuple[float, float | None], ...] = ()
    on_front: bool = False


def front_chart(points: Sequence[SweepPoint]) -> go.Figure:
    """Excess leakage over accuracy: a mark a trial, lower right is better.

    Filled marks were judged by the strong attacks, open ones by the cheap attack alone: they
    leak at least so much. The line joins the front. Crosses are the tested trials on the test
    set, with their intervals; small ones are the same with further training seeds. Each mark
    carries its position in `points` as custom data.
    """
    figure = go.Figure()
    defenses = list(dict.fromkeys(point.defense for point in points))
    for i, defense in enumerate(defenses):
        for judged in (True, False):
            _marks(figure, points, defense, judged, COLORS[i % len(COLORS)])
    attacked = [(p.accuracy, p.excess) for p in points if p.excess is not None]
    front = [attacked[i] for i in pareto(attacked)]
    figure.add_scatter(
        name="front",
        x=[100 * accuracy for accuracy, _ in front],
        y=[excess for _, excess in front],
        mode="lines",
        line={"color": "#555", "shape": "hv", "width": 1.5},
        hoverinfo="skip",
    )
    _tested(figure, points)
    _repeated(figure, points)
    figure.update_xaxes(title="Accuracy (%)")
    figure.update_yaxes(title="Excess leakage over the label-only floor", range=_range(points))
    return styled(figure).update_layout(height=480, hovermode="closest")


def _range(points: Sequence[SweepPoint]) -> list[float]:
    """From the floor to an exact copy, and as far beyond as any mark or whisker reaches."""
    found = [e for p in points for e in (p.excess, *(s[1] for s in p.seeds)) if e is not None]
    tested = [p.test[1] for p in points if p.test]
    ends = [end for f in tested for end in (f.value, f.interval.low, f.interval.high)]
    return [min([0.0, *found, *ends]) - 0.05, max([1.0, *found, *ends]) + 0.02]


def _marks(
    figure: go.Figure, points: Sequence[SweepPoint], defense: str, judged: bool, color: str
) -> None:
    chosen = [
        i
        for i, p in enumerate(points)
        if (p.defense, p.judged) == (defense, judged) and p.excess is not None
    ]
    if not chosen:
        return
    figure.add_scatter(
        name=plain(defense) if judged else f"{plain(defense)}, at least",
        x=[100 * points[i].accuracy for i in chosen],
        y=[points[i].excess for i in chosen],
        text=[plain(points[i].title) for i in chosen],
        customdata=chosen,
        mode="markers",
        marker={"size": 11, "color": color, "symbol": "circle" if judged else "circle-open"},
        hovertemplate="%{text}<br>%{x:.1f} % correct, excess %{y:.2f}<extra></extra>",
    )


def _tested(figure: go.Figure, points: Sequence[SweepPoint]) -> None:
    chosen = [(i, point.test) for i, point in enumerate(points) if point.test]
    if not chosen:
        return
    figure.add_scatter(
        name="on test images, 95 %",
        x=[100 * accuracy.value for _, (accuracy, _) in chosen],
        y=[excess.value for _, (_, excess) in chosen],
        error_x=_whisker([accuracy for _, (accuracy, _) in chosen], 100),
        error_y=_whisker([excess for _, (_, excess) in chosen], 1),
        text=[plain(points[i].title) for i, _ in chosen],
        customdata=[i for i, _ in chosen],
        mode="markers",
        marker={"size": 9, "color": "#222", "symbol": "x-thin", "line": {"width": 2}},
        hovertemplate="%{text}<br>on test images: %{x:.1f} % correct, excess %{y:.2f}"
        "<extra></extra>",
    )


def _repeated(figure: go.Figure, points: Sequence[SweepPoint]) -> None:
    again = [(i, s) for i, point in enumerate(points) for s in point.seeds[1:] if s[1] is not None]
    if not again:
        return
    figure.add_scatter(
        name="on test images, further seeds",
        x=[100 * accuracy for _, (accuracy, _) in again],
        y=[excess for _, (_, excess) in again],
        text=[plain(points[i].title) for i, _ in again],
        customdata=[i for i, _ in again],
        mode="markers",
        marker={"size": 4, "color": "#222", "symbol": "x-thin", "line": {"width": 1}},
        hovertemplate="%{text}<br>with another seed: %{x:.1f} % correct, excess %{y:.2f}"
        "<extra></extra>",
    )


def _whisker(figures: Sequence[Measured], scale: float) -> dict[str, object]:
    return {
        "type": "data",
        "symmetric": False,
        "array": [scale * (f.interval.high - f.value) for f in figures],
        "arrayminus": [scale * (f.value - f.interval.low) for f in figures],
        "color": "#222",
        "thickness": 1,
        "width": 3,
    }


def heat_map(
    values: Mapping[tuple[float, float], float | None], title: str, spec: str = ".3g"
) -> go.Figure:
    """A map over lambda, upwards, and beta, to the right, in equal cells, as in Figure 3.

    Args:
        values: (lambda, beta) to the value of that cell; one without a value stays empty.
        title: what the values are.
        spec: d3 format of a value.

    Source: Li et al., MixCon, Figure 3.
    """
    weights = sorted({weight for weight, _ in values})
    betas = sorted({beta for _, beta in values})
    figure = go.Figure(
        go.Heatmap(
            x=[f"{beta:g}" for beta in betas],
            y=[f"{weight:g}" for weight in weights],
            z=[[values.get((weight, beta)) for beta in betas] for weight in weights],
            colorscale="Viridis",
            texttemplate=f"%{{z:{spec}}}",
            hovertemplate=f"λ = %{{y}}, β = %{{x}}: %{{z:{spec}}}<extra></extra>",
        )
    )
    figure.update_xaxes(title="β", type="category")
    figure.update_yaxes(title="λ", type="category")
    figure = styled(figure).update_layout(title={"text": title, "font": {"size": 15}})
    return figure.update_layout(showlegend=False, margin={"t": 40})
