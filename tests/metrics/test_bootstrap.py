"""Bootstrap intervals against SciPy."""

import numpy as np
import pytest
import scipy.stats

from mixcon.errors import ConfigError
from mixcon.metrics import bootstrap_interval


def excess(best, floor):
    return (best.mean(-1) - floor.mean(-1)) / (1 - floor.mean(-1))


@pytest.fixture
def pairs():
    rng = np.random.default_rng(0)
    floor = rng.beta(3, 7, 100)
    return floor + 0.5 * (1 - floor) * rng.beta(4, 2, 100), floor


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_equals_scipy(pairs, level):
    expected = scipy.stats.bootstrap(
        pairs,
        lambda a, b, axis: excess(a, b),
        paired=True,
        vectorized=True,
        confidence_level=level,
        n_resamples=20_000,
        method="percentile",
        rng=1,
    ).confidence_interval
    got = bootstrap_interval(excess, *pairs, level=level, resamples=20_000)
    assert got == pytest.approx(tuple(expected), abs=0.002)
    assert got[0] < excess(*pairs) < got[1]


def test_pairs_stay_together(pairs):
    low, high = bootstrap_interval(lambda a, b: (a - b).mean(-1), pairs[0], pairs[0] - 0.25)
    assert (low, high) == pytest.approx((0.25, 0.25))


def test_a_seed_fixes_it_and_chunks_do_not_show(pairs, monkeypatch):
    once = bootstrap_interval(excess, *pairs, seed=5)
    assert bootstrap_interval(excess, *pairs, seed=5) == once
    assert bootstrap_interval(excess, *pairs, seed=6) != once
    monkeypatch.setattr("mixcon.metrics.bootstrap._DRAWS", 7 * 100 + 3)
    assert bootstrap_interval(excess, *pairs, seed=5) == once


def test_it_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(0)
    samples = rng.normal(size=(400, 50))
    intervals = [bootstrap_interval(lambda x: x.mean(-1), s, resamples=400) for s in samples]
    covered = np.mean([low <= 0 <= high for low, high in intervals])
    assert covered == pytest.approx(0.95, abs=0.04)


def test_bad_input():
    for columns, match in (
        (([],), "1 or more"),
        ((), "1 or more"),
        (([1, 2], [1]), "one length"),
        (([1, np.nan],), "finite"),
    ):
        with pytest.raises(ConfigError, match=match):
            bootstrap_interval(excess, *columns)
    with pytest.raises(ConfigError, match="level"):
        bootstrap_interval(excess, [1], [1], level=1.0)
