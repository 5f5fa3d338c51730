"""A stack of models against the same models trained one by one."""

from collections import OrderedDict

import pytest
import torch
from torch import nn

from mixcon.data import SOURCES, load
from mixcon.errors import ConfigError, NonFiniteError
from mixcon.models import NETWORKS, Network
from mixcon.training import Progress, TrainConfig, stacking_pays, train, train_stacked
from mixcon.training.stacked import stackable


def config(defense="mixcon", seed=0, **changes):
    return TrainConfig(
        **{"data": "digits", "network": "lenet5", "epochs": 3, "batch_size": 32, "lr": 0.05,
           "optimizer": "sgd", "momentum": 0.9, "weight_decay": 1e-3, "schedule": "steps",
           "milestones": (2,), **changes},
        defense=defense,
        seed=seed,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def small(monkeypatch, few_digits):
    monkeypatch.setitem(SOURCES, "digits", lambda data_dir, seed: few_digits)


def assert_same(model, other):
    torch.testing.assert_close(model.state_dict(), other.state_dict(), rtol=1e-3, atol=1e-5)


def assert_equals_training_one_by_one(configs, tmp_path):
    stack = train_stacked(configs, load(configs[0].data))
    for i, (one, model) in enumerate(zip(configs, stack, strict=True)):
        assert not model.training
        assert_same(model, train(one, tmp_path / str(i)))


def test_equals_separate_training_over_lambda_beta_and_eps(tmp_path):
    grid = ["weight=0.1, beta=1e-2", "weight=1, beta=1e-4", "weight=2, beta=0",
            "weight=0, beta=1e-4", "weight=1, beta=1e-4, eps=1e-4"]  # fmt: skip
    assert_equals_training_one_by_one([config(f"mixcon({point})") for point in grid], tmp_path)


@pytest.mark.parametrize("barrier", ["logarithmic", "inverse-square"])
def test_equals_separate_training_with_every_barrier(tmp_path, barrier):
    betas = (1e-2, 1e-4)
    configs = [config(f"mixcon(beta={b}, barrier={barrier})", epochs=1) for b in betas]
    assert_equals_training_one_by_one(configs, tmp_path)


@pytest.mark.parametrize(
    "defense",
    ["unicon(weight={})", "nopeek(weight={})", "vanilla", "code(bits=8) + unicon(weight={}, on=z)",
     "unicon(weight={}) + mixcon(weight={}) + normalize"],
)  # fmt: skip
def test_equals_separate_training_with_other_defenses(tmp_path, defense):
    configs = [config(defense.format(w, w), epochs=1, lr=0.01) for w in (0.1, 0.5)]
    assert_equals_training_one_by_one(configs, tmp_path)


def test_every_model_has_a_quantizer_of_its_own(tmp_path):
    fine = "quantize(bits=16)"  # so that rounding hardly ever differs
    configs = [config(f"mixcon(weight={w}) + {fine}", epochs=1) for w in (0.1, 1.0)]
    assert_equals_training_one_by_one(configs, tmp_path)


def test_batch_normalization_keeps_statistics_of_each_model(tmp_path, monkeypatch):
    def build(shape, classes):
        layers = OrderedDict(conv=nn.Conv2d(1, 4, 5, 4), norm=nn.BatchNorm2d(4), relu=nn.ReLU())
        return nn.Sequential(layers | {"flatten": nn.Flatten(), "fc": nn.Linear(144, classes)})

    monkeypatch.setitem(NETWORKS, "tiny", Network(build, "relu", ""))
    changes = {"network": "tiny", "epochs": 1, "lr": 0.01}
    configs = [config(f"mixcon(weight={w})", **changes) for w in (0.1, 1.0)]
    assert_equals_training_one_by_one(configs, tmp_path)
    statistics = [m.encoder.norm.running_var for m in train_stacked(configs, load("digits"))]
    assert not torch.equal(*statistics)


def test_other_seeds_start_from_their_own_weights_and_share_the_order():
    splits = load("digits")
    both = train_stacked(
        [config("mixcon(weight=1)", seed=0), config("mixcon(weight=1)", seed=7)], splits
    )
    swapped = train_stacked(
        [config("mixcon(weight=1)", seed=7), config("mixcon(weight=1)", seed=0)], splits
    )
    alone = train_stacked([config("mixcon(weight=1)", seed=0)], splits)
    assert_same(both[0], alone[0])
    weight = "encoder.conv1.weight"
    assert not torch.allclose(both[0].state_dict()[weight], both[1].state_dict()[weight], atol=1e-2)
    # Another order of the same batches, so not the same weights.
    assert not torch.equal(both[0].state_dict()[weight], swapped[1].state_dict()[weight])


def test_same_seeds_draw_different_noise_and_the_same_again():
    configs = [config("gaussian(sigma=0.5)", epochs=1)] * 2
    one, two = train_stacked(configs, load("digits"))
    again, _ = train_stacked(configs, load("digits"))
    weight = one.state_dict()["head.fc1.weight"]
    assert not torch.allclose(weight, two.state_dict()["head.fc1.weight"])
    assert torch.equal(weight, again.state_dict()["head.fc1.weight"])


def test_a_single_noisy_model_equals_separate_training(tmp_path):
    assert_equals_training_one_by_one([config("gaussian(sigma=0.1)")], tmp_path)


def test_progress_and_records(tmp_path):
    seen = []
    configs = [config("mixcon(weight=0.1)"), config("mixcon(weight=1)")]
    train_stacked(configs, load("digits"), on_progress=seen.append)
    assert [p for p in seen if p.record is None][-1] == Progress(3, 3, 4, 4)
    records = [p.record for p in seen if p.record]
    assert [r["epoch"] for r in records] == [1, 2, 3]
    seen.clear()
    train(configs[1], tmp_path / "run", on_progress=seen.append)
    for record, alone in zip(records, [p.record for p in seen if p.record][1:], strict=True):
        for key in ("loss", "penalty", "train_accuracy"):
            assert record[key][1] == pytest.approx(alone[key], rel=1e-4)


def test_callers_random_state_stays():
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    train_stacked([config(epochs=1)], load("digits"))
    assert torch.equal(torch.rand(3), expected)


def test_double_precision_agrees_closely_with_single():
    configs = [
        config("mixcon(weight=1)", epochs=1),
        config("mixcon(weight=1)", epochs=1, precision="64-true"),
    ]
    one, two = (train_stacked([c], load("digits"))[0] for c in configs)
    assert_same(one, two)


def test_one_that_diverges_leaves_the_others_alone():
    calm, wild = config("mixcon(weight=0.1)", epochs=1), config("mixcon(weight=1e30)", epochs=1)
    (alone,) = train_stacked([calm], load("digits"))
    with pytest.warns(UserWarning, match="models 1 of the stack diverged"):
        beside, _ = train_stacked([calm, wild], load("digits"))
    assert_same(beside, alone)
    with pytest.raises(NonFiniteError, match="all models diverged in epoch 1"):
        train_stacked([wild], load("digits"))


@pytest.mark.parametrize(
    ("configs", "message"),
    [
        ([], "at least one"),
        ([config(), config(epochs=4)], "number 1 with epochs = 4 there, 3 first"),
        ([config(), config("vanilla")], "defense"),
        ([config(), config("mixcon(barrier=logarithmic)")], "barrier"),
        ([config(f"dropout(rate={r})") for r in (0.1, 0.2)], "rate"),
        ([config(precision="bf16-mixed")], "32-true or 64-true"),
        ([config("reconstructor")], "reconstructor learns or remembers"),
    ],
)
def test_what_cannot_be_stacked_is_refused(configs, message):
    with pytest.raises(ConfigError, match=message):
        train_stacked(configs, load("digits"))


def test_what_takes_no_epoch_is_left_to_train():
    assert stackable(config())
    assert not stackable(config(epochs=0))


def test_the_planner_stacks_on_gpus_alone():
    assert stacking_pays("cuda:0")
    assert not stacking_pays("cpu")
