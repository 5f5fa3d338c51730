"""PSIM by both networks."""

import sys
import types

import pytest
import torch
from torch.nn import functional as F

from mixcon.errors import ConfigError
from mixcon.metrics import Lpips, RecognizerDistance, psim


def test_distance_equals_plain_loops(recognizer, victims):
    a, b = victims[0][:3], victims[0][3:6]
    expected = []
    for x, y in zip(a, b, strict=True):
        layers = []
        for u, v in zip(recognizer.features(x[None]), recognizer.features(y[None]), strict=True):
            places = [
                (_unit(u[0, :, i, j]) - _unit(v[0, :, i, j])).square().sum() / 2
                for i in range(u.shape[2])
                for j in range(u.shape[3])
            ]
            layers.append(torch.stack(places).mean())
        expected.append(torch.stack(layers).mean())
    got = RecognizerDistance(recognizer)(a, b)
    torch.testing.assert_close(got, torch.stack(expected), atol=1e-6, rtol=1e-5)


def _unit(v):
    return v / v.norm().clamp_min(1e-12)


def test_laws(recognizer, victims, monkeypatch):
    x = victims[0][:50]
    distance = RecognizerDistance(recognizer)
    torch.testing.assert_close(psim(x, x, distance), torch.ones(50))
    other = psim(x, x.flip(0), distance)
    assert ((other >= 0) & (other < 1)).all()
    torch.testing.assert_close(other, other.flip(0))
    monkeypatch.setattr("mixcon.metrics.perceptual._CHUNK", 7)
    torch.testing.assert_close(psim(x, x.flip(0), distance), other)
    assert "700 auxiliary images" in distance.name


def test_more_blur_is_less_alike(recognizer, victims):
    x = victims[0]
    distance = RecognizerDistance(recognizer)
    values = [psim(F.avg_pool2d(x, k, 1, k // 2), x, distance).mean() for k in (1, 3, 5, 9)]
    assert values == sorted(values, reverse=True)
    assert values[-1] < values[0] - 0.1


def test_lpips_says_what_is_missing(monkeypatch, tmp_path):
    found = {"torchmetrics", "torchvision"}
    monkeypatch.setattr(
        "mixcon.metrics.lpips.find_spec", lambda name: name if name in found else None
    )
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    x = torch.rand(2, 1, 28, 28)
    with pytest.raises(ConfigError, match="weights of AlexNet"):
        Lpips()(x, x)
    weights = tmp_path / "checkpoints" / "alexnet-owt-7be5be79.pth"
    weights.parent.mkdir()
    weights.write_bytes(b"cut short")
    assert "damaged" in Lpips.missing()
    found.clear()
    with pytest.raises(ConfigError, match=r"mixcon\[lpips\]"):
        psim(x, x, Lpips())


def test_lpips_gets_color_images_that_are_large_enough(monkeypatch):
    """torchvision has no build beside this torch: what stands here for LPIPS is a recorder."""
    seen = []

    class Recorder(torch.nn.Module):
        def __init__(self, net_type, *, reduction, normalize):
            super().__init__()
            assert (net_type, reduction, normalize) == ("alex", "none", True)

        def forward(self, a, b):
            seen.append(a)
            return (a - b).abs().flatten(1).mean(1)

    module = types.SimpleNamespace(LearnedPerceptualImagePatchSimilarity=Recorder)
    monkeypatch.setitem(sys.modules, "torchmetrics", types.ModuleType("torchmetrics"))
    monkeypatch.setitem(sys.modules, "torchmetrics.image", types.ModuleType("torchmetrics.image"))
    monkeypatch.setitem(sys.modules, "torchmetrics.image.lpip", module)
    monkeypatch.setattr(Lpips, "missing", staticmethod(lambda: None))
    for shape in ((4, 1, 28, 28), (4, 3, 32, 80)):
        x = torch.rand(shape)
        assert psim(x, x, Lpips()).tolist() == [1] * 4
        assert seen[-1].shape == (4, 3, 64, max(64, shape[3]))
    low, high = torch.zeros(4, 1, 28, 28), torch.full((4, 1, 28, 28), 0.25)
    torch.testing.assert_close(psim(low, high, Lpips()), torch.full((4,), 0.75))
