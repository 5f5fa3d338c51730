"""Rows and hypervolume, from figures alone."""

from dataclasses import dataclass

import pytest

from mixcon.leaderboard.board import hypervolume, sweet_spot


@dataclass
class Point:
    accuracy: float
    worst: float
    lost: float | None = None


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


def test_the_sweet_spot_leaks_least_of_what_loses_at_most_a_point():
    rows = [Point(0.9, 0.9, 0.0), Point(0.89, 0.3, 1.04), Point(0.89, 0.2, 1.06), Point(0.9, 0.1)]
    assert sweet_spot(rows) is rows[1]
    assert sweet_spot(rows[2:]) is None
