"""What the generative, the query-free and the deep-prior attack can do."""

import pytest
import torch
from torch.nn import functional as F

from mixcon import models
from mixcon.attacks import Auxiliary, DeepPrior, GanDecoder, Knowledge, QueryFree, WhiteBox
from mixcon.attacks._networks import discriminator, shadow_encoder
from mixcon.attacks.gan_decoder import discriminator_loss, generator_loss
from mixcon.errors import KnowledgeError
from mixcon.metrics import global_mean, ssim


@pytest.fixture(scope="module")
def trained(digits):
    """A LeNet-5 that reads digits."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = models.build("lenet5", shape=(1, 28, 28), classes=10)
        adam = torch.optim.Adam(model.parameters(), 3e-3)
        x, y = digits.train.floats(), digits.train.labels
        for _ in range(40):
            index = torch.randint(len(x), (64,))
            adam.zero_grad()
            F.cross_entropy(model(x[index]), y[index]).backward()
            adam.step()
    return model.eval().requires_grad_(False)


@pytest.fixture(scope="module")
def own(digits):
    return Auxiliary(digits.train.floats(), digits.train.labels)


def known(encoder, auxiliary=None):
    return WhiteBox.of(encoder, shape=(1, 28, 28), box=(0.0, 1.0), auxiliary=auxiliary)


def attacked(attack, knowledge, z):
    torch.manual_seed(0)
    return attack.fit(knowledge)(z)


def test_losses_of_the_gan_by_hand():
    zero = torch.zeros(2, 1)
    assert discriminator_loss(zero, zero).item() == pytest.approx(2 * torch.tensor(2.0).log())
    x, z = torch.rand(2, 1, 2, 2), torch.rand(2, 3)
    far = generator_loss(zero, x + 0.5, x, z - 0.25, z, xi=10.0)
    assert far.item() == pytest.approx(torch.tensor(2.0).log() + 10 * (0.5 + 0.25))


def test_losses_of_the_gan_have_the_right_signs():
    """The generator wants small errors and to look real; the discriminator to tell both apart."""
    low, high = torch.full((2, 1), -3.0), torch.full((2, 1), 3.0)
    x, z = torch.rand(2, 1, 2, 2), torch.rand(2, 3)
    assert generator_loss(high, x, x, z, z, 10.0) < generator_loss(low, x, x, z, z, 10.0)
    assert generator_loss(low, x, x, z, z, 10.0) < generator_loss(low, x + 1, x, z, z, 10.0)
    assert generator_loss(low, x, x, z, z, 10.0) < generator_loss(low, x, x, z + 1, z, 10.0)
    assert discriminator_loss(high, low) < discriminator_loss(low, high)


def test_gan_decoder_learns_to_reconstruct(trained, own, digits):
    victims = digits.test.take(slice(40)).floats()
    z, knowledge = trained.encoder(victims), known(trained.encoder, own)
    early, late = (attacked(GanDecoder(steps=n, batch_size=32), knowledge, z) for n in (5, 40))
    assert (late - victims).abs().mean() < 0.7 * (early - victims).abs().mean()
    assert ssim(late, victims).mean() > ssim(global_mean(own.inputs, 40), victims).mean() + 0.2


def test_deep_prior_inverts_an_encoder_it_can_differentiate(trained, digits):
    victims = digits.test.take(slice(3)).floats()
    z = trained.encoder(victims)
    found = attacked(DeepPrior(steps=150), known(trained.encoder), z)
    assert ssim(found, victims).mean() > 0.5
    off = (trained.encoder(found) - z).flatten(1).norm(dim=1) / z.flatten(1).norm(dim=1)
    assert off.max() < 0.2


def test_query_free_beats_an_attacker_without_z(trained, own, digits):
    """It gets no encoder and no query, and may ask only the head."""
    victims = digits.test.take(slice(100)).floats()
    knowledge = Knowledge(shape=(1, 28, 28), box=(0.0, 1.0), auxiliary=own, head=trained.head)
    z = trained.encoder(victims)
    found = attacked(QueryFree(steps=100, shadows=2, batch_size=64), knowledge, z)
    floor = ssim(global_mean(own.inputs, 100), victims).mean()
    assert ssim(found, victims).mean() > floor + 0.05
    assert ssim(found.flip(0), victims).mean() < ssim(found, victims).mean() - 0.05


def test_query_free_needs_the_head(own):
    with pytest.raises(KnowledgeError, match="query-free: expected the head"):
        QueryFree().fit(Knowledge(shape=(1, 28, 28), auxiliary=own))


@pytest.mark.parametrize("x", [(1, 28, 28), (3, 33, 20), (1, 8, 8)])
def test_strangers_fit_any_shape(x):
    images = torch.rand(2, *x)
    assert discriminator(x)(images).shape == (2, 1)
    for z in ((10,), (16, 5, 5), (4, 28, 28)):
        assert shadow_encoder(x, z, rectified=False)(images).shape == (2, *z)
        assert shadow_encoder(x, z, rectified=True)(images).min() >= 0


def test_shadows_of_vectors():
    z = shadow_encoder((6,), (3, 2), rectified=False)(torch.randn(5, 6))
    assert z.shape == (5, 3, 2)
    assert (z < 0).any()
