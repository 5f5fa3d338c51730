"""Images, vectors and sequences: who has to know of which kind an input is asks in one place."""

import re
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from torch import nn

import mixcon
from mixcon.attacks import ATTACKS, Auxiliary, WhiteBox, strongest
from mixcon.attacks.prototypes import most_parallel
from mixcon.data import LabeledSet
from mixcon.errors import ConfigError, DataError
from mixcon.kinds import Kind, has_structure
from mixcon.metrics import cosine, measure, metric_named, reidentify

SHAPES = {
    Kind.IMAGE: (1, 12, 12),
    Kind.VECTOR: (5,),
    Kind.SEQUENCE: (2, 9),
    Kind.TEXT: (4, 7),
}
NUMBERS = [kind for kind in Kind if kind is not Kind.TEXT]


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_shape_says_of_which_kind_it_is(kind):
    assert Kind.of(SHAPES[kind]) is kind
    assert Kind.of_samples(torch.rand(3, *SHAPES[kind])) is kind
    assert [each for each in NUMBERS if each.fits(SHAPES[kind])] == [kind]


def test_texts_are_told_from_other_sequences_by_what_is_in_them():
    texts = torch.eye(8)[:, 1:][torch.tensor([[1, 7, 3, 0], [2, 2, 0, 0]])]
    assert Kind.of(texts.shape[1:]) is Kind.SEQUENCE
    assert Kind.of_samples(texts) is Kind.TEXT
    assert Kind.of_samples(0.5 * texts) is Kind.SEQUENCE
    assert Kind.of_samples(texts + texts.roll(1, 2)) is Kind.SEQUENCE
    assert Kind.of_samples(0 * texts) is Kind.SEQUENCE
    assert Kind.of_samples(texts[:0]) is Kind.SEQUENCE
    assert Kind.of_samples(texts.flip(1)) is Kind.SEQUENCE  # events, and no text


@pytest.mark.parametrize("kind", Kind)
def test_a_verdict_rests_on_a_metric_with_a_finite_score_of_a_copy(kind):
    assert all(metric_named(name).perfect < float("inf") for name in kind.headlines)


def test_other_shapes_and_names_are_refused():
    with pytest.raises(ConfigError, match="for sequences, but got"):
        Kind.of((3, 4, 8, 8))
    with pytest.raises(ConfigError, match="image, vector, sequence, text, but got 'images'"):
        strongest("images")
    assert not has_structure((1, 8, 12))
    assert not has_structure((12, 12))


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_data_set_knows_its_kind(kind):
    inputs = torch.rand(4, *SHAPES[kind])
    labels = torch.tensor([0, 1, 0, 1])
    if kind is Kind.IMAGE:
        inputs = (255 * inputs).byte()
    known = LabeledSet("own", inputs, labels, ("a", "b"))
    assert known.kind is kind
    assert (known.floats().max() <= 1) or kind is not Kind.IMAGE
    other = inputs.float() if kind is Kind.IMAGE else inputs.byte()
    with pytest.raises(DataError, match="float32 sequences"):
        LabeledSet("own", other, labels, ("a", "b"))


def test_no_other_module_counts_dimensions():
    """The question has one home."""
    source = Path(mixcon.__file__).parent
    asks = re.compile(r"(ndim|dim\(\)) [=!]= [34]\b")
    assert not [p.name for p in source.rglob("*.py") if asks.search(p.read_text())]


def quick(name):
    attack = ATTACKS[name]
    counted = [f.name for f in fields(attack) if f.name.endswith("steps")]
    return attack(**dict.fromkeys(counted, 3))


@pytest.mark.parametrize("name", [name for name, a in ATTACKS.items() if Kind.SEQUENCE in a.inputs])
def test_attacks_on_sequences(name):
    torch.manual_seed(0)
    shape = SHAPES[Kind.SEQUENCE]
    encoder = nn.Sequential(nn.Conv1d(2, 3, 3), nn.ReLU())
    own = Auxiliary(torch.randn(40, *shape), torch.arange(40) % 2)
    head = nn.Sequential(nn.Flatten(), nn.Linear(21, 2))
    known = WhiteBox.of(encoder, shape=shape, auxiliary=own, head=head)
    attack = quick(name).tuned(known)
    with torch.no_grad():
        z = encoder(torch.randn(3, *shape))
    found = attack.fit(known)(z)
    assert found.shape == (3, *shape)
    assert found.isfinite().all()


def test_the_most_parallel_answer_has_the_largest_expected_cosine():
    torch.manual_seed(0)
    samples = torch.randn(1, 5, 2, 9) * torch.tensor([0.01, 1, 1, 10, 1]).view(1, 5, 1, 1)
    weights = torch.tensor([[0.4, 0.2, 0.2, 0.1, 0.1]])

    def expected(answer):
        return (weights[0] * cosine(answer.expand(5, -1, -1), samples[0])).sum()

    best = most_parallel(samples, weights)
    assert best.shape == (1, 2, 9)
    others = [best + 0.1 * best.norm() * torch.randn_like(best) for _ in range(50)]
    mean = (weights.view(1, 5, 1, 1) * samples).sum(1)
    assert all(expected(best) > expected(other) for other in [*others, mean])
    assert torch.allclose(most_parallel(samples[:, :1], torch.ones(1, 1)), samples[:, 0])


def test_metrics_of_sequences_do_not_ask_for_images():
    a, b = torch.randn(2, 4, *SHAPES[Kind.SEQUENCE])
    assert set(measure(a, b)) == {"mse", "cosine", "si-sdr", "log-mel"}
    others = torch.randn(30, *SHAPES[Kind.SEQUENCE])
    faint = 0.01 * b + 0.001 * a
    assert reidentify(faint, b, others).hit.min() == 1  # volume is no obstacle
