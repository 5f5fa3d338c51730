"""NaN, infinity and extreme scales: no loss may hide them behind a finite number."""

import math

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.losses import BARRIERS, LOSSES, MixConLoss, mixcon_loss

CASES = {
    **{name: kind() for name, kind in LOSSES.items()},
    "mixcon, plain": LOSSES["mixcon"](normalize=False),
    "unicon, plain": LOSSES["unicon"](normalize=False),
    "nopeek, squared": LOSSES["nopeek"](squared=True),
}
LABELS = torch.tensor([0, 0, 0, 1, 1, 2, 3, 3])  # mixcon pairs one member of each class
SCALES = {  # the exponents of ten that a type holds, with a margin for a sum of numbers
    torch.float16: range(-3, 4),
    torch.bfloat16: range(-38, 37),
    torch.float32: range(-44, 37),
    torch.float64: range(-320, 307, 3),
}


@pytest.fixture(params=CASES)
def case(request):
    return request.param


def representations(dtype=torch.float64):
    return torch.randn(8, 5, generator=torch.Generator().manual_seed(0), dtype=dtype)


def against(loss, dtype=torch.float64):
    return LABELS if loss.against == "labels" else representations(dtype)[:, :3].square()


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_one_bad_number_makes_the_loss_nan(case, bad):
    loss = CASES[case]
    for row in range(8):
        z = representations()
        z[row, 1] = bad
        assert loss(z, against(loss)).isnan(), row
        vmapped = torch.func.vmap(loss, (0, None))(z[None], against(loss))
        assert vmapped.isnan().all(), row


@pytest.mark.parametrize("labels", [[0] * 8, list(range(8))], ids=["one class", "no two alike"])
@pytest.mark.parametrize("name", [name for name in CASES if "nopeek" not in name])
def test_bad_numbers_show_where_the_labels_make_no_pair(name, labels):
    z = representations()
    z[3, 1] = math.nan
    assert CASES[name](z, torch.tensor(labels)).isnan()


def test_bad_inputs_show_too():
    x = representations()
    x[2, 0] = math.nan
    assert LOSSES["nopeek"]()(representations(), x).isnan()


@pytest.mark.parametrize("dtype", SCALES, ids=str)
def test_a_finite_loss_has_a_finite_gradient_at_every_scale(case, dtype):
    loss = CASES[case]
    for exponent in SCALES[dtype]:
        z = (representations() * 10.0**exponent).to(dtype).requires_grad_()
        value = loss(z, against(loss, dtype))
        value.backward()
        assert z.grad.isfinite().all() or not value.isfinite(), exponent


@pytest.mark.parametrize("scale", [1e-28, 1e-21, 1e-12, 1e12, 1e21, 1e34])
@pytest.mark.parametrize("name", ["mixcon", "unicon", "nopeek", "nopeek, squared"])
def test_scale_does_not_count(name, scale):
    loss = CASES[name]
    exact = representations().requires_grad_()
    expected = loss(exact, against(loss))
    expected.backward()
    z = (exact.detach() * scale).float().requires_grad_()
    got = loss(z, against(loss).float() if loss.against == "inputs" else LABELS)
    got.backward()
    torch.testing.assert_close(got.double(), expected, rtol=1e-4, atol=0)
    torch.testing.assert_close(scale * z.grad.double(), exact.grad, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("scale", [1e-21, 1e21])
def test_scale_of_the_inputs_does_not_count(scale):
    z, x = representations(), representations()[:, :3].square()
    loss = LOSSES["nopeek"]()
    torch.testing.assert_close(loss(z, (scale * x).float()), loss(z, x), rtol=1e-4, atol=0)


@pytest.mark.parametrize("name", BARRIERS)
@pytest.mark.parametrize("beta", [1e-36, 1e-12, 1e-4, 1.0, 1e6])
def test_meeting_representations_keep_a_finite_gradient_at_the_default_clamp(name, beta):
    z = torch.zeros(6, 3)
    z[2:] = 1.0 + 1e-7 * torch.randn(4, 3)
    z.requires_grad_()
    mixcon_loss(z, torch.arange(6) % 2, beta=beta, barrier=name).backward()
    assert z.grad.isfinite().all()


@pytest.mark.parametrize(("beta", "eps"), [(1e-4, 1e-25), (0.0, 1e-31), (1e24, None)])
def test_a_clamp_that_lets_gradients_overflow_is_refused(beta, eps):
    with pytest.raises(ConfigError, match="gradient would not be finite"):
        MixConLoss(beta=beta, eps=eps)


@pytest.mark.parametrize("case", CASES)
def test_integers_are_refused(case):
    loss = CASES[case]
    with pytest.raises(ConfigError, match="floating type"):
        loss(torch.ones(8, 5, dtype=torch.int64), against(loss))
