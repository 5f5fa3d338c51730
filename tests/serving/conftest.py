"""One real export, served on a real socket, for all tests of serving."""

import pytest
from serving_parts import exported, serving, trained

from mixcon.channels import GaussianNoise, Normalize, Quantize, compose
from mixcon.serving import ServerLimits


@pytest.fixture
def own_state(tmp_path, monkeypatch):
    """A memory of contracts for one test."""
    monkeypatch.setenv("MIXCON_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Where the signing key lies; its public half is beside it."""
    return tmp_path_factory.mktemp("keys") / "key.pem"


@pytest.fixture(scope="session")
def trust(keys):
    return keys.with_suffix(".pub.pem")


@pytest.fixture(scope="session")
def plain(digits):
    return trained(digits)


@pytest.fixture(scope="session")
def noisy(digits):
    """Normalized, with noise, in 8 bits."""
    return trained(digits, compose(Normalize(), GaussianNoise(0.05), Quantize(8)))


@pytest.fixture(scope="session")
def plain_export(plain, digits, keys, tmp_path_factory):
    return exported(plain, digits, tmp_path_factory.mktemp("plain"), keys)


@pytest.fixture(scope="session")
def noisy_export(noisy, digits, keys, tmp_path_factory):
    return exported(noisy, digits, tmp_path_factory.mktemp("noisy"), keys)


@pytest.fixture(scope="session")
def url(plain_export, trust):
    """A server of the plain export with short time-outs."""
    limits = ServerLimits(receive_timeout=2.0, max_batch=64)
    with serving(plain_export.folder / "cloud", trust, limits=limits) as address:
        yield address
