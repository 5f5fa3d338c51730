"""The training loop: it learns, resumes exactly, and refuses what it must."""

import hashlib
import json
import os
import signal
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file
from tests.commands import Command, run_command
from torch import nn
from torch.nn import functional as F

from mixcon.data import SOURCES, LabeledSet, Splits
from mixcon.defenses import DefenseConfig
from mixcon.errors import ConfigError, CutError, MixconError, NonFiniteError, RunError
from mixcon.split import Sizes, SplitModel
from mixcon.training import Progress, RunFolder, TrainConfig, accuracy, load_model, train
from mixcon.training.objective import Objective

PLAIN = {"optimizer": "sgd", "schedule": "constant"}


def config(**changes):
    return TrainConfig(
        **{**PLAIN, "data": "digits", "network": "lenet5", "epochs": 2, "batch_size": 32, **changes}
    )


@pytest.fixture(autouse=True)
def small(monkeypatch, few_digits):
    """Training here sees 100 digits, but those of its own processes all."""
    monkeypatch.setitem(SOURCES, "digits", lambda data_dir, seed: few_digits)


def weights(folder):
    return load_file(folder / "model.safetensors")


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def digest(folder):
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_learns_real_digits(tmp_path, monkeypatch, digits):
    monkeypatch.setitem(SOURCES, "digits", lambda data_dir, seed: digits)
    model = train(config(epochs=4, batch_size=16, momentum=0.9), tmp_path / "run")
    assert accuracy(model, digits.test) > 0.85
    assert not model.training
    records = RunFolder(tmp_path / "run").read_metrics()
    assert [r["epoch"] for r in records] == [0, 1, 2, 3, 4]
    assert records[-1]["test_accuracy"] == accuracy(model, digits.test)
    assert records[0]["test_accuracy"] < 0.3


def test_quantizer_is_measured_before_it_is_trained(tmp_path, few_digits):
    model = train(config(defense="quantize(bits=3)"), tmp_path / "run")
    assert len(model.release(few_digits.test.floats()).unique()) <= 8
    assert RunFolder(tmp_path / "run").read_metrics()[0]["epoch"] == 0


def test_mixcon_lowers_separability(tmp_path):
    for name in ("vanilla", "mixcon"):
        train(config(epochs=5, momentum=0.9, defense=name), tmp_path / name)
    means = [
        RunFolder(tmp_path / name).read_metrics()[-1]["separability"]["mean"]
        for name in ("vanilla", "mixcon")
    ]
    assert means[1] < 0.5 * means[0]


def test_run_folder_tells_all(tmp_path):
    seen = []
    train(config(), tmp_path / "run", on_progress=seen.append)
    folder = RunFolder(tmp_path / "run")
    assert folder.config == config()
    assert json.loads((tmp_path / "run" / "versions.json").read_text())["torch"]
    steps = [p for p in seen if p.record is None]
    assert steps[-1] == Progress(epoch=2, epochs=2, step=4, steps=4)
    assert len(steps) == 8
    assert not list(tmp_path.rglob("*.tmp"))


def test_same_seed_same_weights_other_seed_others(tmp_path):
    defense = "mixcon + gaussian(sigma=0.1) + dropout(rate=0.2)"
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        torch.rand(3)  # the caller's own randomness changes nothing
        train(config(defense=defense, seed=seed), tmp_path / name)
    a, b, c = (weights(tmp_path / name) for name in "abc")
    assert same(a, b)
    assert not same(a, c)


def test_callers_random_state_stays(tmp_path):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train(config(), tmp_path / "run")
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize("stop", [(1, 1), (1, 4), (2, 3)])
def test_resumed_equals_undisturbed(tmp_path, monkeypatch, stop):
    monkeypatch.setattr("mixcon.training.loop._CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("mixcon.training.loop._CHECK_STEPS", 1)
    chosen = config(defense="mixcon + gaussian(sigma=0.1)", momentum=0.9)
    train(chosen, tmp_path / "whole")

    def interrupt(progress):
        if progress.record is None and (progress.epoch, progress.step) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(chosen, tmp_path / "cut", on_progress=interrupt)
    train(chosen, tmp_path / "cut")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    whole, cut = (RunFolder(tmp_path / n).read_metrics() for n in ("whole", "cut"))
    timeless = [[{k: v for k, v in r.items() if k != "seconds"} for r in rs] for rs in (whole, cut)]
    assert timeless[0] == timeless[1]


@pytest.mark.smoke
def test_killed_process_resumes_to_the_same_weights(tmp_path):
    """SIGKILL, twice, in the midst of real runs of the real command."""
    words = [
        "train", "--data", "digits", "--epochs", 6, "--accelerator", "cpu",
        "--defense", "mixcon + gaussian(sigma=0.1) + reconstructor",
    ]  # fmt: skip
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}

    def whole(folder):
        done = run_command(*words, "--out", folder, env=environment)
        assert done.returncode == 0, done.stderr

    whole(tmp_path / "whole")
    killed = RunFolder(tmp_path / "killed")
    for epochs in (1, 3):
        with Command(*words, "--out", tmp_path / "killed", env=environment) as process:
            process.wait_until(lambda least=epochs: len(killed.read_metrics()) > least)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
    assert not killed.finished
    whole(tmp_path / "killed")
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "killed"))


