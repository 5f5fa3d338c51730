"""What the learned attacks can do, and what they may not need."""

import pytest
import torch
from torch import nn

from mixcon.attacks import Auxiliary, Decoder, Query, QueryDecoder, RmlePaper, WhiteBox
from mixcon.attacks._fitting import InverseNetwork, unlikeness
from mixcon.errors import KnowledgeError
from mixcon.metrics import ssim
from mixcon.models.decoder import inverse_network


class Noisy(nn.Module):
    """Inputs plus Gaussian noise, also in evaluation mode."""

    def __init__(self, sigma=0.0):
        super().__init__()
        self.sigma = sigma

    def forward(self, x):
        return x + self.sigma * torch.randn_like(x)


def own(digits, count=1200):
    train = digits.train.take(slice(count))
    return Auxiliary(train.floats(), train.labels)


def known(encoder, auxiliary, **more):
    return WhiteBox.of(encoder, shape=(1, 28, 28), box=(0.0, 1.0), auxiliary=auxiliary, **more)


def attacked(attack, knowledge, z):
    torch.manual_seed(0)
    return attack.fit(knowledge)(z)


@pytest.mark.parametrize(
    "x", [(1, 28, 28), (3, 32, 32), (1, 64, 64), (3, 224, 224), (2, 8, 8), (1, 37, 50), (7,)]
)
@pytest.mark.parametrize("z", [(10,), (16, 5, 5), (40, 8, 8), (6, 28, 28), (4, 64, 64)])
def test_networks_fit_any_representation(z, x):
    assert inverse_network(z, x)(torch.randn(2, *z)).shape == (2, *x)


def test_decoder_beats_the_attack_of_the_paper(lenet, digits):
    victims = digits.test.take(slice(40)).floats()
    z = lenet.encoder(victims).detach()
    knowledge = known(lenet.encoder, own(digits))
    found = attacked(Decoder(steps=60, batch_size=64), knowledge, z)
    weak = attacked(RmlePaper(steps=100), knowledge, z)
    assert ssim(found, victims).mean() > ssim(weak, victims).mean() + 0.1


def test_decoder_knows_no_scale(lenet, digits):
    """A contracted representation tells as much, unless it drowns in rounding."""

    class Contracted(nn.Module):
        def forward(self, x):
            return 5 + 2.0**-10 * lenet.encoder(x)

    victims = digits.test.take(slice(20)).floats()
    found = [
        attacked(Decoder(steps=30), known(encoder, own(digits)), encoder(victims).detach())
        for encoder in (lenet.encoder, Contracted())
    ]
    scores = [ssim(images, victims).mean().item() for images in found]
    assert scores[1] == pytest.approx(scores[0], abs=0.05)


def test_decoder_learns_the_noise(digits):
    """One that trains on what is released beats one that trains without the noise."""
    victims = digits.test.take(slice(40)).floats()
    torch.manual_seed(1)
    z = Noisy(0.5)(victims)
    aware, blind = (
        attacked(Decoder(steps=60, batch_size=64), known(Noisy(sigma), own(digits)), z)
        for sigma in (0.5, 0.0)
    )
    assert ssim(aware, victims).mean() > ssim(blind, victims).mean() + 0.1


def test_decoder_asks_anew_for_every_batch_and_query_asks_once(lenet, digits):
    def asked(attack):
        sent = []

        def query(x):
            sent.append(len(x))
            return lenet.encoder(x).detach()

        knowledge = Query(shape=(1, 28, 28), box=(0.0, 1.0), auxiliary=own(digits), query=query)
        attack.fit(knowledge)
        return sum(sent)

    assert asked(QueryDecoder(queries=50, steps=9)) == 50
    assert asked(Decoder(steps=9, batch_size=64)) >= 9 * 64


def test_more_queries_give_away_more(lenet, digits):
    victims = digits.test.take(slice(40)).floats()
    z, knowledge = lenet.encoder(victims).detach(), known(lenet.encoder, own(digits))
    scores = [
        ssim(
            attacked(QueryDecoder(queries=n, steps=60, batch_size=64), knowledge, z), victims
        ).mean()
        for n in (20, 1200)
    ]
    assert scores == sorted(scores)
    assert scores[-1] > scores[0] + 0.1


def test_one_sample_is_too_few(lenet, digits):
    with pytest.raises(KnowledgeError, match="at least 2 auxiliary samples, but got 1"):
        Decoder().fit(known(lenet.encoder, own(digits, 1)))


def test_vectors_come_back_whatever_their_scale():
    samples = 1e3 * torch.randn(2000, 4, generator=torch.Generator().manual_seed(0))
    encoder = nn.Linear(4, 9).requires_grad_(False)
    knowledge = WhiteBox.of(
        encoder, shape=(4,), auxiliary=Auxiliary(samples[100:], torch.zeros(1900))
    )
    found = attacked(Decoder(steps=200), knowledge, encoder(samples[:100]))
    assert (found - samples[:100]).abs().mean() < 100


def test_numbers_that_do_not_vary_are_not_blown_up():
    z = torch.ones(50, 3)
    z[:, 0] = torch.arange(50.0)
    z[0, 1] += 1e-6
    network = InverseNetwork(z, torch.rand(50, 2), None)
    assert network.z(z).abs().max() < 2


def test_unlikeness_is_zero_for_equals_and_counts_each_image():
    a, b = torch.rand(2, 3, 1, 16, 16).unbind()
    assert unlikeness(a, a, (0.0, 1.0)).tolist() == pytest.approx([0, 0, 0], abs=1e-6)
    assert torch.allclose(unlikeness(a, b, (0.0, 1.0))[1:], unlikeness(a[1:], b[1:], (0.0, 1.0)))
    assert torch.allclose(unlikeness(5 * a, 5 * b, (0.0, 5.0)), unlikeness(a, b, (0.0, 1.0)))
