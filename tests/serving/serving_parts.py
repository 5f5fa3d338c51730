"""What tests of serving share: real exports, and servers on real sockets."""

import contextlib
import socket
import threading
import time

import numpy as np
import torch

from mixcon import models
from mixcon.serving import CloudServer, CloudService, export

INFER = "/v2/models/digits/infer"


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


def exported(model, digits, folder, keys, name="digits"):
    samples = digits.train.floats()
    return export(model, samples, folder, name=name, classes=digits.train.classes, kind="image",
                  key=keys, sequence=1)  # fmt: skip


def made(folder, trust, tls=None, **settings):
    """A server that has not begun."""
    return CloudServer(
        CloudService(folder, trust=trust, **{"unaudited": True, **settings}), tls=tls
    )


@contextlib.contextmanager
def serving(folder, trust, **settings):
    """A server in a thread of its own; the URL, while it runs."""
    with serving_both(folder, trust, with_grpc=False, **settings) as (url, _):
        yield url


@contextlib.contextmanager
def serving_both(folder, trust, with_grpc=True, **settings):
    """The same, and the address of gRPC."""
    server = made(folder, trust, **settings)
    listener, url = server.bind("127.0.0.1", 0)
    address = None
    if with_grpc:
        other, named = server.bind("127.0.0.1", 0)
        server.add_grpc(other)
        address = named.split("://")[1]
    thread = threading.Thread(target=server.uvicorn.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        while not server.uvicorn.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield url, address
    finally:
        server.uvicorn.should_exit = True
        thread.join(60)
        assert not thread.is_alive()


def connect(url):
    host, port = url.split("://")[1].split(":")
    return socket.create_connection((host, int(port)), timeout=60)


def everything(connection):
    """What the server sends until it closes."""
    content = b""
    try:
        while part := connection.recv(65536):
            content += part
    except ConnectionResetError:
        pass
    return content


def random_z(rows, seed=0):
    return np.random.default_rng(seed).random((rows, 16, 5, 5), np.float32)


def as_json(z, **more):
    tensor = {"name": "z", "datatype": "FP32", "shape": list(z.shape), "data": z.ravel().tolist()}
    return {"inputs": [tensor], **more}
