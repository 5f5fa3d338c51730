"""Figures: one home for each number, a fair headline, and what withholds a verdict."""

import json

import numpy as np
import pytest
import torch
from tests.reports.report_parts import model, report_on, sound

from mixcon.audit import BitsRecord, Gallery, GuessRecord, SaturationRecord
from mixcon.reports import figures_of, headline, markdown_table, render_html, verdict, write_report
from mixcon.reports import headline as chosen
from mixcon.reports.bracket import brackets
from mixcon.reports.headline import per_image
from mixcon.reports.tables import rows


def fair(name="m", attacks=None, guesses=None, times=25, **changes):
    """A full audit; attacks and guesses by name: scores of two victims, and the auxiliary one."""
    attacks = attacks or {"a": ([0.5, 0.9], 0.6), "b": ([0.8, 0.4], 0.7)}
    guesses = guesses or {"x": ([0.1, 0.5], 0.3), "y": ([0.4, 0.1], 0.2)}
    base = sound(model(name, 0.9, **{k: v for k, (v, _) in attacks.items()}), times)
    scores = [attack.model_copy(update={"auxiliary": {"ssim": attacks[attack.attack][1]}})
              for attack in base.attacks]  # fmt: skip
    told = [GuessRecord(guess=k, leakage={"ssim": v * times}, auxiliary={"ssim": s})
            for k, (v, s) in guesses.items()]  # fmt: skip
    return base.model_copy(update={"attacks": scores, "guesses": told, **changes})


def test_attack_and_guess_are_chosen_on_their_own_samples_not_by_the_victims():
    found = headline(fair(), "ssim")  # b and x lose among the victims, 0.6 to 0.7 and 0.3 to 0.25
    assert (found.attack, found.guess) == ("b", "x")
    assert found.value == pytest.approx((0.6 - 0.3) / (1 - 0.3))


def test_an_error_is_chosen_by_the_least():
    one = fair()
    for record in (*one.attacks, *one.guesses):
        record.leakage["mse"], record.auxiliary["mse"] = (
            record.leakage.pop("ssim"),
            record.auxiliary.pop("ssim"),
        )
    found = headline(one, "mse")
    assert (found.attack, found.guess) == ("a", "y")
    assert found.value == pytest.approx((0.7 - 0.25) / (0 - 0.25))


def test_per_image_takes_as_many_guesses_as_attacks():
    more = {"x": ([0.1, 0.5], 0.3), "y": ([0.4, 0.1], 0.2), "z": ([0.9, 0.9], 0.1)}
    found = per_image(fair(guesses=more), "ssim")
    assert found.floor[:2] == (0.4, 0.5)  # z comes third
    assert found.value == pytest.approx((0.85 - 0.45) / (1 - 0.45))


def test_the_interval_is_over_pairs():
    """Where the floor moves with the leakage, the excess does not vary."""
    floor = np.random.default_rng(0).uniform(0.1, 0.6, 50)
    one = fair(attacks={"a": (((1 + floor) / 2).tolist(), 0.5)}, guesses={"x": (floor.tolist(), 0)},
               times=1)  # fmt: skip
    assert headline(one, "ssim").interval == pytest.approx((0.5, 0.5))


@pytest.mark.parametrize("lost", ["guesses", "attack", "guess"])
def test_without_own_samples_the_floor_is_that_of_earlier_versions_and_weak(lost, tmp_path):
    one = fair()
    if lost == "guesses":
        one = one.model_copy(update={"guesses": []})
    else:
        (one.attacks if lost == "attack" else one.guesses)[0].auxiliary.clear()
    figures = figures_of(report_on(one))
    (summary,) = figures.models
    assert summary.excess == pytest.approx((0.85 - 0.2) / 0.8)
    assert summary.beside is None
    assert "its floor is the class mean alone, which is too low" in summary.evidence.flaws
    vectors = Gallery(torch.rand(50, 5), torch.zeros(50).long(), ("a",))
    page = write_report(report_on(one), vectors, tmp_path)
    for text in (page.read_text(), (tmp_path / "report.md").read_text()):
        assert "Floor: the class mean alone" in text


@pytest.fixture
def counted(monkeypatch):
    calls = []
    real = chosen.__globals__["bootstrap_interval"]

    def count(*arguments, **options):
        calls.append(1)
        return real(*arguments, **options)

    monkeypatch.setitem(chosen.__globals__, "bootstrap_interval", count)
    return calls


def test_one_bootstrap_a_model_and_excess_and_one_interval_everywhere(counted, tmp_path):
    report = report_on(fair("one"), fair("two"))
    vectors = Gallery(torch.rand(50, 5), torch.zeros(50).long(), ("a",))
    write_report(report, vectors, tmp_path)
    assert len(counted) == 2 * 2
    low, high = json.loads((tmp_path / "report.json").read_text())["evidence"]["one"]["interval"]
    text = f"[{low:.2f}, {high:.2f}]"
    figures = figures_of(report)
    assert text in render_html(figures, vectors).split("Excess per image")[1]
    assert text in markdown_table(figures)
    assert text in " ".join(verdict(figures))
    assert text in rows(figures)[0]["Excess leakage"]


def calibrated(name, leakage):
    """A device that leaks so much."""
    return fair(name, attacks={"a": (leakage, 0.5)}, guesses={"x": ([0.2, 0.2], 0.2)})


@pytest.mark.parametrize(
    ("name", "leakage", "holds"),
    [("constant", [0.2, 0.2], True), ("constant", [0.3, 0.3], False), ("label", [0.21, 0.21], True),
     ("identity", [1.0, 1.0], True), ("identity", [0.7, 0.8], False)],
)  # fmt: skip
def test_a_calibration_that_is_off_withholds_the_verdict(name, leakage, holds):
    report = report_on(fair()).model_copy(update={"calibration": [calibrated(name, leakage)]})
    figures = figures_of(report)
    text = " ".join(verdict(figures))
    assert ("No verdict on m: this audit measures wrongly" in text) is not holds
    assert any("calibration is off" in f for f in figures.models[0].evidence.objections(9)) is not (
        holds
    )
    assert "| yes |" in markdown_table(figures) if holds else "| no |" in markdown_table(figures)


def test_proved_measured_and_not_known():
    bits = BitsRecord(maximal_leakage=3.0, cells=8, cell_mse=0.05, cell_ssim=0.8)
    open_end = SaturationRecord(doubling=0.1, families=0.0, saturated=False)
    figures = figures_of(report_on(fair(bits=bits, saturation=open_end)))
    proved, measured, unknown = verdict(figures)[-3:]
    assert "at most 2^3" in proved
    assert "squared error below 0.05" in proved
    assert "SSIM 0.60 by b" in measured
    assert "such may exist" in unknown
    evidence = figures.models[0].evidence
    assert (evidence.saturated, evidence.maximal_leakage) == (False, 3.0)
    assert "stronger attacks may exist" in evidence.doubts
    assert evidence.objections(1.0) == ()  # said, but no reason to close the gate
    assert "Proved: no bound." in verdict(figures_of(report_on(fair())))


def test_the_bracket_goes_from_the_guess_over_the_attack_to_the_bound():
    bits = BitsRecord(cell_ssim=0.8)
    bounded, free = brackets(figures_of(report_on(fair("p", bits=bits), fair("q"))))
    places = (bounded.floor, bounded.measured, bounded.bound)
    assert places == pytest.approx((30, 60, 80))
    assert free.bound is None
    assert "no bound" in free.words
