"""No epoch at all: a network that is trained already becomes a run as it is."""

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.training import RunFolder, TrainConfig, train


def config(**changes):
    return TrainConfig(**{"data": "digits", "network": "lenet5", "epochs": 0, **changes})


def test_the_network_stays_as_it_is(tmp_path):
    trained = train(config(epochs=2), tmp_path / "trained")
    shares = []
    run = config(start=str(tmp_path / "trained"), defense="gaussian(sigma=0.01)")
    as_it_is = train(run, tmp_path / "run", on_progress=lambda p: shares.append(p.share))
    for name, tensor in trained.state_dict().items():
        torch.testing.assert_close(as_it_is.state_dict()[name], tensor, rtol=0, atol=0)
    (record,) = RunFolder(tmp_path / "run").read_metrics()
    last = RunFolder(tmp_path / "trained").read_metrics()[-1]
    assert record["test_accuracy"] == pytest.approx(last["test_accuracy"], abs=0.02)
    assert shares == [1.0]


@pytest.mark.parametrize("defense", ["mixcon", "reconstructor", "code(bits=8) + unicon(on=z)"])
def test_a_defense_that_has_to_be_learned_is_refused(tmp_path, defense):
    with pytest.raises(ConfigError, match="does nothing unless it is learned"):
        train(config(defense=defense), tmp_path / "run")
    assert not (tmp_path / "run").exists()
