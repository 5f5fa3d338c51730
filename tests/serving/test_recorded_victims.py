"""What `infer` sends of a run is what `audit --wire` attacks, whatever the seeds."""

import numpy as np
import pytest
import torch
from serving_parts import serving

from mixcon.cli import app
from mixcon.data import LabeledSet
from mixcon.errors import ConfigError
from mixcon.serving import export_run, read_capture, read_contract
from mixcon.serving.capture import hashes
from mixcon.training import TrainConfig, load_model, train


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run whose very data its seed, 1, draws."""
    folder = tmp_path_factory.mktemp("seeds") / "run"
    config = TrainConfig(data="synthetic", network="mlp", epochs=1, seed=1)
    train(config, folder, accelerator="cpu")
    return folder


@pytest.fixture
def send(run, keys, trust, monkeypatch):
    """Infer with some options, recorded; the path of the record."""
    monkeypatch.setattr("mixcon.serving.signing.DEFAULT_TRUST", trust)
    export_run(run, run / "export", key=keys)

    def send(*words):
        with serving(run / "export" / "cloud", trust) as url:
            app(
                ["infer", "--edge", str(run / "export" / "edge"), "--url", url, *words,
                 "--record", str(run / "wire"), "--batch", "4"],
                standalone_mode=False,
            )  # fmt: skip
        return run / "wire"

    return send


def audit(run, seed):
    app(
        ["audit", str(run), "--wire", str(run / "wire"), "--edge", str(run / "export" / "edge"),
         "--victims", "6", "--seed", str(seed), "--attack", "rmle-paper-vector", "--budget",
         "0.01x", "--quick"],
        standalone_mode=False,
    )  # fmt: skip


def test_the_victims_of_a_run_are_those_that_the_audit_attacks(run, send, trust):
    wire = send("--run", str(run), "--victims", "6", "--seed", "3")
    contract = read_contract(run / "export" / "edge", "encoder", trust)
    crossed = torch.from_numpy(read_capture(wire.read_bytes(), contract))
    test = TrainConfig(data="synthetic", network="mlp", seed=1).load_data().test
    order = torch.randperm(len(test), generator=torch.Generator().manual_seed(3))[:6]
    model = load_model(run, TrainConfig(data="synthetic", network="mlp", seed=1).load_data())
    with torch.no_grad():
        released = model.eval().release(test.floats(order))
    torch.testing.assert_close(crossed, released, atol=1e-5, rtol=1e-4)
    audit(run, seed=3)


@pytest.mark.parametrize(
    "words", [["--run", "RUN", "--seed", "0"], ["--data", "synthetic", "--seed", "3"]]
)
def test_an_audit_of_other_victims_than_were_sent_is_refused(run, send, words):
    send(*(str(run) if word == "RUN" else word for word in words), "--victims", "6")
    with pytest.raises(ConfigError, match=r"6 of 6 .* mixcon infer --run"):
        audit(run, seed=3)


def test_images_have_the_same_hash_on_the_device_and_in_the_audit():
    pixels = torch.arange(256, dtype=torch.uint8).view(4, 1, 8, 8)
    audited = LabeledSet("x", pixels, torch.zeros(4, dtype=torch.int64), ("a",)).floats()
    assert hashes(pixels.numpy().astype(np.float32) / np.float32(255)) == hashes(audited.numpy())
    assert len(set(hashes(audited.numpy()))) == 4
