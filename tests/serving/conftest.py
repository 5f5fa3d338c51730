"""One real export, served on a real socket, for all tests of serving."""

import contextlib
import threading
import time

import pytest
import torch

from mixcon import models
from mixcon.channels import GaussianNoise, Normalize, Quantize, compose
from mixcon.serving import CloudServer, Limits, export


@pytest.fixture(scope="session")
def keys(tmp_path_factory):
    """Where the signing key lies; its public half is beside it."""
    return tmp_path_factory.mktemp("keys") / "key.pem"


@pytest.fixture(scope="session")
def trust(keys):
    return keys.with_suffix(".pub.pem")


def trained(digits, channel=None):
    """A LeNet-5 after a few steps on digits, so that labels mean something."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = models.build("lenet5", (1, 28, 28), 10, channel=channel).train()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
        for _ in range(6):
            for x, y in digits.train.batches(16):
                optimizer.zero_grad()
                torch.nn.functional.cross_entropy(model(x), y).backward()
                optimizer.step()
    return model.eval()


@pytest.fixture(scope="session")
def plain(digits):
    return trained(digits)


@pytest.fixture(scope="session")
def noisy(digits):
    """Normalized, with noise, in 8 bits."""
    return trained(digits, compose(Normalize(), GaussianNoise(0.05), Quantize(8)))


def exported(model, digits, folder, keys, name="digits"):
    samples = digits.train.floats()
    return export(model, samples, folder, name=name, classes=digits.train.classes, kind="image",
                  key=keys)  # fmt: skip


@pytest.fixture(scope="session")
def plain_export(plain, digits, keys, tmp_path_factory):
    return exported(plain, digits, tmp_path_factory.mktemp("plain"), keys)


@pytest.fixture(scope="session")
def noisy_export(noisy, digits, keys, tmp_path_factory):
    return exported(noisy, digits, tmp_path_factory.mktemp("noisy"), keys)


@contextlib.contextmanager
def serving(folder, trust, **settings):
    """A server in a thread of its own; the URL, while it runs."""
    server = CloudServer(folder, trust=trust, unaudited=True, **settings)
    listener, url = server.bind("127.0.0.1", 0)
    thread = threading.Thread(target=server.uvicorn.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.uvicorn.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield url
    finally:
        server.uvicorn.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


@pytest.fixture(scope="session")
def url(plain_export, trust):
    """A server of the plain export with short time-outs."""
    limits = Limits(receive_timeout=2.0, max_batch=64)
    with serving(plain_export.folder / "cloud", trust, limits=limits) as address:
        yield address
