"""The report as one HTML page that needs nothing else: pictures, charts and scripts inside."""

from __future__ import annotations

from functools import cache

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup
from plotly.offline import get_plotlyjs

from mixcon.audit import Gallery
from mixcon.reports._gallery import check_gallery, picture_rows
from mixcon.reports.bracket import brackets
from mixcon.reports.charts import distribution, trade_off
from mixcon.reports.columns import columns
from mixcon.reports.figures import Figures
from mixcon.reports.tables import (
    attack_rows,
    calibration_rows,
    column_rows,
    examination_rows,
    metric_rows,
    model_rows,
    rows,
    seed_rows,
    separability_rows,
)
from mixcon.reports.verdict import verdict

__all__ = ["fragment", "look", "render_html", "template"]

# The buttons are listed rather than excluded: the next version of the library may bring others
# that upload the chart, as `sendChartToCloud` does.
_OFFLINE: dict[str, object] = {
    "displaylogo": False,
    "responsive": True,
    "showSendToCloud": False,
    "modeBarButtons": [
        ["toImage"],
        ["zoom2d", "pan2d"],
        ["zoomIn2d", "zoomOut2d", "autoScale2d", "resetScale2d"],
    ],
}


def render_html(figures: Figures, gallery: Gallery) -> str:
    """The whole report as a self-contained page.

    Args:
        figures: what was measured.
        gallery: the victims and their reconstructions.

    Raises:
        ConfigError: the gallery does not belong to the report.
    """
    report = figures.report
    check_gallery(report, gallery)
    attacked = bool(figures.attacks)
    return template("report.html").render(
        report=report,
        verdict=verdict(figures),
        metric=figures.scale,
        floor_note=figures.floor_note,
        brackets=brackets(figures),
        calibration=calibration_rows(figures),
        main=rows(figures),
        seeds=seed_rows(figures),
        separability=separability_rows(report),
        models=model_rows(report),
        attacks=attack_rows(figures),
        metrics=metric_rows(figures),
        examination=examination_rows(figures),
        pictures=picture_rows(figures, gallery),
        columns=column_rows(columns(figures, gallery)),
        thing=figures.thing,
        charts=_charts(figures) if attacked else {},
        plotly=Markup(get_plotlyjs()) if attacked else "",  # noqa: S704  the library's own script
    )


@cache
def template(name: str) -> Template:
    """One of the pages in `templates`; everything put into it is escaped."""
    environment = Environment(
        loader=PackageLoader("mixcon.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)


def look() -> str:
    """The style sheet that all pages share: colors, light and dark, and plain text."""
    return template("look.css").render()


def _charts(figures: Figures) -> dict[str, Markup]:
    charts = {"trade-off": trade_off(figures), "distribution": distribution(figures)}
    return {name: fragment(name, figure) for name, figure in charts.items()}


def fragment(name: str, figure: go.Figure) -> Markup:
    """A chart as HTML that offers no way to send it anywhere.

    Plotly escapes `<` inside of its JSON, so names cannot break out of it.
    """
    text = figure.to_html(
        full_html=False,
        include_plotlyjs=False,
        div_id=name,
        default_height="400px",
        config=_OFFLINE,
    )
    return Markup(text)  # noqa: S704
