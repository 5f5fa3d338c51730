"""The parts of the search over readings, each against what it stands in for."""

import math

import pytest
import torch

from mixcon.attacks import RmlePaper, WhiteBox
from mixcon.data import load
from mixcon.losses import mixcon_loss
from mixcon.models import build
from mixcon.paper import Row
from mixcon.paper._kept import Kept
from mixcon.paper._mlp_stack import Penalties, Stack, _mixcon, train_stack
from mixcon.paper._plain_training import epoch_order, fit
from mixcon.paper._psim_networks import PSIMS, psims
from mixcon.paper._reading_attack import RESIDUALS, invert
from mixcon.paper._reading_synthetic import START, _trained
from mixcon.paper._search import Search, deviations
from mixcon.paper._synthetic import SEPARATED, config
from mixcon.training import TrainConfig, train


def row(paper, *ours):
    return Row(setting="x", quantity="y", paper=paper, ours=list(ours))


def test_a_score_is_the_mean_deviation_in_units_of_the_papers_number():
    rows = [row(50.0, 25.0, 50.0), row(2.0, 3.0, 9.0), row(0.0, 0.1, 0.0), row(1.0, math.nan, 1.0)]
    assert deviations(rows) == pytest.approx([(0.5 + 0.5 + 0.1 + 1) / 4, (0 + 1 + 0 + 0) / 4])


def test_a_search_measures_each_reading_once_and_keeps_the_best():
    asked = []

    def measure(reading):
        asked.append(dict(reading))
        return [row(1.0, 1 + abs(reading["a"] - 2) / 10 + abs(reading["b"] - 1) / 10)]

    search = Search(measure)
    axes = {"a": (0, 1, 2, 3), "b": (0, 1)}
    assert search.descend({"a": 0, "b": 0}, axes) == {"a": 2, "b": 1}
    assert search.grid({"a": 0, "b": 0}, axes) == {"a": 2, "b": 1}
    assert len(asked) == len(search.tried) == 8


def test_a_tie_keeps_what_was_there():
    search = Search(lambda _: [row(1.0, 1.0)])
    assert search.descend({"a": 1}, {"a": (0, 1, 2)}) == {"a": 1}


def test_a_measurement_is_kept_with_its_time(tmp_path):
    first, again = Kept(tmp_path), Kept(tmp_path)
    assert first.value(["a", 1], lambda: [1.5]) == [1.5]
    assert again.value(["a", 1], lambda: pytest.fail("measured twice")) == [1.5]
    assert again.seconds == first.seconds


def test_balanced_batches_hold_the_same_number_of_each_class():
    labels = torch.tensor([0] * 30 + [1] * 30 + [2] * 40)
    order = epoch_order(labels, seed=0, epoch=1, balanced=True)
    assert sorted(order.tolist()) == list(range(100))
    for batch in labels[order][:90].split(9):
        assert batch.bincount().tolist() == [3, 3, 3]
    assert not torch.equal(order, epoch_order(labels, seed=0, epoch=2, balanced=True))


def test_plain_training_gives_the_weights_of_train(tmp_path):
    given = TrainConfig(
        data="digits[:200]",
        network="lenet5",
        defense="mixcon(weight=1, beta=1e-4)",
        optimizer="sgd",
        schedule="constant",
        epochs=2,
        batch_size=32,
        ramp=1,
    )
    expected = train(given, tmp_path / "run").state_dict()
    for name, found in fit(given, given.load_data()).state_dict().items():
        assert torch.allclose(found, expected[name], atol=1e-6), name


def test_a_stack_gives_the_weights_of_train(tmp_path):
    """Seeds 0 and 1 in one stack, beside seed 1 alone; few steps, for rounding grows fast."""
    given = config(SEPARATED, "smoke", 1).model_copy(update={"batch_size": 100, "epochs": 1})
    expected = list(train(given, tmp_path / "run").state_dict().values())
    reading = {**START, "activation": "leaky relu", "batch": 100}
    stack = _trained(reading, "mlp", [(0.1, 0.01)], (0, 1), given.epochs)
    for (weight, bias), own, offset in zip(
        stack.layers, expected[::2], expected[1::2], strict=True
    ):
        assert torch.allclose(weight[1].T, own, atol=1e-3)
        assert torch.allclose(bias[1, 0], offset, atol=1e-3)


