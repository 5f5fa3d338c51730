"""Figures for print: SVG and PNG files, drawn from numbers and pictures alone."""

from mixcon.reports.figures.curves import Curve, CurvePanel, curve_panels
from mixcon.reports.figures.scatter import ScatterPanel, scatter_panels

__all__ = ["Curve", "CurvePanel", "ScatterPanel", "curve_panels", "scatter_panels"]
