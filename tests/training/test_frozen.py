"""A frozen encoder: it stays as it is, and only what leaves is learned anew."""

from shutil import copytree, rmtree

import pytest
import torch

from mixcon.data import load
from mixcon.errors import ConfigError, RunError
from mixcon.training import RunFolder, TrainConfig, load_model, train

CODE = "code(bits=6) + unicon(weight=0.1, on=z)"


def config(**changes):
    given = {"data": "digits", "network": "lenet5", "epochs": 2, "defense": CODE, "frozen": True}
    return TrainConfig(**{**given, **changes})


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """An undefended run."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    train(TrainConfig(data="digits", network="lenet5", epochs=4), folder)
    return folder


def half(tensors, name):
    return {key: value for key, value in tensors.items() if key.startswith(f"{name}.")}


def test_the_encoder_is_that_of_the_run_and_the_rest_goes_on_from_it(plain, tmp_path):
    train(config(start=str(plain)), tmp_path / "run")
    before, after = RunFolder(plain).read_model(), RunFolder(tmp_path / "run").read_model()
    assert half(before, "encoder")
    for name, tensor in half(before, "encoder").items():
        torch.testing.assert_close(after[name], tensor, rtol=0, atol=0)
    assert half(after, "channel")
    first, *_, last = RunFolder(tmp_path / "run").read_metrics()
    undefended = RunFolder(plain).read_metrics()[-1]["test_accuracy"]
    assert first["test_accuracy"] < last["test_accuracy"]
    assert last["test_accuracy"] > undefended - 0.2


def test_it_resumes_to_the_same_weights(plain, tmp_path):
    def stop(progress):
        if (progress.epoch, progress.step) == (2, 3):
            raise KeyboardInterrupt

    run = config(start=str(plain))
    whole = train(run, tmp_path / "whole").state_dict()
    with pytest.raises(KeyboardInterrupt):
        train(run, tmp_path / "parts", on_progress=stop)
    parts = train(run, tmp_path / "parts").state_dict()
    for name, tensor in whole.items():
        torch.testing.assert_close(parts[name], tensor, rtol=0, atol=0)


def test_batch_norm_of_a_frozen_encoder_keeps_its_statistics(tmp_path, monkeypatch):
    """By `known` representations or by batches that are encoded again."""
    found = []
    for known in (2**28, 1):
        monkeypatch.setattr("mixcon.training.loop._KNOWN", known)
        run = config(network="vgg16-narrow", data="digits", resize=32, epochs=1)
        model = train(run, tmp_path / str(known))
        found.append(model.head.state_dict())
        fresh = train(config(network="vgg16-narrow", resize=32, epochs=1), tmp_path / str(known))
        assert all((fresh.encoder.block1.bn1.running_mean == 0).tolist())
    for name, tensor in found[0].items():
        torch.testing.assert_close(found[1][name], tensor, rtol=1e-3, atol=1e-3)


def test_another_cut_takes_the_same_network(plain, tmp_path):
    train(config(start=str(plain), cut="relu3", epochs=1), tmp_path / "run")
    before, after = RunFolder(plain).read_model(), RunFolder(tmp_path / "run").read_model()
    torch.testing.assert_close(after["encoder.fc1.weight"], before["head.fc1.weight"])


def test_a_finished_run_needs_its_start_no_more(plain, tmp_path):
    start = copytree(plain, tmp_path / "start")
    train(config(start=str(start), epochs=1), tmp_path / "run")
    rmtree(start)
    load_model(tmp_path / "run", load("digits"))


def test_a_penalty_that_moves_nothing_is_refused(tmp_path):
    with pytest.raises(ConfigError, match="on=z"):
        train(config(defense="code(bits=6) + unicon(weight=0.1)"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("change", [{"network": "vgg16-narrow"}, {"start": "nowhere"}])
def test_what_cannot_be_started_from_is_named(plain, tmp_path, change):
    with pytest.raises(RunError):
        train(config(**{"start": str(plain), "resize": 32, **change}), tmp_path / "run")
