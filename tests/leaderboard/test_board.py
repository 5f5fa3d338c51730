"""Rows and hypervolume, from figures alone."""

from dataclasses import dataclass

import pytest

from mixcon.leaderboard.board import hypervolume


@dataclass
class Point:
    accuracy: float
    worst: float


@pytest.mark.parametrize(
    ("points", "area"),
    [
        ([(0.9, 0.0)], 1.0),
        ([(0.9, 0.9)], 0.1),
        ([(0.5, 0.0)], 0.5),
        ([(0.5, 0.0), (0.9, 0.5)], 0.75),
        ([(0.5, 0.0), (0.9, 0.5), (0.4, 0.2)], 0.75),  # dominated
        ([(0.9, -0.1)], 1.0),
        ([(0.05, 0.0)], 0.0),
        ([(0.9, float("inf"))], 0.0),
    ],
)
def test_hypervolume(points, area):
    rows = [Point(*point) for point in points]
    assert hypervolume(rows, best=0.9, chance=0.1) == pytest.approx(area)
