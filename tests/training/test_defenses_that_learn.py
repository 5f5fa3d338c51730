"""Adversaries, penalties with a memory and channels with weights, in the one training loop."""

import sys
import types

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from mixcon.channels import Channel
from mixcon.data import SOURCES
from mixcon.defenses import Adversary, Batch, Defense, DefenseConfig, Penalty
from mixcon.errors import ConfigError, NonFiniteError
from mixcon.models import lenet5
from mixcon.split import Sizes
from mixcon.training import RunFolder, TrainConfig, build, load_model, train
from mixcon.training.run_folder import manual_seed


class Centers(Penalty):
    """Pulls representations to running class means, which it remembers."""

    def __init__(self, weight: float = 1.0, *, sizes: Sizes) -> None:
        super().__init__(weight)
        self.register_buffer("means", torch.zeros(sizes.classes, 400))

    def cost(self, batch: Batch) -> Tensor:
        rows = batch.raw.flatten(1)
        own = F.one_hot(batch.y, len(self.means)).to(rows)
        with torch.no_grad():
            found = own.T @ rows / own.sum(0).clamp_min(1)[:, None]
            self.means.lerp_(found.to(self.means), 0.1)
        return (rows - self.means.detach()[batch.y]).square().mean()


class Reader(Adversary):
    """Learns the mean of the image from z."""

    updates = 2

    def __init__(self, weight: float = 0.1, *, sizes: Sizes) -> None:
        super().__init__(weight)
        self.net = nn.Sequential(nn.Flatten(), nn.Linear(400, 1))

    def forward(self, batch: Batch) -> Tensor:
        return F.mse_loss(self.net(batch.z).squeeze(1), batch.x.flatten(1).mean(1))

    def cost(self, batch: Batch) -> Tensor:
        return -self(batch)


class Broken(Reader):
    """Its loss is NaN from the start; what it costs the model is not."""

    def forward(self, batch: Batch) -> Tensor:
        return super().forward(batch) * torch.nan

    def cost(self, batch: Batch) -> Tensor:
        return self.net(batch.z).sum() * 0


class Scaled(Channel):
    """A channel with a weight of its own and noise of its own strength."""

    draws = "normal"

    def __init__(self) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(()))

    def transform(self, z: Tensor, noise: Tensor) -> Tensor:
        return self.gain * z + 0.1 * noise


class Learns(Penalty):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def cost(self, batch: Batch) -> Tensor:
        return batch.raw.sum() * 0


@pytest.fixture(autouse=True)
def parts(monkeypatch, few_digits):
    module = types.ModuleType("own_parts")
    for part in (Centers, Reader, Broken, Scaled, Learns):
        setattr(module, part.__name__, part)
    monkeypatch.setitem(sys.modules, "own_parts", module)
    monkeypatch.setitem(SOURCES, "digits", lambda data_dir, seed: few_digits)


WHOLE = "own_parts:Centers(weight=0.1) + own_parts:Reader + own_parts:Scaled"


def config(defense=WHOLE, **changes):
    return TrainConfig(
        **{"data": "digits", "network": "lenet5", "epochs": 2, "batch_size": 32, **changes},
        defense=defense,
    )


def same(a, b):
    return a.keys() == b.keys() and all(torch.equal(a[k], b[k]) for k in a)


def test_an_adversary_learns_and_its_loss_is_recorded(tmp_path):
    train(config("reconstructor(weight=0)", epochs=5), tmp_path)
    losses = [r["adversaries"]["reconstructor"] for r in RunFolder(tmp_path).read_metrics()[1:]]
    assert losses[-1] < 0.7 * losses[0]


def test_an_adversary_changes_the_model_and_the_model_alone_answers(tmp_path):
    for name, weight in (("free", 0.0), ("charged", 1.0)):
        train(config(f"own_parts:Reader(weight={weight})"), tmp_path / name)
    free, charged = (load_file(tmp_path / n / "model.safetensors") for n in ("free", "charged"))
    assert not same(free, charged)
    assert not any("net" in name for name in free)


def test_an_idle_adversary_leaves_the_model_as_it_is(tmp_path):
    train(config("vanilla"), tmp_path / "vanilla")
    train(config("reconstructor(weight=0)"), tmp_path / "watched")
    vanilla, watched = (
        load_file(tmp_path / n / "model.safetensors") for n in ("vanilla", "watched")
    )
    assert same(vanilla, watched)


