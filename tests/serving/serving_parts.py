"""What tests of serving share: real exports, servers on real sockets, certificates."""

import contextlib
import datetime
import ipaddress
import socket
import threading
import time

import numpy as np
import torch
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from mixcon import models
from mixcon.serving import CloudServer, export

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
                  key=keys)  # fmt: skip


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


def certificate(name, folder, issuer=None, *, host=None, days=1):
    """A certificate signed by `issuer`, or an authority of its own; files NAME.pem, NAME.key.

    It is for 127.0.0.1, or for the host named.
    """
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    usage = x509.KeyUsage(
        True, False, False, False, False, issuer is None, issuer is None, False, False
    )
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(issuer is None, None), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        named = x509.DNSName(host) if host else address
        builder = builder.add_extension(x509.SubjectAlternativeName([named]), critical=False)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key())
        builder = builder.add_extension(authority, critical=False)
    signed = builder.sign(issuer[1] if issuer else key, hashes.SHA256())
    (folder / f"{name}.pem").write_bytes(signed.public_bytes(Encoding.PEM))
    (folder / f"{name}.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return signed, key
