"""Figures for print: SVG and PNG files, drawn from numbers and pictures alone."""

from mixcon.reports.figures.scatter import ScatterPanel, scatter_panels

__all__ = ["ScatterPanel", "scatter_panels"]
