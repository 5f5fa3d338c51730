"""The page of a sweep: which picture stands for a trial, and that its chart shows every mark."""

import base64

import pytest
from tests.sweep.sweep_parts import record

from mixcon.data import load
from mixcon.reports import Interval, Measured, SweepPoint, front_chart
from mixcon.sweep import CHEAP, STRONG, Trial
from mixcon.sweep.judgments import fitting
from mixcon.sweep.write import _picture
from mixcon.training import TrainConfig


@pytest.mark.parametrize(("cheap", "strong", "shown"), [(0.8, 0.1, "cheap"), (0.3, 0.6, "strong")])
def test_the_picture_is_that_of_the_attack_that_won(tmp_path, cheap, strong, shown):
    for stage in ("cheap", "strong"):
        (tmp_path / f"{stage}.png").write_bytes(stage.encode())
    config = TrainConfig(data="digits", network="lenet5")
    judged = {"cheap": record([cheap] * 2), "strong": record([strong] * 2)}
    trial = Trial("t", "vanilla", config, tmp_path, **judged)
    assert base64.b64decode(_picture(trial).partition(",")[2]).decode() == shown


def test_cheap_attacks_run_beside_the_strong_ones():
    names = [attack.name for attack in fitting([*STRONG, *CHEAP], load("digits"))]
    assert len(set(names)) == len(names)
    assert {"rmle", "rmle-cheap", "decoder", "decoder-cheap", "posterior-cheap"} <= set(names)


def point(excess, tested, low, high, seed):
    test = (Measured(0.9, Interval(0.88, 0.92)), Measured(tested, Interval(low, high)))
    return SweepPoint("t", "mixcon", 0.9, excess, True, 0.5, test=test, seeds=((0.9, tested), seed))


@pytest.mark.parametrize(
    ("shown", "least", "most"),
    [
        (point(0.86, -0.23, -0.31, -0.1, (0.9, -0.2)), -0.31, 1.0),
        (point(0.5, 0.4, 0.3, 0.5, (0.9, -0.4)), -0.4, 1.0),
        (point(0.5, 1.1, 1.0, 1.3, (0.1, None)), 0.0, 1.3),
    ],
)
def test_every_mark_and_whisker_lies_inside_the_axes(shown, least, most):
    low, high = front_chart([shown]).layout.yaxis.range
    assert least - 0.1 < low < least
    assert most < high < most + 0.1
