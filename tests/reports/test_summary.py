"""Numbers behind the report, against figures worked out by hand."""

import math

import pytest
from tests.reports.report_parts import model, report_on

from mixcon.errors import ConfigError
from mixcon.reports import best_attack, excess, headline_metric, spread, summarize


def test_best_attack_is_per_image(report):
    assert best_attack(report.models[1]) == [0.9, 0.8, 0.85]


def test_best_attack_of_an_error_is_the_least():
    m = model("m", 0.9, a=[0.5, 0.1], b=[0.2, 0.3])
    for attack in m.attacks:
        attack.leakage["mse"] = attack.leakage.pop("ssim")
    assert best_attack(m, "mse") == [0.2, 0.1]
    assert spread([0.2, 0.1], "mse").worst == 0.1


def test_excess_by_hand():
    assert excess(0.6, 0.2) == pytest.approx(0.5)
    assert excess(0.1, 0.2) == pytest.approx(-0.125)
    assert excess(0.02, 0.04, perfect=0.0) == pytest.approx(0.5)
    assert excess(1.0, 1.0) == 0.0


def test_summary_by_hand(report):
    s = summarize(report.models[0])
    assert s.accuracy == 0.98
    assert s.best.mean == pytest.approx(0.9)
    assert s.best.worst == 1.0
    assert s.best.std == pytest.approx(math.sqrt(0.02 / 3))
    assert s.floor == pytest.approx(0.2)
    assert s.excess == pytest.approx(0.7 / 0.8)


def test_misuse_is_refused(report):
    with pytest.raises(ConfigError, match="at least one model"):
        headline_metric(report_on())
    with pytest.raises(ConfigError, match="NaN"):
        spread([0.1, math.nan])
    uneven = model("m", 0.9, a=[0.5, 0.1], b=[0.2])
    with pytest.raises(ConfigError, match="same images"):
        best_attack(uneven)
    bare = model("m", 0.9, a=[0.5])
    bare.floors.clear()
    with pytest.raises(ConfigError, match="floor 'class-mean'"):
        summarize(bare)