def test_finished_run_is_left_alone(tmp_path):
    train(config(), tmp_path / "run")
    before = digest(tmp_path / "run")
    train(config(), tmp_path / "run", on_progress=lambda _: pytest.fail("it trained again"))
    assert digest(tmp_path / "run") == before


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"data": "digit"}, ConfigError, "did you mean 'digits'"),
        ({"network": "lenet"}, ConfigError, "did you mean 'lenet5'"),
        ({"cut": "pol2"}, CutError, "'pool2'"),
        ({"network": "mlp"}, ConfigError, "choose a network for images"),
        ({"data": "folder:/nowhere"}, MixconError, "/nowhere"),
    ],
)
def test_bad_settings_write_nothing(tmp_path, changes, error, message):
    with pytest.raises(error, match=message):
        train(config(**changes), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_run_of_another_config_is_refused(tmp_path):
    train(config(), tmp_path / "run")
    before = digest(tmp_path / "run")
    with pytest.raises(RunError, match=r"lr = 0\.01 there, 0\.5 here"):
        train(config(lr=0.5), tmp_path / "run")
    assert digest(tmp_path / "run") == before


def test_other_files_are_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("all of it")
    with pytest.raises(RunError, match="folder of other files"):
        train(config(), tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["thesis.txt"]


def test_folder_of_a_run_killed_while_it_began_is_taken(tmp_path):
    (tmp_path / ".config.toml.x1y2.tmp").write_text("data = ")
    train(config(), tmp_path)
    assert RunFolder(tmp_path).finished


@pytest.mark.parametrize("name", ["checkpoint.safetensors", "model.safetensors"])
def test_truncated_file_is_named(tmp_path, name):
    train(config(), tmp_path / "run")
    path = tmp_path / "run" / name
    path.write_bytes(path.read_bytes()[:-100])
    if name.startswith("checkpoint"):
        (tmp_path / "run" / "model.safetensors").unlink()
    before = digest(tmp_path / "run")
    with pytest.raises(RunError, match=f"{name}: expected a whole safetensors file"):
        train(config(), tmp_path / "run")
    assert digest(tmp_path / "run") == before


def test_unfinished_run_has_no_model(tmp_path, few_digits):
    with pytest.raises(RunError, match=r"no config\.toml"):
        load_model(tmp_path, few_digits)
    RunFolder(tmp_path / "run").claim(config())
    with pytest.raises(RunError, match="finish it"):
        load_model(tmp_path / "run", few_digits)


def test_non_finite_step_is_named(tmp_path):
    with pytest.raises(NonFiniteError, match=r"at step \d+ of epoch \d"):
        train(config(lr=1e6, epochs=5), tmp_path / "run")
    state = (
        load_file(tmp_path / "run" / "checkpoint.safetensors")
        if (tmp_path / "run" / "checkpoint.safetensors").exists()
        else {}
    )
    assert all(t.isfinite().all() for t in state.values())


def test_precise_step_of_a_non_finite_representation(tmp_path, monkeypatch):
    inputs = torch.rand(20, 40)
    inputs[13] = 1e38  # squares to infinity in the first layer
    vectors = LabeledSet("vectors", inputs, torch.arange(20) % 4, tuple("abcd"))
    monkeypatch.setitem(SOURCES, "vectors", lambda data_dir, seed: Splits(vectors, vectors))
    chosen = TrainConfig(data="vectors", network="mlp", batch_size=20, epochs=1, **PLAIN)
    with pytest.raises(MixconError, match="NaN"):
        train(chosen, tmp_path / "run")


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed"])
def test_precisions(tmp_path, precision):
    chosen = config(precision=precision, defense="mixcon+normalize")
    model = train(chosen, tmp_path / "run", accelerator="cpu")
    assert all(p.isfinite().all() for p in model.parameters())


@pytest.mark.smoke
def test_two_processes_train_as_one(tmp_path):
    """DDP on two CPU processes sees the same batches as one process, halved."""
    settings = (
        "train --data digits --recipe paper --epochs 3 --momentum 0.9 --batch-size 32 "
        "--defense reconstructor(weight=0) --accelerator cpu"
    )
    for devices in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-m", "mixcon", *settings.split(), "--devices", devices,
             "--out", str(tmp_path / devices)],
            capture_output=True, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"},
            timeout=300, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
    one, two = (RunFolder(tmp_path / devices).read_metrics() for devices in "12")
    # One digit fewer an epoch, where their number is odd; so not equal to the last bit.
    assert two[1]["loss"] == pytest.approx(one[1]["loss"], rel=5e-3)
    for key in ("loss", "penalty"):
        assert two[1][key] == pytest.approx(one[1][key], rel=5e-3, abs=1e-4)
    # Its batch normalization sees half a batch a process, so it is alike, and not the same.
    assert two[1]["adversaries"]["reconstructor"] == pytest.approx(
        one[1]["adversaries"]["reconstructor"], rel=0.15
    )
    assert two[3]["test_accuracy"] > 0.6
    assert one[3]["test_accuracy"] > 0.6


@pytest.mark.parametrize("part", ["channel", "head"])
def test_the_penalty_sees_the_raw_representation_whatever_is_overwritten_later(part, few_digits):
    class Rectified(nn.Module):
        def __init__(self, rest, inplace):
            super().__init__()
            self.rest, self.inplace = rest, inplace

        def forward(self, z):
            return self.rest(F.relu(z, inplace=self.inplace))

    def gradients(inplace):
        torch.manual_seed(0)
        parts = {"channel": nn.Identity(), "head": nn.Sequential(nn.Flatten(), nn.Linear(784, 10))}
        parts[part] = Rectified(parts[part], inplace)
        model = SplitModel(nn.Conv2d(1, 1, 3, padding=1), **parts)
        x, y = next(few_digits.train.batches(50))
        defense = DefenseConfig.parse("mixcon").build(Sizes((1, 28, 28), (1, 28, 28), 10))
        loss, sums, _ = Objective(model, defense)(x, y)
        loss.backward()
        return [sums.detach(), *(parameter.grad for parameter in model.parameters())]

    assert all(map(torch.equal, gradients(True), gradients(False)))
