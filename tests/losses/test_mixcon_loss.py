"""MixCon against an oracle of three plain loops, and the laws it must obey."""

import math

import hypothesis.strategies as st
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings

from mixcon.errors import ConfigError
from mixcon.losses import BARRIERS, Barrier, MixConLoss, mixcon_loss


def oracle(z, y, beta, eps, normalize=True, penalty=lambda d, beta: d + beta / d):
    """Eq. 1 as a reader of the paper would write it down."""
    z = z.flatten(1)
    if normalize:
        z = torch.stack([row / row.norm() for row in z])
    members = {c: [i for i, label in enumerate(y.tolist()) if label == c] for c in set(y.tolist())}
    if len(members) < 2:
        return z.sum() * 0
    p = min(len(m) for m in members.values())
    total = 0.0
    for i in range(p):
        for c1 in members:
            for c2 in members:
                if c1 != c2:
                    d = (z[members[c1][i]] - z[members[c2][i]]).square().sum().clamp(eps, 1 / eps)
                    total = total + penalty(d, beta)
    return total / (p * len(members) * (len(members) - 1))


def batch(n=24, m=(3, 2), classes=4, seed=0, dtype=torch.float64):
    g = torch.Generator().manual_seed(seed)
    z = torch.randn(n, *m, generator=g, dtype=dtype)
    return z, torch.randint(0, classes, (n,), generator=g)


batches = st.builds(
    batch,
    n=st.integers(2, 40),
    m=st.sampled_from([(1,), (7,), (2, 3, 3)]),
    classes=st.integers(1, 6),
    seed=st.integers(0, 10_000),
)


@settings(deadline=None, max_examples=60)
@given(batches, st.sampled_from([0.0, 1e-4, 0.25]), st.booleans(), st.sampled_from(list(BARRIERS)))
def test_equals_three_loops(zy, beta, normalize, name):
    z, y = zy
    eps = 0.005 if beta else 1e-6
    got = mixcon_loss(z, y, beta=beta, eps=eps, normalize=normalize, barrier=name)
    expected = oracle(z, y, beta, eps, normalize, lambda d, b: BARRIERS[name].terms(d, b)[0])
    torch.testing.assert_close(got, expected, rtol=1e-9, atol=1e-11)


