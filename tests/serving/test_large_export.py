"""A head of half a gigabyte, on demand: `pytest -m paper`. It takes a minute and 3 GB of memory."""

import pytest
import torch
from serving_parts import exported, serving
from torch import nn

from mixcon.serving import EdgeClient, Endpoint
from mixcon.split import SplitModel

pytestmark = pytest.mark.paper


def test_half_a_gigabyte_is_exported_and_served(digits, keys, trust, tmp_path, own_state):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        encoder = nn.Sequential(nn.Flatten(), nn.Linear(784, 11_000), nn.ReLU())
        head = nn.Sequential(nn.Linear(11_000, 11_000), nn.ReLU(), nn.Linear(11_000, 10))
    model = SplitModel(encoder, head).eval()
    made = exported(model, digits, tmp_path, keys)
    assert (made.folder / "cloud" / "head.onnx").stat().st_size > 480e6
    x = digits.test.floats()[:8]
    with (
        serving(made.folder / "cloud", trust) as url,
        EdgeClient(made.folder / "edge", Endpoint(url), trust=trust) as edge,
    ):
        labels = [int(label) for label in edge.infer(x.numpy()).labels]
    assert labels == model(x).argmax(1).tolist()
