"""The device's noise: the right distribution, fresh at each call, from the secure source."""

import os

import numpy as np
import pytest
from scipy import stats

from mixcon.serving import EdgeClient, noise
from mixcon.serving.contract import NoiseInput
from mixcon.serving.noise import draw

MANY = (400, 500)
EXPECTED = {
    "normal": stats.norm(),
    "laplace": stats.laplace(),
    "uniform": stats.uniform(),
}


@pytest.fixture
def repeatable(monkeypatch):
    """Random bytes of a seeded generator in place of the system's, so that no test is flaky."""
    generator = np.random.default_rng(0)
    monkeypatch.setattr(noise.os, "urandom", generator.bytes)


@pytest.mark.parametrize("distribution", EXPECTED)
@pytest.mark.usefixtures("repeatable")
def test_the_distribution_is_what_it_is_called(distribution):
    drawn = draw(NoiseInput(name="n", distribution=distribution), MANY)
    assert drawn.shape == MANY
    assert drawn.dtype == np.float32
    expected = EXPECTED[distribution]
    assert drawn.mean() == pytest.approx(expected.mean(), abs=0.01)
    assert drawn.std() == pytest.approx(expected.std(), rel=0.01)
    assert stats.kstest(drawn.ravel(), expected.cdf).pvalue > 0.01


@pytest.mark.parametrize("distribution", EXPECTED)
@pytest.mark.usefixtures("repeatable")
def test_numbers_and_calls_are_independent(distribution):
    spec = NoiseInput(name="n", distribution=distribution)
    first, second = draw(spec, MANY), draw(spec, MANY)
    for a, b in [(first, second), (first[:, :-1], first[:, 1:]), (first[:-1], first[1:])]:
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) < 0.01


def test_it_comes_from_the_operating_system(monkeypatch):
    asked = []
    real = os.urandom
    monkeypatch.setattr(noise.os, "urandom", lambda count: asked.append(count) or real(count))
    draw(NoiseInput(name="n", distribution="normal"), (3, 4))
    assert sum(asked) == 8 * 2 * 12


def test_the_same_image_leaves_differently_each_time(noisy, noisy_export, trust, digits):
    x = np.repeat(digits.test.floats(slice(1)).numpy(), 500, axis=0)
    client = EdgeClient(noisy_export.folder / "edge", "http://127.0.0.1:9", trust=trust)
    z = client.encode(x).reshape(500, -1)
    client.close()
    raw = noisy.channel[0](noisy.represent(digits.test.floats(slice(1)))).detach().numpy()
    noise_only = z - raw.reshape(1, -1)
    assert not np.array_equal(z[0], z[1])
    assert noise_only.std() == pytest.approx(0.05, rel=0.05)
    assert abs(noise_only.mean()) < 0.002
    assert abs(np.corrcoef(noise_only[0::2].ravel(), noise_only[1::2].ravel())[0, 1]) < 0.02
