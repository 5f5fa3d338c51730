"""The level of chance, against scipy's exact binomial test."""

import pytest
import torch
from scipy.stats import binomtest

from mixcon.metrics import chance_level


@pytest.mark.parametrize(("count", "classes"), [(364, 10), (1000, 2), (60, 3)])
def test_the_level_is_where_the_exact_test_turns(count, classes):
    labels = torch.arange(count) % classes
    share = labels.bincount().max().item() / count
    hits = round(chance_level(labels) * count)
    at, above = (binomtest(k, count, share, alternative="greater").pvalue for k in (hits, hits + 1))
    assert above <= 0.001 < at


def test_the_largest_class_counts():
    labels = torch.tensor([0] * 900 + [1] * 100)
    assert chance_level(labels) == pytest.approx(0.9 + 3.09 * 0.0095, abs=2e-3)


def test_one_class_or_few_samples_prove_nothing():
    assert chance_level(torch.zeros(50).long()) == 1.0
    assert chance_level(torch.arange(4)) == 1.0
