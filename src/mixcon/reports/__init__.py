"""Reports: records in, files out. The only package that draws."""

from mixcon.reports.charts import distribution_chart, separability_chart, tradeoff_chart
from mixcon.reports.html import write_html

from mixcon.reports.files import read_report, write_report
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
    "distribution_chart",
    "excess",
    "grid",
    "headline_metric",
    "markdown_table",
    "png",
    "read_report",
    "rows",
    "separability_chart",
    "spread",
    "summarize",
    "tradeoff_chart",
    "verdict",
    "write_html",
    "write_report",
]
