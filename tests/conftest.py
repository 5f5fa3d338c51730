"""What several test files share: small real models and data."""

import os

import pytest
import torch

from mixcon import models
from mixcon.data import Splits, load


def pytest_collection_modifyitems(items):
    """Whole commands first: they take long, and one that begins last is waited for by all."""
    items.sort(key=lambda item: item.get_closest_marker("smoke") is None)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """A cache of the tests' own, shared by the workers of one run; sub-processes inherit it."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "cache"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXCON_CACHE", str(folder))
        yield folder


@pytest.fixture(scope="session", autouse=True)
def state(tmp_path_factory):
    """Which contracts were used and exported is remembered for these tests alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIXCON_STATE", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """An empty cache for one test."""
    monkeypatch.setenv("MIXCON_CACHE", str(tmp_path / "own-cache"))
    return tmp_path / "own-cache"


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
