"""Reports: records in, files out. The only package that draws."""

from mixcon.reports.charts import distribution, trade_off
from mixcon.reports.files import read_report, write_report
from mixcon.reports.html import render_html
from mixcon.reports.pictures import data_uri, grid, png
from mixcon.reports.summary import (
    Spread,
    Summary,
    best_attack,
    excess,
    headline_metric,
    spread,
    summarize,
)
from mixcon.reports.tables import markdown_table, rows
from mixcon.reports.verdict import verdict

__all__ = [
    "Spread",
    "Summary",
    "best_attack",
    "data_uri",
    "distribution",
    "excess",
    "grid",
    "headline_metric",
    "markdown_table",
    "png",
    "read_report",
    "render_html",
    "rows",
    "spread",
    "summarize",
    "trade_off",
    "verdict",
    "write_report",
]
