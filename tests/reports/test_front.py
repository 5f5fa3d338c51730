"""Fronts: the Pareto rule, hypervolume against Optuna's, intervals against theory."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna._hypervolume import compute_hypervolume

from mixcon.audit import AttackRecord, ModelRecord, SeparabilityRecord
from mixcon.errors import ConfigError
from mixcon.reports import excess_of, hypervolume, intervals, pareto

UNIT = st.floats(0, 1, allow_nan=False)
POINTS = st.lists(st.tuples(UNIT, UNIT), min_size=1, max_size=30)


def record(accuracy, best, floor, test_images=1000):
    apart = SeparabilityRecord(minimum=0, maximum=1, mean=0.5, normalized=True, count=10)
    attack = AttackRecord(
        attack="a", access="white-box", settings={}, seconds=0, leakage={"ssim": best}
    )
    return ModelRecord(
        name="m", data="d", network="n", cut="c", accuracy=accuracy, test_images=test_images,
        numbers_sent=1, before=None, after=apart, floors={"class-mean": {"ssim": floor}},
        attacks=[attack] if best else [],
    )  # fmt: skip


@given(POINTS)
def test_hypervolume_equals_optunas(points):
    losses = np.array([[-accuracy, excess] for accuracy, excess in points])
    expected = compute_hypervolume(losses, np.array([0.0, 1.0]))
    assert hypervolume(points) == pytest.approx(expected, abs=1e-12)


@given(POINTS)
def test_front_is_what_no_other_beats(points):
    def beaten(i):
        a, e = points[i]
        return any(x >= a and y <= e and (x, y) != (a, e) for x, y in points)

    front = pareto(points)
    assert {points[i] for i in front} == {p for i, p in enumerate(points) if not beaten(i)}
    assert len({points[i] for i in front}) == len(front)


def test_hypervolume_clips_to_the_unit_square():
    assert hypervolume([(0.8, -0.5)]) == 0.8
    assert hypervolume([(0.8, 1.5)]) == 0.0
    assert hypervolume([]) == 0.0


def test_interval_of_accuracy_is_the_binomial_one():
    accuracy, _ = intervals(record(0.9, [0.5] * 10, [0.2] * 10, test_images=10_000))
    half = 1.96 * math.sqrt(0.9 * 0.1 / 10_000)
    assert accuracy.low == pytest.approx(0.9 - half, abs=5e-4)
    assert accuracy.high == pytest.approx(0.9 + half, abs=5e-4)


def test_interval_of_excess_is_the_normal_one_for_a_fixed_floor():
    best = np.random.default_rng(1).uniform(0.3, 0.9, 400)
    model = record(0.9, best.tolist(), [0.2] * 400)
    _, excess = intervals(model)
    half = 1.96 * best.std() / math.sqrt(400) / 0.8
    middle = excess_of(model)
    assert middle == pytest.approx((best.mean() - 0.2) / 0.8)
    assert excess.low == pytest.approx(middle - half, abs=3e-3)
    assert excess.high == pytest.approx(middle + half, abs=3e-3)


def test_images_are_drawn_with_their_floor():
    """Where the floor moves with the leakage, the excess does not vary, nor does its interval."""
    floor = np.random.default_rng(1).uniform(0.1, 0.6, 200)
    _, excess = intervals(record(0.9, ((1 + floor) / 2).tolist(), floor.tolist()))
    assert excess.high - excess.low < 1e-9
    assert excess.low == pytest.approx(0.5)


def test_no_interval_without_an_attack():
    with pytest.raises(ConfigError, match="expected an attacked model"):
        intervals(record(0.9, [], [0.2]))
