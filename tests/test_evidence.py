"""Evidence: every way in which an audit says too little, and the limit that a gate asks for."""

import math

import pytest

from mixcon.errors import ConfigError
from mixcon.evidence import Evidence

FULL = {
    "attacks": ("rmle", "decoder"), "victims": 100, "metric": "ssim", "leakage": 0.4, "floor": 0.2,
    "excess": 0.25, "accuracy": 0.97, "interval": (0.2, 0.29), "thorough": True, "budget": 1.0,
    "missing": (), "chance": 0.11, "guess": "class-ssim",
}  # fmt: skip


def evidence(**changes):
    return Evidence(**{**FULL, **changes})


def test_a_full_audit_is_a_proof():
    assert evidence().doubts == ()
    assert evidence().objections(0.3) == ()
    assert evidence(budget=2.0, victims=50).doubts == ()


def test_the_upper_end_of_the_interval_decides():
    assert evidence(excess=0.25, interval=(0.2, 0.3)).objections(0.3) == ()
    (objection,) = evidence(excess=0.25, interval=(0.2, 0.301)).objections(0.3)
    assert "may be 0.301, the upper end of the 95 % interval around 0.250" in objection


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"victims": 49}, "attacked 49 inputs, and 50 are the least"),
        ({"thorough": False}, "--quick"),
        ({"thorough": None}, "does not say how hard it tried"),
        ({"budget": None}, "does not say how hard it tried"),
        ({"budget": 0.5}, "got 0.5 of their steps"),
        ({"budget": math.nan}, "got nan of their steps"),
        ({"missing": ("decoder",)}, "left out decoder"),
        ({"interval": (-0.4, -0.11), "excess": -0.2}, "its attacks failed"),
        ({"accuracy": 0.11}, "at chance"),
        ({"excess": math.nan}, "not finite"),
        ({"interval": (math.nan, math.nan)}, "not finite"),
        ({"leakage": math.inf}, "not finite"),
    ],
)
def test_whatever_says_too_little_closes_the_gate(changes, reason):
    weak = evidence(**changes)
    assert any(reason in doubt for doubt in weak.doubts)
    assert any(reason in objection for objection in weak.objections(1e9))


def test_an_unlucky_guess_is_no_failure_of_the_attacks():
    assert not evidence(excess=-0.04, interval=(-0.07, -0.02)).failed
    assert evidence(excess=-0.04, interval=(-0.055, -0.025)).failed
    assert not evidence(excess=-0.2, interval=(-0.4, -0.07)).failed  # few inputs, much chance


def test_naming_inputs_is_judged_by_the_same_limit_unless_it_is_chance():
    named = evidence(named=0.43, named_interval=(0.28, 0.57))
    (objection,) = named.objections(0.3)
    assert "may name 0.570 of the inputs among others of their class" in objection
    assert named.objections(0.6) == ()
    assert evidence(named=0.1, named_interval=(0.0, 0.4)).objections(0.3) == ()
    assert evidence(named=None).objections(0.3) == ()


def test_without_an_interval_the_excess_itself_is_compared_and_the_victims_are_missed():
    alone = evidence(interval=None, victims=1)
    assert len(alone.objections(0.2)) == 2
    assert len(alone.objections(0.3)) == 1


@pytest.mark.parametrize("limit", [math.nan, math.inf, -math.inf])
def test_a_limit_that_nothing_is_above_is_refused(limit):
    with pytest.raises(ConfigError, match="finite number"):
        evidence().objections(limit)


def test_accuracy_above_chance_is_no_guess():
    assert not evidence(accuracy=0.111).guesses
    assert not evidence(chance=None).guesses
