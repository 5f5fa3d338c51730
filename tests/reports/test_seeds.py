"""The spread over seeds, worked out on paper."""

import pytest
from tests.reports.report_parts import model, report_on, sound

from mixcon.reports import figures_of, markdown_table, verdict
from mixcon.reports.seeds import by_defense, pooled
from mixcon.reports.tables import seed_rows


def seeded(defense, seed, accuracy, ssim):
    one = model(f"{defense}, seed {seed}", accuracy, rmle=ssim)
    return one.model_copy(update={"defense": defense, "seed": seed})


REPORT = report_on(
    seeded("plain", 0, 0.98, [0.9, 0.9]),
    seeded("plain", 1, 0.96, [0.7, 0.7]),
    model("other", 0.9, rmle=[0.2, 0.6]),
)


def test_models_of_one_defense_belong_together():
    assert [len(group) for group in by_defense(REPORT).values()] == [2, 1]


def test_the_spread_is_over_seeds():
    (row,) = seed_rows(figures_of(REPORT))  # a single seed has no spread
    assert row == {
        "Defense": "plain",
        "Seeds": "2",
        "Accuracy (%)": "97.0 ± 1.4 [96.0, 98.0]",
        "SSIM, strongest per image": "0.800 ± 0.141 [0.700, 0.900]",
        "Excess leakage": "0.750 ± 0.177 [0.625, 0.875]",
    }
    assert "0.750 ± 0.177" in markdown_table(figures_of(REPORT))


def test_pooled_speaks_for_all_seeds():
    both = pooled(REPORT.models[:2])
    assert both.accuracy == pytest.approx(0.97)
    assert both.attacks[0].leakage["ssim"] == [0.9, 0.9, 0.7, 0.7]
    assert len(both.floors["class-mean"]["ssim"]) == 4
    assert pooled(REPORT.models[2:]) == REPORT.models[2]


def test_the_verdict_takes_the_seeds_of_a_defense_as_one():
    models = [sound(each) for each in REPORT.models]
    assert "97.0 % to 90.0 %" in verdict(figures_of(report_on(*models)))[1]
    alone = report_on(*models[:2])
    assert "plain (2 seeds)" in verdict(figures_of(alone))[0]