def test_the_penalty_of_a_stack_is_mixcon_loss():
    z = torch.randn(3, 10, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    y = torch.tensor([[0, 1] * 5, [1] * 7 + [0] * 3, [1] * 10])
    numbers = torch.full((3,), 0.01)
    found = _mixcon(z, y, Penalties(numbers, numbers, numbers))
    alone = [
        mixcon_loss(a, b, beta=0.01, eps=0.01, normalize=False) for a, b in zip(z, y, strict=True)
    ]
    assert torch.allclose(found, torch.stack(alone))
    slopes = [torch.autograd.grad(each, z)[0] for each in (found.sum(), sum(alone))]
    assert torch.allclose(*slopes, atol=1e-5)


def test_a_network_that_diverges_leaves_the_others_alone():
    def trained(weights):
        generator = torch.Generator().manual_seed(0)
        layers = [
            (torch.randn(1, a, b, generator=generator).repeat(len(weights), 1, 1) / a**0.5,
             torch.zeros(len(weights), 1, b))
            for a, b in ((10, 8), (8, 2), (2, 8), (8, 2))
        ]  # fmt: skip
        stack = Stack(layers, torch.relu, after=False)
        x = torch.randn(1, 20, 10, generator=generator).repeat(len(weights), 1, 1)
        y = (torch.arange(20) % 2).repeat(len(weights), 1)
        same = torch.full((len(weights),), 0.01)
        order = torch.arange(20).repeat(len(weights), 1)
        penalties = Penalties(torch.tensor(weights), same, same)
        train_stack(stack, x, y, [order] * 3, penalties, batch=5, lr=0.1, softmaxes=1)
        return stack.layers[0][0]

    alone, beside = trained([0.1]), trained([0.1, 1e38])
    assert torch.equal(alone[0], beside[0])
    assert not beside[1].isfinite().all()


@pytest.fixture(scope="module")
def digits():
    data = load("digits")
    torch.manual_seed(0)
    model = build("lenet5", data.train.shape, 10).eval().requires_grad_(False)
    return data, model.encoder


def test_the_first_reading_of_the_attack_is_rmle_paper(digits):
    data, encoder = digits
    z = encoder(data.test.floats(slice(3)))
    knowledge = WhiteBox.of(encoder, shape=data.test.shape)
    found = invert(
        encoder, z, data.test.shape,
        residual="mean", tv=1e-5, attacked="normalized", pixels="stretched", steps=5,
    )  # fmt: skip
    assert torch.allclose(found, RmlePaper(steps=5).fit(knowledge)(z), atol=1e-6)


@pytest.mark.parametrize("residual", RESIDUALS)
@pytest.mark.parametrize("attacked", ["normalized", "as sent"])
def test_every_reading_of_the_attack_gives_images(digits, residual, attacked):
    data, encoder = digits
    z = encoder(data.test.floats(slice(2)))
    z[1] *= 1e30  # diverges
    found = invert(
        encoder, z, data.test.shape,
        residual=residual, tv=0.01, attacked=attacked, pixels="clamped", steps=3,
    )  # fmt: skip
    assert found.min() >= 0
    assert found.max() <= 1


def test_psim_of_a_copy_is_1_and_less_the_further_away(digits):
    data, encoder = digits
    images = data.test.floats(slice(4))
    noise = torch.rand(images.shape, generator=torch.Generator().manual_seed(0))
    copies, near, far = (
        psims(torch.lerp(images, noise, share), images, data.train, encoder, 20)
        for share in (0.0, 0.1, 0.9)
    )
    for name in PSIMS:
        assert copies[name] == pytest.approx([1.0] * 4, abs=1e-5)
        assert all(1 > a > b for a, b in zip(near[name], far[name], strict=True)), name
