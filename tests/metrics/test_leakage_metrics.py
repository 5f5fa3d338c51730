"""Metrics against scikit-image and NumPy."""

import sys
from types import ModuleType

import numpy as np
import pytest
import torch
from skimage.metrics import (
    mean_squared_error,
    peak_signal_noise_ratio,
    structural_similarity,
)
from sklearn.datasets import load_digits

from mixcon.errors import ConfigError, NonFiniteError
from mixcon.kinds import Kind
from mixcon.metrics import (
    METRICS,
    Pairwise,
    class_mean,
    cosine,
    global_mean,
    measure,
    metric_named,
    mse,
    nearest_neighbor,
    psnr,
    ssim,
)
from mixcon.metrics.structural import ssim_to_each
from mixcon.testing import check_metric


def images(n=6, channels=1, size=28, seed=0):
    digits = torch.tensor(load_digits().images[: n * channels], dtype=torch.float32) / 16
    digits = digits.reshape(n, channels, 8, 8)
    clean = torch.nn.functional.interpolate(digits, size=size, mode="bilinear")
    noise = torch.rand(clean.shape, generator=torch.Generator().manual_seed(seed))
    mix = torch.linspace(0, 0.8, n).view(-1, 1, 1, 1)
    return (1 - mix) * clean + mix * noise, clean


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 32), (1, 11), (3, 17)])
def test_ssim_equals_scikit_image(channels, size):
    a, b = images(channels=channels, size=size)
    expected = [
        structural_similarity(
            x.double().numpy(),
            y.double().numpy(),
            channel_axis=0,
            data_range=1.0,
            gaussian_weights=True,
            sigma=1.5,
            use_sample_covariance=False,
        )
        for x, y in zip(a, b, strict=True)
    ]
    np.testing.assert_allclose(ssim(a, b).numpy(), expected, atol=2e-5)
    np.testing.assert_allclose(ssim(a.double(), b.double()).numpy(), expected, atol=1e-9)


@pytest.mark.parametrize(("channels", "size"), [(1, 28), (3, 17)])
def test_ssim_to_each_is_ssim_pair_by_pair(channels, size):
    a, b = (x.double() for x in images(n=6, channels=channels, size=size))
    samples = torch.stack([b, b.flip(0), a.roll(1, 0), b.roll(2, 0)], 1)  # (6, 4, C, H, W)
    a.requires_grad_()
    found = ssim_to_each(samples)(a)
    pairs = ssim(a.repeat_interleave(4, 0), samples.flatten(0, 1)).view(6, 4)
    torch.testing.assert_close(found, pairs, rtol=0, atol=1e-12)
    mine, theirs = (torch.autograd.grad(x.sum(), a)[0] for x in (found, pairs))
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-10)


def test_ssim_laws():
    a, b = images()
    torch.testing.assert_close(ssim(b, b), torch.ones(6))
    torch.testing.assert_close(ssim(a, b), ssim(b, a))
    torch.testing.assert_close(ssim(a, b)[2:3], ssim(a[2:3], b[2:3]))
    torch.testing.assert_close(ssim(a, b, rescale=True), (ssim(a, b) + 1) / 2)
    torch.testing.assert_close(
        ssim(255 * a, 255 * b, data_range=255.0), ssim(a, b), atol=1e-4, rtol=0
    )
    with pytest.raises(ConfigError, match="11 x 11"):
        ssim(a[..., :10, :], b[..., :10, :])


def test_psnr_mse_and_cosine():
    a, b = images()
    for i in range(1, 6):
        x, y = a[i].double().numpy(), b[i].double().numpy()
        assert psnr(a, b)[i].item() == pytest.approx(
            peak_signal_noise_ratio(y, x, data_range=1.0), rel=1e-5
        )
        assert mse(a, b)[i].item() == pytest.approx(((x - y) ** 2).mean(), rel=1e-5)
        angle = (x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())
        assert cosine(a, b)[i].item() == pytest.approx(angle, rel=1e-5)
    assert psnr(b, b).isinf().all()
    assert cosine(torch.zeros(1, 3), torch.ones(1, 3)).item() == 0


def test_measure_never_reduces_and_is_the_same_in_chunks(monkeypatch):
    a, b = images()
    whole = measure(a, b)
    assert set(whole) == {name for name, each in METRICS.items() if Kind.IMAGE in each.kinds}
    assert all(values.shape == (6,) for values in whole.values())
    monkeypatch.setattr("mixcon.metrics.pairwise._CHUNK", 4)
    for name, values in measure(a, b).items():
        torch.testing.assert_close(values, whole[name])
    assert set(measure(torch.randn(3, 5), torch.randn(3, 5))) == {"mse", "cosine"}