def test_a_memory_is_kept_in_checkpoints_and_a_channel_in_the_model(tmp_path):
    train(config(), tmp_path)
    kept = load_file(tmp_path / "checkpoint.safetensors")
    assert kept["penalties.0.means"].abs().sum() > 0
    assert any(name.startswith("adversary own_parts:Reader.net") for name in kept)
    assert any(name.startswith("optimizer of own_parts:Reader.") for name in kept)
    assert set(load_file(tmp_path / "model.safetensors")) == set(
        build(config(), SOURCES["digits"](None, 0))[0].state_dict()
    )
    gain = load_file(tmp_path / "model.safetensors")["channel.0.gain"]
    assert gain != 1


@pytest.mark.parametrize("stop", [(1, 1), (1, 4), (2, 3)])
def test_resumed_equals_undisturbed(tmp_path, monkeypatch, stop):
    monkeypatch.setattr("mixcon.training.loop._CHECKPOINT_SECONDS", 0.0)
    monkeypatch.setattr("mixcon.training.loop._CHECK_STEPS", 1)
    train(config(), tmp_path / "whole")

    def interrupt(progress):
        if progress.record is None and (progress.epoch, progress.step) == stop:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(config(), tmp_path / "cut", on_progress=interrupt)
    train(config(), tmp_path / "cut")
    for name in ("model.safetensors", "checkpoint.safetensors"):
        assert same(load_file(tmp_path / "whole" / name), load_file(tmp_path / "cut" / name))


def test_nan_in_an_adversary_is_named(tmp_path):
    with pytest.raises(NonFiniteError, match="loss of the adversary own_parts:Broken"):
        train(config("own_parts:Broken"), tmp_path)


def test_a_penalty_with_weights_is_refused_before_anything_is_written(tmp_path):
    with pytest.raises(ConfigError, match=r"Learns has layer\.weight"):
        train(config("own_parts:Learns"), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_part_that_is_none_is_refused():
    with pytest.raises(ConfigError, match="expected a Penalty"):
        Defense.of(nn.ReLU())


def test_weights_of_the_network_do_not_depend_on_the_defense():
    splits = SOURCES["digits"](None, 0)
    plain, _ = build(config("vanilla"), splits)
    model, _ = build(config("code(bits=4)"), splits)
    assert same(plain.encoder.state_dict(), model.encoder.state_dict())
    assert same(plain.head.state_dict(), model.head[-1].state_dict())


def test_a_projected_model_is_loaded_as_it_was_trained(tmp_path, few_digits):
    model = train(config("project(n=6) + normalize + gaussian(sigma=0.1)"), tmp_path)
    x = few_digits.test.floats()
    assert model.release(x).shape == (len(x), 6)
    assert same(model.state_dict(), load_model(tmp_path, few_digits).state_dict())


def test_plain_sgd_is_plain_sgd(tmp_path, few_digits):
    """The loop against one written out by hand: equal to the last bit."""
    chosen = config("vanilla", optimizer="sgd", schedule="constant")
    model = train(chosen, tmp_path, accelerator="cpu")
    manual_seed(0)
    net = lenet5((1, 28, 28), 10)
    for epoch in (1, 2):
        order = torch.randperm(len(few_digits.train), generator=manual_seed(0, epoch))
        for index in order.split(32):
            net.zero_grad()
            x, y = few_digits.train.floats(index), few_digits.train.labels[index]
            F.cross_entropy(net(x), y).backward()
            with torch.no_grad():
                for parameter in net.parameters():
                    parameter.add_(parameter.grad, alpha=-0.01)
    theirs = {n.partition(".")[2]: p for n, p in model.named_parameters()}
    assert all(torch.equal(p, theirs[n]) for n, p in net.named_parameters())


@pytest.mark.parametrize("precision", ["64-true", "bf16-mixed"])
def test_precisions(tmp_path, precision):
    model = train(config(precision=precision), tmp_path, accelerator="cpu")
    assert all(p.isfinite().all() for p in model.parameters())


def test_config_of_today_is_written_as_it_is_typed(tmp_path):
    train(config("mixcon(weight=0.5)", epochs=1), tmp_path)
    assert 'defense = "mixcon(weight=0.5)"' in (tmp_path / "config.toml").read_text()
    assert RunFolder(tmp_path).config.defense == DefenseConfig.parse("mixcon(weight=0.5)")
