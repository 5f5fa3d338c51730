"""What the tests of data share: a cache of their own."""

import pytest


@pytest.fixture
def own_cache(tmp_path_factory, monkeypatch):
    """Nothing that one test decoded is there for another, and nothing lands in the user's home."""
    monkeypatch.setenv("MIXCON_CACHE", str(tmp_path_factory.mktemp("cache")))