def test_measure_refuses_what_does_not_compare():
    a, b = images()
    with pytest.raises(ConfigError, match="shape"):
        measure(a[:, :, 1:], b)
    with pytest.raises(NonFiniteError):
        measure(a * torch.nan, b)


def test_floors_are_the_means_of_the_auxiliary_images():
    x = torch.tensor([[1.0], [3.0], [10.0]])
    y = torch.tensor([0, 0, 1])
    assert global_mean(x, 2).flatten().tolist() == pytest.approx([14 / 3] * 2)
    got = class_mean(x, y, torch.tensor([1, 0, 2, 0])).flatten().tolist()
    assert got == pytest.approx([10, 2, 14 / 3, 2])


def test_nearest_neighbor_equals_plain_loops(monkeypatch):
    generator = torch.Generator().manual_seed(0)
    x, z = torch.rand(60, 2, 3, generator=generator), torch.randn(60, 4, 2, generator=generator)
    y = torch.randint(4, (60,), generator=generator)
    seen, predicted = torch.randn(9, 4, 2, generator=generator), torch.arange(9) % 5
    monkeypatch.setattr("mixcon.metrics.floors._CHUNK", 5)
    got = nearest_neighbor(x, y, z, seen, predicted)
    for i in range(9):
        members = [j for j in range(60) if y[j] == predicted[i]] or range(60)  # no sample of 4
        distances = [(z[j] - seen[i]).norm().item() for j in members]
        assert torch.equal(got[i], x[members[int(np.argmin(distances))]])
    for unit, offset in ((1e-30, 0), (1e6, 0), (1, 1e3)):
        again = nearest_neighbor(x, y, unit * z + offset, unit * seen + offset, predicted)
        assert torch.equal(again, got)


def test_nearest_neighbor_finds_the_victim_only_if_the_attacker_owns_it():
    x, y = torch.rand(30, 5), torch.arange(30) % 3
    constant = torch.cat([x, torch.ones(30, 1)], 1)
    assert torch.equal(nearest_neighbor(x, y, constant, constant[10:20], y[10:20]), x[10:20])
    other = nearest_neighbor(x[10:], y[10:], constant[10:], constant[:10], y[:10])
    assert all(any(torch.equal(row, mine) for mine in x[10:]) for row in other)


@pytest.mark.parametrize("data_range", [1.0, 255.0])
def test_color_images_against_scikit_image(data_range):
    a, b = (data_range * part for part in images(channels=3, size=32))
    for i in range(1, 6):
        x, y = a[i].double().numpy(), b[i].double().numpy()
        assert psnr(a, b, data_range=data_range)[i].item() == pytest.approx(
            peak_signal_noise_ratio(y, x, data_range=data_range), rel=1e-4
        )
        assert mse(a, b)[i].item() == pytest.approx(mean_squared_error(x, y), rel=1e-4)


def test_hand_computed_values():
    black, white = torch.zeros(1, 3, 11, 11), torch.ones(1, 3, 11, 11)
    assert mse(black, white).item() == 1
    assert psnr(black, white).item() == 0
    assert psnr(black, 0.1 * white).item() == pytest.approx(20)
    # One window, no variance: only the luminance term is left, C1 / (1 + C1) with C1 = 1e-4.
    assert ssim(black, white).item() == pytest.approx(1e-4 / (1 + 1e-4), rel=1e-3)
    assert ssim(black, white, rescale=True).item() == pytest.approx(0.5, abs=1e-3)
    assert cosine(torch.tensor([[3.0, 4.0]]), torch.tensor([[4.0, 3.0]])).item() == pytest.approx(
        24 / 25
    )


def test_a_metric_of_ones_own_says_how_it_reads(monkeypatch):
    own = Pairwise(label="Max error", function=mse, higher_leaks=False, perfect=0.0)
    module = ModuleType("own_metrics")
    module.worst = own
    monkeypatch.setitem(sys.modules, "own_metrics", module)
    assert metric_named("own_metrics:worst") is own
    assert metric_named("own_metrics:worst").closest([0.2, 0.1]) == 0.1
    assert metric_named("mse").perfect == 0
    assert metric_named("nobody-knows").higher_leaks


@pytest.mark.parametrize("name", METRICS)
def test_contract(name):
    for shape in ((1, 16, 16), (5,), (2, 9)):
        if Kind.of(shape) in METRICS[name].kinds:
            check_metric(METRICS[name], shape)
