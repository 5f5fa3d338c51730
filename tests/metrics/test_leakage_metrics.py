"""Metrics against scikit-image and NumPy."""

import numpy as np
import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.datasets import load_digits

from mixcon.errors import ConfigError, NonFiniteError
from mixcon.metrics import METRICS, class_mean, cosine, global_mean, measure, mse, psnr, ssim


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
    assert set(whole) == set(METRICS)
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
