"""The meter: every metric behind one call."""

from dataclasses import replace

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.kinds import Kind
from mixcon.metrics import (
    METRICS,
    LeakageMeter,
    RecognizerDistance,
    measure,
    psim,
    recognition,
    reidentify,
)


def test_an_exact_copy_gives_the_ceiling(meter, victims):
    x, y = victims
    got = meter.measure(x, x, y)
    own = {name for name, metric in METRICS.items() if Kind.IMAGE in metric.kinds}
    assert set(got) == {*own, "psim", "recognition", "reidentification"}
    assert all(values.shape == (len(x),) for values in got.values())
    ceiling = {"mse": 0, "psnr": torch.inf, "ssim": 1, "cosine": 1, "psim": 1}
    for name, value in ceiling.items():
        torch.testing.assert_close(got[name], torch.full((len(x),), float(value)))
    assert got["reidentification"].all()
    assert got["recognition"].mean() > 0.9


def test_it_measures_what_the_metrics_measure(meter, victims):
    x, y = victims
    guess = 0.5 * x + 0.5 * x.flip(0)
    expected = measure(guess, x) | {
        "psim": psim(guess, x, RecognizerDistance(meter.recognizer)),
        "recognition": recognition(guess, y, meter.recognizer),
        "reidentification": reidentify(guess, x, meter.candidates).hit,
    }
    for name, values in meter.measure(guess, x, y).items():
        torch.testing.assert_close(values, expected[name])


def test_in_class_each_victim_hides_among_its_own_class(meter, victims):
    x, y = victims
    others = {number: meter.candidates[number :: len(y.unique())] for number in y.tolist()}
    in_class = replace(meter, same_class=others)
    guess = 0.5 * x + 0.5 * x.flip(0)
    found = in_class.measure(guess, x, y)["reidentification_in_class"]
    for place, number in enumerate(y.tolist()):
        one = slice(place, place + 1)
        torch.testing.assert_close(found[one], reidentify(guess[one], x[one], others[number]).hit)
    assert "of its own class" in in_class.notes["reidentification_in_class"]
    few = replace(meter, same_class={int(y[0]): meter.candidates})
    assert "reidentification_in_class" not in few.measure(guess, x, y)


def test_notes_say_which_network_and_how_many_candidates(meter):
    assert set(meter.notes) == {"psim", "recognition", "reidentification"}
    assert f"{len(meter.candidates) + 1:,} candidates" in meter.notes["reidentification"]
    assert "700 auxiliary images" in meter.notes["psim"]


def test_vectors_have_no_recognizer():
    x, y = torch.randn(30, 6), torch.arange(30) % 2
    meter = LeakageMeter.prepare(x, y, 2, candidates=x[20:])
    got = meter.measure(x[:5], x[:5], y[:5])
    assert set(got) == {"mse", "cosine", "reidentification"} == {"mse", "cosine", *meter.notes}
    assert got["reidentification"].all()


def test_bad_input(meter, victims):
    x, y = victims
    with pytest.raises(ConfigError, match="one label"):
        meter.measure(x, x, y[:3])
    with pytest.raises(ConfigError, match="shape"):
        meter.measure(x[:3], x, y)
