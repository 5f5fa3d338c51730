"""The two sentences: what they say follows from the numbers."""

from conftest import model, report_on
from mixcon.reports import verdict


def test_a_defense_that_only_fools_the_weak_attack_is_called_out(report):
    first, second = verdict(report)
    assert "barely changes this (0.85)" in first
    assert "that the MixCon paper used it seems to help (0.60 falls to 0.38)" in first
    assert "costs 3.0 points of accuracy (98.0 % to 95.0 %)" in second
    assert "do not rely on it" in second


def test_a_defense_that_holds():
    report = report_on(
        model("vanilla", 0.98, rmle=[0.9, 0.9]), model("noise", 0.98, rmle=[0.2, 0.21])
    )
    first, second = verdict(report)
    assert "stops this (0.21, where a guess from the class alone gets 0.20)" in first
    assert "costs no accuracy" in second
    assert "a stronger one may come" in second


def test_a_defense_that_harms():
    report = report_on(model("vanilla", 0.9, rmle=[0.4]), model("odd", 0.95, rmle=[0.9]))
    first, second = verdict(report)
    assert "leaks even more (0.90)" in first
    assert "accuracy rises by 5.0 points" in second


def test_one_model_alone_and_no_attack():
    first, second = verdict(report_on(model("m", 0.9, rmle=[0.2])))
    assert "no more of the pictures than their class alone reveals from the model m" in first
    assert "90.0 % of the test inputs" in second
    unknown = model("m", 0.9).model_copy(update={"attacks": []})
    assert "nothing is known" in verdict(report_on(unknown))[0]
