"""The page of a sweep: front, maps, budget and the chosen config, in one self-contained file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mixcon.audit import Environment
from mixcon.reports.front_charts import Measured, SweepPoint, front_chart, heat_map
from mixcon.reports.html import fragment, template
from mixcon.reports.seeds import over_seeds

__all__ = ["SweepPage", "render_sweep"]

_MIN_FILLED = 0.5  # share of cells that a map needs; draws from ranges hardly ever share a row


@dataclass(frozen=True)
class SweepPage:
    """What the page of a sweep shows.

    Attributes:
        title: one line.
        summary: sentences that say what was found.
        points: all trials that were trained.
        hypervolume: of the front, where selected, in [0, 1].
        budget: rows of a table, a defense each.
        failures: trial to the reason why it came to nothing.
        chosen: title of the chosen trial; empty if there is none.
        chosen_toml: its config.
        environment: where and how it was measured.
        selected_on: what trials were compared on, in words.
    """

    title: str
    summary: list[str]
    points: list[SweepPoint]
    hypervolume: float
    budget: list[dict[str, str]]
    failures: dict[str, str]
    chosen: str
    chosen_toml: str
    environment: Environment
    selected_on: str


def render_sweep(page: SweepPage) -> str:
    """The whole page: pictures, charts and scripts inside."""
    return template("sweep.html").render(
        page=page,
        front=[_row(point) for point in page.points if point.on_front or point.test],
        seeds=[_seeds(point) for point in page.points if len(point.seeds) > 1],
        pictures=[point.picture for point in page.points],
        titles=[point.title for point in page.points],
        chart=fragment("front", front_chart(page.points)) if page.points else "",
        maps=_maps(page.points),
        plotly=Markup(get_plotlyjs()),  # noqa: S704  the library's own script
    )


def _row(point: SweepPoint) -> dict[str, str]:
    accuracy, excess = point.test or (None, None)
    return {
        "Trial": point.title,
        "On the front": "yes" if point.on_front else "no",
        "Accuracy, selection": f"{100 * point.accuracy:.1f} %",
        "Excess, selection": _excess(point),
        "Accuracy, test (95 %)": _interval(accuracy, 100, "z.1f", " %"),
        "Excess, test (95 %)": _interval(excess, 1, "z.2f"),
    }


def _seeds(point: SweepPoint) -> dict[str, str]:
    attacked = [excess for _, excess in point.seeds if excess is not None]
    return {
        "Trial": point.title,
        "Seeds": str(len(point.seeds)),
        "No better than guessing": str(len(point.seeds) - len(attacked)),
        "Accuracy, test (%)": over_seeds([100 * accuracy for accuracy, _ in point.seeds], 1),
        "Excess of the others, test": over_seeds(attacked, 3) if len(attacked) > 1 else "–",  # noqa: RUF001
    }


def _excess(point: SweepPoint) -> str:
    return "–" if point.excess is None else f"{'' if point.judged else '≥ '}{point.excess:z.2f}"  # noqa: RUF001


def _interval(figure: Measured | None, scale: float, spec: str, unit: str = "") -> str:
    if figure is None:
        return "not tested"
    ends = figure.value, figure.interval.low, figure.interval.high
    value, low, high = (format(scale * end, spec) for end in ends)
    return f"{value}{unit} ({low} to {high})"


_VALUES: tuple[tuple[str, str, Callable[[SweepPoint], float | None]], ...] = (
    ("Accuracy (%)", ".1f", lambda point: 100 * point.accuracy),
    ("Mean pairwise distance", ".3f", lambda point: point.distance),
    ("Excess leakage", ".2f", lambda point: point.excess),
)


def _maps(points: Sequence[SweepPoint]) -> dict[str, list[Markup]]:
    """For every defense whose trials fill a grid over lambda and beta: three maps."""
    maps: dict[str, list[Markup]] = {}
    for defense in dict.fromkeys(point.defense for point in points):
        placed = {p.place: p for p in points if p.defense == defense and p.place}
        rows, columns = ({place[i] for place in placed} for i in (0, 1))
        cells = len(rows) * len(columns)
        if min(len(rows), len(columns)) > 1 and len(placed) >= _MIN_FILLED * cells:
            maps[defense] = [
                fragment(
                    f"map-{len(maps)}-{i}",
                    heat_map({place: of(p) for place, p in placed.items()}, title, spec),
                )
                for i, (title, spec, of) in enumerate(_VALUES)
            ]
    return maps
