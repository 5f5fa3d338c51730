"""Sheets for print: SVG and PNG files, drawn from numbers and pictures alone."""

from mixcon.reports.sheets.bars import grouped_bars
from mixcon.reports.sheets.curves import CurvePanel, curve_panels
from mixcon.reports.sheets.fronts import FrontPanel, FrontPoint, front_panels
from mixcon.reports.sheets.lines import Line, LinePanel, line_panels
from mixcon.reports.sheets.scatter import ScatterPanel, scatter_panels
from mixcon.reports.sheets.tables import Sheet, sheet_table

__all__ = [
    "CurvePanel",
    "FrontPanel",
    "FrontPoint",
    "Line",
    "LinePanel",
    "ScatterPanel",
    "Sheet",
    "curve_panels",
    "front_panels",
    "grouped_bars",
    "line_panels",
    "scatter_panels",
    "sheet_table",
]