@settings(deadline=None, max_examples=30)
@given(batches, st.booleans())
def test_gradient_equals_autograd_through_the_loops(zy, normalize):
    z, y = zy
    z.requires_grad_()
    (got,) = torch.autograd.grad(mixcon_loss(z, y, beta=0.04, eps=0.01, normalize=normalize), z)
    (expected,) = torch.autograd.grad(oracle(z, y, 0.04, 0.01, normalize), z)
    torch.testing.assert_close(got, expected, rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("name", BARRIERS)
def test_gradcheck(name, normalize):
    z, y = batch(n=9, m=(4,), classes=3)
    loss = MixConLoss(beta=0.25, barrier=name, normalize=normalize)
    z.requires_grad_()
    assert torch.autograd.gradcheck(lambda z: loss(z, y), z)
    assert torch.autograd.gradgradcheck(lambda z: loss(z, y), z)


def test_counts_ordered_pairs_of_distinct_classes_by_hand():
    z = torch.tensor([[0.0], [1.0], [3.0], [100.0]], dtype=torch.float64)
    y = torch.tensor([0, 1, 2, 2])  # p = 1: the fourth row takes no part
    d = [1.0, 9.0, 4.0]
    expected = sum(v + 0.01 / v for v in d) / 3
    got = mixcon_loss(z, y, beta=0.01, eps=0.01, normalize=False)
    assert got.item() == pytest.approx(expected, rel=1e-12)


@settings(deadline=None, max_examples=30)
@given(batches, st.permutations(range(6)))
def test_class_names_do_not_matter(zy, names):
    z, y = zy
    renamed = torch.tensor(names)[y]
    torch.testing.assert_close(mixcon_loss(z, y), mixcon_loss(z, renamed), rtol=1e-9, atol=1e-12)


@settings(deadline=None, max_examples=30)
@given(batches, st.floats(1e-3, 1e3))
def test_normalized_loss_ignores_scale_and_keeps_gradients_tangent(zy, scale):
    z, y = zy
    torch.testing.assert_close(mixcon_loss(scale * z, y), mixcon_loss(z, y), rtol=1e-7, atol=1e-10)
    z.requires_grad_()
    (gradient,) = torch.autograd.grad(mixcon_loss(z, y, beta=0.04), z)
    radial = (gradient * z).flatten(1).sum(1)
    torch.testing.assert_close(radial, torch.zeros_like(radial), atol=1e-9, rtol=0)


def test_moving_all_members_together_across_a_batch_keeps_pairs():
    z, _ = batch(n=12, classes=3)
    y = torch.arange(12) % 3
    shifted = torch.arange(12).roll(3)  # every class rotates by one member: the same partners
    torch.testing.assert_close(mixcon_loss(z, y), mixcon_loss(z[shifted], y[shifted]))


@pytest.mark.parametrize("labels", [[5, 5, 5], [2]])
def test_fewer_than_two_classes_cost_nothing(labels):
    z = torch.randn(len(labels), 4, requires_grad=True)
    loss = mixcon_loss(z, torch.tensor(labels))
    loss.backward()
    assert loss.item() == 0
    assert z.grad is not None
    assert not z.grad.any()


def test_equal_and_zero_representations_keep_gradients_finite():
    z = torch.zeros(6, 3)
    z[2:] = 1.0
    z.requires_grad_()
    mixcon_loss(z, torch.arange(6) % 2).backward()
    assert torch.isfinite(z.grad).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
def test_lower_precision_is_close(dtype):
    z, y = batch(n=32, m=(16,))
    low = z.to(dtype).requires_grad_()
    loss = mixcon_loss(low, y, beta=0.04)
    loss.backward()
    expected = mixcon_loss(low.detach().double(), y, beta=0.04)
    torch.testing.assert_close(loss.double(), expected, rtol=1e-5, atol=0)
    assert low.grad.dtype == dtype


def test_float32_keeps_tiny_distances_apart():
    """Contracted representations: the Gram trick without centering is off by 100 % here."""
    g = torch.Generator().manual_seed(0)
    z = F.normalize(torch.randn(1, 400, generator=g, dtype=torch.float64), dim=1)
    z = z + 1e-4 * torch.randn(20, 400, generator=g, dtype=torch.float64) / 20
    y = torch.arange(20) % 10
    z = z.float()
    kwargs = {"beta": 1e-16, "eps": 1e-10}
    torch.testing.assert_close(
        mixcon_loss(z, y, **kwargs).double(),
        mixcon_loss(z.double(), y, **kwargs),
        rtol=1e-3,
        atol=0,
    )


def test_autocast_does_not_lower_it():
    z, y = batch(n=32, m=(64,), dtype=torch.float32)
    plain = mixcon_loss(z, y)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        cast = mixcon_loss(z, y)
    assert torch.equal(plain, cast)


def test_vmap_over_representations_shares_the_batch():
    z = torch.randn(5, 24, 6, dtype=torch.float64)
    y = torch.arange(24) % 4
    loss = MixConLoss(beta=0.04)
    torch.testing.assert_close(
        torch.func.vmap(loss, (0, None))(z, y), torch.stack([loss(row, y) for row in z])
    )
    got = torch.func.vmap(torch.func.grad(loss), (0, None))(z, y)
    expected = torch.stack([torch.func.grad(loss)(row, y) for row in z])
    leaf = z.clone().requires_grad_()
    (eager,) = torch.autograd.grad(sum(loss(row, y) for row in leaf), leaf)
    torch.testing.assert_close(got, expected)
    torch.testing.assert_close(got, eager)
    (outer,) = torch.autograd.grad(torch.func.vmap(loss, (0, None))(leaf, y).sum(), leaf)
    torch.testing.assert_close(outer, eager)


def test_vmap_over_labels_too():
    z = torch.randn(5, 24, 6, dtype=torch.float64)
    y = torch.randint(0, 4, (5, 24), generator=torch.Generator().manual_seed(1))
    loss = MixConLoss(beta=0.04)
    expected = torch.stack([loss(a, b) for a, b in zip(z, y, strict=True)])
    torch.testing.assert_close(torch.func.vmap(loss)(z, y), expected)
    got = torch.func.vmap(torch.func.grad(loss))(z, y)
    leaf = z.clone().requires_grad_()
    (eager,) = torch.autograd.grad(sum(loss(a, b) for a, b in zip(leaf, y, strict=True)), leaf)
    torch.testing.assert_close(got, eager)


def test_compiles_without_a_graph_break():
    z, y = batch(n=32, m=(8,))
    loss = MixConLoss(beta=0.04)
    compiled = torch.compile(loss, fullgraph=True, backend="aot_eager")
    for labels in (y, torch.zeros_like(y)):
        a, b = z.clone().requires_grad_(), z.clone().requires_grad_()
        compiled(a, labels).backward()
        loss(b, labels).backward()
        torch.testing.assert_close(compiled(z, labels), loss(z, labels))
        torch.testing.assert_close(a.grad, b.grad)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"beta": -1e-4}, "beta >= 0"),
        ({"beta": math.nan}, "beta >= 0"),
        ({"beta": 1e-4, "eps": 1e-2}, "eps"),
        ({"beta": 1e-4, "eps": 0.5}, "eps"),
        ({"beta": 1e-4, "eps": 0.0}, "eps"),
        ({"beta": 1e4, "eps": 0.05}, "eps"),
        ({"barrier": "hinge"}, "reciprocal"),
    ],
)
def test_bad_settings_are_refused_when_made(kwargs, message):
    with pytest.raises(ConfigError, match=message):
        MixConLoss(**kwargs)


