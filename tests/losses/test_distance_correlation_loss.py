"""Distance correlation against the definition, written with NumPy loops."""

import numpy as np
import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.losses import DistanceCorrelationLoss, distance_correlation


def oracle(a, b, squared):
    def centered(v):
        n = len(v)
        d = np.array([[np.linalg.norm(v[i] - v[j]) for j in range(n)] for i in range(n)])
        d = d**2 if squared else d
        return d - d.mean(0, keepdims=True) - d.mean(1, keepdims=True) + d.mean()

    x, y = centered(a), centered(b)
    return np.sqrt((x * y).mean() / np.sqrt((x * x).mean() * (y * y).mean()))


@pytest.mark.parametrize("squared", [False, True])
def test_equals_the_definition(squared):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(20, 6))
    z = np.tanh(x[:, :3]) + 0.3 * rng.normal(size=(20, 3))
    got = distance_correlation(torch.tensor(z), torch.tensor(x), squared=squared)
    assert got.item() == pytest.approx(oracle(z, x, squared), rel=1e-12)


def test_is_one_for_a_rotated_scaled_shifted_copy_and_small_for_noise():
    g = torch.Generator().manual_seed(0)
    x = torch.randn(300, 3, generator=g, dtype=torch.float64)
    q, _ = torch.linalg.qr(torch.randn(3, 3, generator=g, dtype=torch.float64))
    assert distance_correlation(2 * x @ q + 5, x).item() == pytest.approx(1)
    assert distance_correlation(torch.randn(300, 3, generator=g).double(), x).item() < 0.25


@pytest.mark.parametrize("squared", [False, True])
def test_gradcheck(squared):
    z = torch.randn(7, 3, dtype=torch.float64, requires_grad=True)
    x = torch.randn(7, 4, dtype=torch.float64)
    loss = DistanceCorrelationLoss(squared=squared)
    assert torch.autograd.gradcheck(lambda z: loss(z, x), z)


def test_constant_representations_give_zero_and_no_gradient():
    z = torch.ones(5, 3, requires_grad=True)
    loss = distance_correlation(z, torch.randn(5, 3))
    loss.backward()
    assert loss.item() == 0
    assert not z.grad.any()


def test_vmap_compile_and_half_precision():
    z, x = torch.randn(3, 8, 5), torch.randn(3, 8, 2, 2)
    loss = DistanceCorrelationLoss()
    expected = torch.stack([loss(a, b) for a, b in zip(z, x, strict=True)])
    torch.testing.assert_close(torch.func.vmap(loss)(z, x), expected)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(z[0], x[0]), expected[0])
    torch.testing.assert_close(loss(z[0].half(), x[0]), expected[0], rtol=1e-2, atol=0)


def test_lengths_must_agree():
    with pytest.raises(ConfigError, match="as many inputs"):
        distance_correlation(torch.randn(3, 2), torch.randn(4, 2))
