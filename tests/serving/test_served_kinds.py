"""Sequences and texts cross the wire as images do."""

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


def test_of_texts_the_device_takes_the_tokens(keys, trust, tmp_path, own_state):
    data = load("messages")
    torch.manual_seed(0)
    model = models.build("transformer", data.train.shape, 6).eval()
    done = export(model, data.train.floats(slice(200)), tmp_path / "out", name="messages",
                  classes=data.train.classes, kind=data.train.kind, key=keys)  # fmt: skip
    few = data.test.take(slice(9))
    with (
        serving(done.folder / "cloud", trust) as url,
        EdgeClient(done.folder / "edge", Endpoint(url), trust=trust) as client,
    ):
        found = client.infer(few.inputs.numpy())
        assert client.infer(few.floats().numpy()).labels == found.labels
        with pytest.raises(DataError, match="tokens from 0 to 204, and -1 behind the end"):
            client.infer(few.inputs.numpy() + 100)
        with pytest.raises(DataError, match="expected inputs of shape"):
            client.infer(few.inputs[:, :5].numpy())
    expected = [few.classes[i] for i in model(few.floats()).argmax(1).tolist()]
    assert list(found.labels) == expected
