"""Figures for print: SVG and PNG files, drawn from numbers and pictures alone."""

from mixcon.reports.figures.curves import CurvePanel, curve_panels
from mixcon.reports.figures.lines import Line, LinePanel, line_panels
from mixcon.reports.figures.scatter import ScatterPanel, scatter_panels
from mixcon.reports.figures.sheets import Sheet, sheet_table

__all__ = [
    "CurvePanel",
    "Line",
    "LinePanel",
    "ScatterPanel",
    "Sheet",
    "curve_panels",
    "line_panels",
    "scatter_panels",
    "sheet_table",
]