@pytest.mark.parametrize("beta", [0.0, 1e-8, 1e-4, 0.25, 1.0, 100.0])
def test_default_eps_suits_every_beta(beta):
    MixConLoss(beta=beta)


@pytest.mark.parametrize(
    ("value", "slope", "problem"),
    [
        (lambda d, b: d + b * (-d).exp(), lambda d, b: 1 - b * (-d).exp(), "lowest elsewhere"),
        (lambda d, b: d + b / d, lambda d, b: 1 + b / d**2, "derivative"),
        (lambda d, b: b**0.5 / d, lambda d, b: -(b**0.5) / d**2, "lowest elsewhere"),
        (
            lambda d, b: (d - b**0.5).square(),
            lambda d, b: 2 * (d - b**0.5),
            "finite at 0",
        ),
        (
            lambda d, b: (d / b**0.5).log().square(),
            lambda d, b: 2 * (d / b**0.5).log() / d,
            "not convex",
        ),
    ],
)
def test_unfit_barriers_are_refused(value, slope, problem):
    with pytest.raises(ConfigError, match=problem):
        MixConLoss(beta=0.01, barrier=Barrier("mine", lambda d, b: (value(d, b), slope(d, b))))


@pytest.mark.parametrize("name", BARRIERS)
@pytest.mark.parametrize("beta", [1e-8, 1e-4, 0.25])
def test_named_barriers_rest_at_the_root_of_beta(name, beta):
    d = torch.logspace(-7, 2, 20_001, dtype=torch.float64)
    lowest = d[BARRIERS[name].terms(d, beta)[0].argmin()]
    assert lowest.item() == pytest.approx(math.sqrt(beta), rel=2e-3)


@pytest.mark.parametrize(
    "labels",
    [torch.zeros(3), torch.zeros(4, dtype=torch.long), torch.zeros(3, 1, dtype=torch.long)],
)
def test_labels_that_do_not_match_are_refused(labels):
    with pytest.raises(ConfigError, match="expected integer labels"):
        mixcon_loss(torch.randn(3, 2), labels)
