"""The share of tokens that come back."""

import pytest
import torch

from mixcon.errors import ConfigError
from mixcon.metrics import measure, token_accuracy

ROWS = torch.eye(5)[:, 1:]


def test_it_is_the_share_of_rows_with_the_same_largest_entry():
    torch.manual_seed(0)
    original = ROWS[torch.randint(0, 5, (50, 6))]
    original[:, 0] = ROWS[1]
    found = torch.randn(50, 6, 4)
    for mine, wanted, share in zip(found, original, token_accuracy(found, original), strict=True):
        pairs = [(a.argmax(), x.argmax()) for a, x in zip(mine, wanted, strict=True) if x.any()]
        assert share == pytest.approx(sum(a == b for a, b in pairs) / len(pairs))


def test_a_copy_at_any_scale_is_perfect_and_what_follows_the_end_does_not_count():
    original = ROWS[torch.tensor([[1, 2, 0, 0], [4, 3, 2, 1]])]
    assert token_accuracy(0.1 * original - 5, original).tolist() == [1, 1]
    noise = original.clone()
    noise[0, 2:] = 7.0
    assert token_accuracy(noise, original).tolist() == [1, 1]
    assert token_accuracy(original, 0 * original).tolist() == [0, 0]


def test_of_several_largest_entries_each_counts_for_its_part():
    original = ROWS[torch.tensor([[1, 2]])]
    tied = torch.tensor([[[1.0, 1.0, 0, 0], [0.0, 0, 0, 0]]])
    assert token_accuracy(tied, original).item() == pytest.approx((1 / 2 + 1 / 4) / 2)


def test_texts_are_measured_by_it_and_sounds_are_not():
    original = ROWS[torch.tensor([[1, 2], [3, 4]])]
    assert set(measure(original + 0.1, original)) == {"tokens", "cosine", "mse"}
    assert "tokens" not in measure(original, original + 0.1)
    with pytest.raises(ConfigError, match="shape"):
        token_accuracy(original[:, :1], original)
