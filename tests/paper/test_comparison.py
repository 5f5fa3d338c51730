"""The comparison with the paper: which order holds, and what the tables say of it."""

import pytest
from tests.reports.report_parts import model, sound

from mixcon.audit import environment_of
from mixcon.kinds import Kind
from mixcon.paper import Check, Result, Row
from mixcon.paper._numbers import paper_value
from mixcon.paper._setting import Column, attacks_note
from mixcon.paper.markdown import comparison
from mixcon.paper.orderings import orderings


def row(setting, paper, ours, **more):
    return Row(
        group="mnist", setting=setting, quantity="SSIM, mean", paper=paper, ours=ours, **more
    )


def result(rows, checks=()):
    return Result(
        experiment="table3", title="Table 3: x", scale="full", ran="all of it", seeds=[0, 1],
        environment=environment_of("mixcon reproduce table3", 0), seconds=1.0, notes=["A note."],
        rows=rows, checks=list(checks), data={},
    )  # fmt: skip


def test_an_order_is_the_papers_for_the_mean_and_for_each_seed():
    rows = [row("vanilla", 0.64, [0.6, 0.2]), row("mixcon", 0.14, [0.1, 0.3])]
    found = orderings(rows)["mnist", "SSIM, mean"]
    assert found.paper == "vanilla > mixcon"
    assert found.holds
    assert found.seeds == [True, False]
    assert found.strongest is None


def with_psim(record):
    """PSIM of attacks and guesses, which nobody can choose by: a tenth above their SSIM."""

    def measured(found):
        psim = [value + 0.1 for value in found.leakage["ssim"]]
        return found.model_copy(update={"leakage": found.leakage | {"psim": psim}})

    attacks, guesses = map(measured, record.attacks), map(measured, record.guesses)
    update = {"attacks": [*attacks], "guesses": [*guesses], "kind": Kind.IMAGE}
    return record.model_copy(update=update)


def column(record):
    return Column("table3", "mnist", "mnist", "vanilla", [record], [], 1.0, {})


def test_the_strongest_attack_and_the_floor_are_chosen_without_the_truth():
    record = with_psim(sound(model("m", 0.9, rmle=[0.9, 0.1], decoder=[0.4, 0.4]), times=2))
    ssim, psim = (column(record).leakage_row("x", name) for name in ("ssim", "psim"))
    assert ssim.ours == ssim.strongest == [pytest.approx(0.5)]  # the best image by image is 0.65
    assert ssim.floor == [pytest.approx(0.2)]
    assert psim.strongest == [pytest.approx(0.6)]
    assert psim.floor == [pytest.approx(0.3)]
    assert "chosen by the attacker's own samples out of rmle, decoder" in attacks_note(
        column(record)
    )


def test_an_early_record_has_the_best_image_by_image():
    record = model("m", 0.9, rmle=[0.9, 0.1], decoder=[0.4, 0.4])
    assert column(record).leakage_row("x", "ssim").strongest == [pytest.approx(0.65)]
    assert "image by image" in attacks_note(column(record))


def test_the_order_under_the_strongest_attack_is_its_own():
    rows = [
        row("vanilla", 0.64, [0.6], strongest=[0.97], floor=[0.3]),
        row("mixcon", 0.14, [0.1], strongest=[0.98], floor=[0.3]),
    ]
    assert orderings(rows)["mnist", "SSIM, mean"].strongest == [False]


def test_settings_that_are_equal_in_the_paper_may_come_in_any_order():
    rows = [row("a", 0.5, [0.9]), row("b", 0.5, [0.1]), row("c", 0.9, [1.0])]
    found = orderings(rows)["mnist", "SSIM, mean"]
    assert found.paper == "c > a = b"
    assert found.pairs == [True, True]


def test_no_order_without_two_different_numbers_of_the_paper():
    assert not orderings([row("a", 0.5, [0.9]), row("b", None, [0.1])])
    assert not orderings([row("a", 0.5, [0.9]), row("b", 0.5, [0.1])])
    assert not orderings([row("a", 0.5, [1], ordered=False), row("b", 0.6, [1], ordered=False)])


def test_a_row_shows_paper_ours_spread_and_difference():
    shown = comparison(
        result([row("vanilla", 0.64, [0.5, 0.7], strongest=[0.9, 0.9], floor=[0.3, 0.3])])
    )
    assert (
        "| mnist | vanilla | SSIM, mean | 0.64 | 0.60 ± 0.14 | -0.04 | 0.90 ± 0.00 | 0.30" in shown
    )
    assert "- A note." in shown


def test_what_fails_is_shown_as_failed():
    rows = [row("vanilla", 0.1, [0.6]), row("mixcon", 0.2, [0.1])]
    checks = [Check(claim="A.", holds=[False]), Check(claim="B.", holds=[True, False])]
    shown = comparison(result(rows, checks))
    assert "| mnist SSIM, mean | mixcon > vanilla | **no** (0 of 1 seeds) |" in shown
    assert "- **Does not hold.** A." in shown
    assert "- **Holds in 1 of 2.** B." in shown


@pytest.mark.parametrize(
    ("place", "number"),
    [
        (("table1", "", "MixCon (0.1, 0.01), wider", "Test accuracy (%)"), 90.5),
        (("table3", "svhn", "MixCon (0.5, 1e-4)", "SSIM, worst"), 0.84),
        (("table5", "cifar10", "vanilla", "SSIM, worst"), 0.9418),
        (("table3", "digits", "vanilla", "SSIM, worst"), None),
    ],
)
def test_the_papers_numbers_are_found_where_the_paper_prints_them(place, number):
    assert paper_value(*place) == number
