"""Texts changed token by token: against exhaustive search, and behind a real transformer."""

import itertools

import pytest
import torch
from torch import nn

from mixcon.attacks import Auxiliary, Posterior, TokenSearch, WhiteBox
from mixcon.channels import GaussianNoise
from mixcon.data import load
from mixcon.errors import KnowledgeError
from mixcon.metrics import class_mean, token_accuracy
from mixcon.models import transformer
from mixcon.split import split_model


def rows(tokens, words):
    return torch.eye(words + 1)[:, 1:][tokens]


@pytest.fixture(scope="module")
def few():
    """All texts of 3 words or fewer out of 4, behind a small network."""
    torch.manual_seed(0)
    each = [itertools.product(range(1, 5), repeat=count) for count in (1, 2, 3)]
    every = rows(torch.tensor([(*text, 0, 0)[:3] for texts in each for text in texts]), 4)
    order = torch.randperm(len(every))
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 9), nn.Tanh(), nn.Linear(9, 6))
    net.requires_grad_(False)
    own = Auxiliary(every[order[:40]], torch.zeros(40).long())
    return net, own, every, every[order[40:60]]


def test_it_finds_what_the_exhaustive_search_finds(few):
    net, own, every, victims = few
    known = WhiteBox.of(net, shape=(3, 4), box=(0.0, 1.0), auxiliary=own)
    z = known.query(victims)
    best = every[torch.cdist(z, known.query(every)).argmin(1)]
    assert torch.equal(best, victims)  # what is sent says all
    found = TokenSearch(starts=8, prior=0.0).fit(known)(z)
    right = (found == best).flatten(1).all(1)
    assert right.float().mean() >= 0.75  # the rest ends where no single token helps
    assert set(found.unique().tolist()) == {0.0, 1.0}


def test_the_prior_decides_where_z_says_nothing():
    words = torch.tensor([[1, 2], [1, 2], [1, 2], [3, 4], [2, 1]] * 8)
    own = Auxiliary(rows(words, 4), torch.zeros(40).long())
    known = WhiteBox.of(
        nn.Flatten(), GaussianNoise(100.0), shape=(2, 4), box=(0.0, 1.0), auxiliary=own
    )
    torch.manual_seed(0)
    z = known.query(own.inputs[:10])
    found = TokenSearch(prior=100.0, starts=40).fit(known)(z)
    assert torch.equal(found, rows(torch.tensor([[1, 2]]), 4).expand(10, -1, -1))


def test_it_reads_messages_behind_attention_where_the_likeliest_sample_does_not():
    data = load("messages")
    torch.manual_seed(0)
    model = split_model(transformer(data.train.shape, 6), at="block1")
    own = data.train.take(slice(1000))
    known = WhiteBox.of(
        model.encoder,
        shape=own.shape,
        box=(0.0, 1.0),
        auxiliary=Auxiliary(own.floats(), own.labels),
    )
    few = data.test.take(slice(4))
    truth, z = few.floats(), known.query(few.floats())
    found = token_accuracy(TokenSearch(steps=2, starts=1).fit(known)(z), truth).mean()
    near = token_accuracy(Posterior().fit(known)(z), truth).mean()
    guess = token_accuracy(class_mean(own.floats(), own.labels, few.labels), truth).mean()
    assert found > 0.95
    assert found > near > guess


def test_other_sequences_are_none_of_its_business():
    own = Auxiliary(torch.randn(20, 3, 4), torch.zeros(20).long())
    known = WhiteBox.of(nn.Flatten(), shape=(3, 4), auxiliary=own)
    with pytest.raises(KnowledgeError, match="texts, but got WhiteBox of sequences"):
        TokenSearch().fit(known)
