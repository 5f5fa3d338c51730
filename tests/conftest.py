"""What several test files share: small real models and data."""

import pytest
import torch

from mixcon import models
from mixcon.data import Splits, load


@pytest.fixture(scope="session")
def digits():
    """All of scikit-learn's handwritten digits."""
    return load("digits")


@pytest.fixture
def few_digits(digits):
    """Enough for a few training steps: every class, 100 training and 40 test images."""
    return Splits(digits.train.take(slice(100)), digits.test.take(slice(40)))


@pytest.fixture
def lenet():
    """An untrained LeNet-5 in evaluation mode, always the same."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return models.build("lenet5", shape=(1, 28, 28), classes=10).eval()
