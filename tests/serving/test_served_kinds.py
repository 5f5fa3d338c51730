"""Sequences cross the wire as images do."""

import pytest
import torch
from serving_parts import serving

from mixcon import models
from mixcon.data import load
from mixcon.errors import DataError
from mixcon.kinds import Kind
from mixcon.serving import EdgeClient, Endpoint, export
from mixcon.serving.images import prepare


@pytest.fixture(scope="module")
def tones():
    return load("tones")


def test_sounds_are_classified_as_by_the_whole_model(tones, keys, trust, tmp_path, own_state):
    torch.manual_seed(0)
    model = models.build("audio", tones.train.shape, 4).eval()
    done = export(model, tones.train.floats(), tmp_path / "out", name="tones",
                  classes=tones.train.classes, kind=tones.train.kind, key=keys)  # fmt: skip
    assert done.contract.preprocessing.kind is Kind.SEQUENCE
    assert '"kind": "sequence"' in (done.folder / "edge" / "contract.json").read_text()
    x = tones.test.floats(slice(9))
    with (
        serving(done.folder / "cloud", trust) as url,
        EdgeClient(done.folder / "edge", Endpoint(url), trust=trust) as client,
    ):
        found = client.infer(x.numpy())
        with pytest.raises(DataError, match="expected inputs of shape"):
            client.infer(x[:, 0].numpy())
    expected = [tones.test.classes[i] for i in model(x).argmax(1).tolist()]
    assert list(found.labels) == expected
    with pytest.raises(DataError, match="takes sequences; use --data"):
        prepare("a.png", b"", done.contract)
