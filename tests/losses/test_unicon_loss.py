"""UniCon against plain loops."""

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from mixcon.losses import UniConLoss, unicon_loss


def oracle(z, y, normalize):
    rows = z.flatten(1)
    if normalize:
        rows = torch.stack([r / r.norm() for r in rows])
    means = []
    for c in set(y.tolist()):
        members = [i for i, label in enumerate(y.tolist()) if label == c]
        if len(members) > 1:
            total = sum((rows[i] - rows[j]).square().sum() for i in members for j in members)
            means.append(total / (len(members) * (len(members) - 1)))
    return sum(means) / len(means) if means else rows.sum() * 0


@settings(deadline=None, max_examples=50)
@given(st.integers(1, 30), st.integers(1, 5), st.integers(0, 9999), st.booleans())
def test_equals_plain_loops(n, classes, seed, normalize):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(n, 2, 3, generator=g, dtype=torch.float64, requires_grad=True)
    y = torch.randint(0, classes, (n,), generator=g)
    got, expected = unicon_loss(z, y, normalize=normalize), oracle(z, y, normalize)
    torch.testing.assert_close(got, expected)
    (a,), (b,) = (torch.autograd.grad(v, z) for v in (got, expected))
    torch.testing.assert_close(a, b)


def test_vmap_compile_and_half_precision():
    z, y = torch.randn(3, 16, 5), torch.randint(0, 3, (3, 16))
    loss = UniConLoss()
    expected = torch.stack([loss(a, b) for a, b in zip(z, y, strict=True)])
    torch.testing.assert_close(torch.func.vmap(loss)(z, y), expected)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    torch.testing.assert_close(compiled(z[0], y[0]), expected[0])
    half = loss(z[0].half(), y[0])
    torch.testing.assert_close(half, expected[0], rtol=1e-2, atol=0)


def test_zero_rows_keep_gradients_finite():
    z = torch.zeros(4, 3, requires_grad=True)
    unicon_loss(z, torch.tensor([0, 0, 1, 1])).backward()
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("labels", [[0, 1, 2], [7]])
def test_classes_of_one_member_cost_nothing(labels):
    z = torch.randn(len(labels), 3)
    assert unicon_loss(z, torch.tensor(labels)).item() == 0
