"""The device's half as an ExecuTorch program: the real compiler, the real runtime."""

import shutil

import numpy as np
import pytest
import torch
from serving_parts import serving, trained

from mixcon.attacks.base import frozen
from mixcon.channels import GaussianNoise, Normalize, compose
from mixcon.errors import ConfigError, ContractError
from mixcon.serving import EdgeClient, export
from mixcon.serving.to_onnx import EdgeHalf

pytest.importorskip("executorch", reason="pip install 'mixcon[executorch]'")
pytestmark = pytest.mark.filterwarnings("ignore")  # ExecuTorch and torchao warn of their own parts


@pytest.fixture(scope="module")
def model(digits):
    """A trained model behind a normalization and noise."""
    return trained(digits, compose(Normalize(), GaussianNoise(0.05)))


@pytest.fixture(scope="module")
def both(model, digits, keys, tmp_path_factory):
    return export(
        model, digits.train.floats(slice(200)), tmp_path_factory.mktemp("pte"), name="pte",
        classes=digits.train.classes, kind="image", key=keys, device_format="executorch",
    )  # fmt: skip


def client(folder, trust, **settings):
    return EdgeClient(folder, "http://127.0.0.1:9", trust=trust, **settings)


def test_it_computes_what_pytorch_computes(model, both, trust, digits):
    """Within 1e-4, on the same noise."""
    edge = client(both.folder / "edge", trust, device_format="executorch")
    x = digits.test.floats(slice(20))
    with frozen(model), torch.no_grad():
        half = EdgeHalf(model).eval()
        noise = [torch.randn(shape) for shape in half.noise_shapes(x)]
        expected = half(x, *noise).numpy()
    feeds = {"x": x.numpy(), **{f"noise_{i}": n.numpy() for i, n in enumerate(noise)}}
    (found,) = edge._encoder.run(None, feeds)
    assert found.shape == expected.shape
    assert np.abs(found - expected).max() < 1e-4


def test_noise_is_the_devices_own_and_fresh(both, trust, digits):
    """Of the scale that the contract says, and none that repeats."""
    x = digits.test.inputs[:1].repeat(50, 1, 1, 1).numpy()
    edge = client(both.folder / "edge", trust, device_format="executorch")
    first, second = edge.encode(x), edge.encode(x)
    assert (first != second).mean() > 0.99
    assert 0.04 < np.std(np.concatenate([first, second]), axis=0).mean() < 0.06
    torch.manual_seed(0)
    third = edge.encode(x)
    torch.manual_seed(0)
    assert (third != edge.encode(x)).mean() > 0.99  # no generator of torch decides


def test_a_request_from_it_is_answered(both, trust, digits):
    with serving(both.folder / "cloud", trust) as url:
        x = digits.test.inputs[:40].numpy()
        with EdgeClient(both.folder / "edge", url, trust=trust, device_format="executorch") as edge:
            labels = [int(label) for label in edge.infer(x).labels]
    assert np.mean(np.array(labels) == digits.test.labels[:40].numpy()) > 0.5


def test_a_changed_program_and_that_of_another_contract_are_refused(
    both, plain_export, trust, tmp_path
):
    changed = shutil.copytree(both.folder / "edge", tmp_path / "changed")
    program = bytearray((changed / "encoder.pte").read_bytes())
    program[-1] ^= 1
    (changed / "encoder.pte").write_bytes(program)
    other = shutil.copytree(plain_export.folder / "edge", tmp_path / "other")
    for name in ("encoder.pte", "encoder.pte.sig"):
        shutil.copy(both.folder / "edge" / name, other / name)
    for folder in (changed, other):
        with pytest.raises(ContractError, match="signature does not hold"):
            client(folder, trust, device_format="executorch")
        client(folder, trust)  # the graph is still whole


def test_none_there_and_unknown_formats_are_named(plain_export, trust):
    with pytest.raises(ContractError, match="export again with --device-format executorch"):
        client(plain_export.folder / "edge", trust, device_format="executorch")
    with pytest.raises(ConfigError, match="onnx, executorch, but got 'tflite'"):
        client(plain_export.folder / "edge", trust, device_format="tflite")
