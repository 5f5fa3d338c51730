"""Reports: records in, files out. The only package that draws."""

from mixcon.reports._gallery import strongest_pictures, thumbnail
from mixcon.reports.charts import distribution, trade_off
from mixcon.reports.figures import Figures, figures_of
from mixcon.reports.files import read_report, report_json, write_figures, write_report
from mixcon.reports.front import (
    Interval,
    Point,
    excess_of,
    hypervolume,
    intervals,
    metric_of,
    pareto,
    upper_excess_of,
)
from mixcon.reports.front_charts import Measured, SweepPoint, front_chart, heat_map
from mixcon.reports.headline import Excess, beside, best_attack, excess, headline
from mixcon.reports.html import look, render_html
from mixcon.reports.pictures import data_uri, grid, png
from mixcon.reports.summary import (
    Spread,
    Summary,
    headline_metric,
    spread,
    summarize,
)
from mixcon.reports.sweep_page import SweepPage, render_sweep
from mixcon.reports.tables import markdown_table, rows
from mixcon.reports.verdict import verdict
from mixcon.reports.waves import wave_form

__all__ = [
    "Excess",
    "Figures",
    "Interval",
    "Measured",
    "Point",
    "Spread",
    "Summary",
    "SweepPage",
    "SweepPoint",
    "beside",
    "best_attack",
    "data_uri",
    "distribution",
    "excess",
    "excess_of",
    "figures_of",
    "front_chart",
    "grid",
    "headline",
    "headline_metric",
    "heat_map",
    "hypervolume",
    "intervals",
    "look",
    "markdown_table",
    "metric_of",
    "pareto",
    "png",
    "read_report",
    "render_html",
    "render_sweep",
    "report_json",
    "rows",
    "spread",
    "strongest_pictures",
    "summarize",
    "thumbnail",
    "trade_off",
    "upper_excess_of",
    "verdict",
    "wave_form",
    "write_figures",
    "write_report",
]
