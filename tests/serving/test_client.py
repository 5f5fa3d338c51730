"""The edge client: right labels, in order, whatever the network does; and only z leaves."""

import socket
import socketserver
import threading
import time

import numpy as np
import pytest
from benchmarks._certificates import certificate
from serving_parts import serving

from mixcon.errors import ConfigError, ContractError, DataError, WireError
from mixcon.serving import WIRES, EdgeClient, Endpoint, Tls, Tokens, read_capture


@pytest.fixture
def edge(plain_export, trust):
    """Makes clients of the plain export, and closes them."""
    clients = []

    def make(server, **settings):
        clients.append(EdgeClient(plain_export.folder / "edge", server, trust=trust, **settings))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


def labels_of(model, digits, count):
    logits = model(digits.test.floats(slice(count)))
    return [digits.test.classes[i] for i in logits.argmax(1).tolist()]


@pytest.mark.parametrize("wire", WIRES)
def test_labels_are_those_of_the_whole_model_in_order(edge, url, plain, digits, wire):
    client = edge(url, wire=wire, batch=7)
    found = client.infer(digits.test.inputs[:40].numpy())
    expected = labels_of(plain, digits, 40)
    same = sum(a == b for a, b in zip(found.labels, expected, strict=True))
    assert same == 40 if wire.startswith("float") else same >= 37
    assert found.probabilities.shape == (40, 10)
    np.testing.assert_allclose(found.probabilities.sum(1), 1, atol=1e-5)
    assert client.identified


def test_floats_and_bytes_mean_the_same(edge, url, digits):
    client = edge(url)
    first = client.infer(digits.test.inputs[:5].numpy()).probabilities
    second = client.infer(digits.test.floats(slice(5)).numpy()).probabilities
    np.testing.assert_array_equal(first, second)
    assert client.infer(np.zeros((0, 1, 28, 28), np.uint8)).labels == ()


@pytest.mark.parametrize(
    "inputs",
    [np.zeros((1, 28, 28)), np.zeros((2, 3, 28, 28)), np.full((1, 1, 28, 28), 255.0),
     np.full((1, 1, 28, 28), np.nan), np.zeros((1, 1, 28, 28), complex)],
)  # fmt: skip
def test_inputs_that_do_not_fit_are_not_sent(edge, inputs):
    client = edge(Endpoint("http://127.0.0.1:9", retries=0))
    with pytest.raises(DataError, match="expected"):
        client.infer(inputs)
    assert client.bytes_sent == 0


@pytest.mark.parametrize("settings", [{"wire": "int2"}, {"batch": 0}])
def test_bad_settings(edge, settings):
    with pytest.raises(ConfigError, match="expected a wire format"):
        edge("http://127.0.0.1:9", **settings)
    with pytest.raises(ConfigError, match="expected a URL"):
        edge("cloud.example")


def test_another_contract_is_refused(edge, noisy_export, trust):
    """Same name, same shapes, other weights."""
    with serving(noisy_export.folder / "cloud", trust) as other:
        client = edge(other)
        with pytest.raises(ContractError, match="but it serves"):
            client.infer(np.zeros((1, 1, 28, 28)))


class Tap(socketserver.ThreadingTCPServer):
    """Passes bytes on to a server and keeps those that went there.

    Args:
        url: the server.
        cuts: after how many bytes of its answer each of the first POST requests is cut off.
    """

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, url, cuts=()):
        super().__init__(("127.0.0.1", 0), None)
        host, port = url.rsplit("/", 1)[-1].split(":")
        self.target, self.cuts, self.sent = (host, int(port)), list(cuts), []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def finish_request(self, request, _):
        posted = threading.Event()
        with socket.create_connection(self.target) as there:
            args = (request, there, posted)
            threading.Thread(target=self._upwards, args=args, daemon=True).start()
            while answer := there.recv(65536):
                if posted.is_set() and self.cuts:
                    request.sendall(answer[: self.cuts.pop(0)])
                    break
                request.sendall(answer)

    def _upwards(self, here, there, posted):
        try:
            while data := here.recv(65536):
                self.sent.append(data)
                if data.startswith(b"POST"):
                    posted.set()
                there.sendall(data)
        except OSError:
            pass

    def __enter__(self):
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.server_close()


def test_only_z_leaves_and_the_count_is_that_of_the_socket(edge, url, digits):
    """The bytes on the socket: z is all there is in them of x, and their number is known."""
    x = digits.test.inputs[:20].numpy()
    with Tap(url) as tap:
        client = edge(tap.url, wire="int8", batch=20)
        client.infer(x)
        time.sleep(0.2)
        crossed = b"".join(tap.sent)
    assert client.bytes_sent == len(crossed)
    infer = crossed[crossed.index(b"POST") :]
    np.testing.assert_array_equal(
        read_capture(infer, client.contract),
        client.contract.scales["int8"].numbers(
            client.contract.scales["int8"].codes(client.encode(x))
        ),
    )
    floats = x.astype("<f4") / np.float32(255)
    for image, pixels in zip(x, floats, strict=True):
        for row, numbers in zip(image[0], pixels[0], strict=True):
            if row.max() > 0:
                assert (
                    row.tobytes().strip(b"\0") not in crossed or len(row.tobytes().strip(b"\0")) < 4
                )
                assert numbers.tobytes().strip(b"\0") not in crossed


def test_a_record_reads_back_as_what_was_sent(edge, url, digits, tmp_path):
    client = edge(url, batch=8, record=tmp_path / "wire")
    x = digits.test.inputs[:20].numpy()
    client.infer(x)
    client.close()
    content = (tmp_path / "wire").read_bytes()
    np.testing.assert_array_equal(read_capture(content, client.contract), client.encode(x))
    with pytest.raises(DataError, match="expected a capture"):
        read_capture(content[:-1], client.contract)
    with pytest.raises(DataError, match="there is none"):
        read_capture(b"", client.contract)
    with pytest.raises(DataError, match="expected a capture"):
        read_capture(b"\0" * 1000, client.contract)


def test_broken_connections_are_tried_again_with_the_same_bytes(trust, noisy_export, digits):
    """Noise drawn again for each try would let the cloud average it away."""
    x = digits.test.inputs[:3].numpy()
    with (
        serving(noisy_export.folder / "cloud", trust) as address,
        Tap(address, cuts=[0, 10, 150]) as tap,
        EdgeClient(
            noisy_export.folder / "edge", Endpoint(tap.url, retries=8), trust=trust
        ) as client,
    ):
        found = client.infer(x)
        time.sleep(0.2)
        crossed = b"".join(tap.sent)
    assert len(found.labels) == 3
    bodies = [part.partition(b"\r\n\r\n")[2] for part in crossed.split(b"POST ")[1:]]
    assert len(bodies) == 4
    assert len(set(bodies)) == 1


def test_a_server_that_is_away_is_one_clear_error(edge):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{free.getsockname()[1]}"
    client = edge(Endpoint(address, retries=2))
    started = time.monotonic()
    with pytest.raises(WireError, match=r"3 tries.*check that it runs"):
        client.infer(np.zeros((1, 1, 28, 28)))
    assert time.monotonic() - started > 0.1


def test_no_retry_where_it_cannot_help(plain_export, trust, edge):
    with serving(plain_export.folder / "cloud", trust, tokens=Tokens(["t" * 16])) as address:
        with pytest.raises(WireError, match="401 after 1 try: expected a valid bearer token"):
            edge(address).check()
        edge(Endpoint(address, token="t" * 16)).check()


def answering(*answers):
    """A server that sends these bytes, one after the other, to whatever it is asked."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            self.request.sendall(next(queue))

    queue = iter(answers)
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def http(status, body, *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def test_retry_after_is_obeyed(edge):
    with answering(http(503, b"", "Retry-After: 1"), http(200, b'{"extensions":[]}')) as server:
        client = edge(f"http://127.0.0.1:{server.server_address[1]}")._http
        started = time.monotonic()
        assert client.get("/v2", 100, bytes) == b'{"extensions":[]}'
        assert time.monotonic() - started >= 1
        server.shutdown()


@pytest.mark.parametrize(
    "answer",
    [b'{"id":"other","outputs":[{"name":"logits","datatype":"FP32","shape":[1,10],"data":[]}]}',
     b'{"id":"ID","outputs":[]}', b"<html>", b"", b'{"id":"ID","outputs":[{"name":"logits",'
     b'"datatype":"FP32","shape":[2,10],"data":[]}]}',
     b'{"id":"ID","outputs":[{"name":"logits","datatype":"FP32","shape":[1,10],"data":[1]}]}',
     b'{"id":"ID","outputs":[{"name":"logits","datatype":"FP32","shape":[1,10],'
     b'"data":[1,2,3,4,5,6,7,8,9,NaN]}]}'],
)  # fmt: skip
def test_an_answer_that_is_none_is_refused(edge, answer):
    with answering() as server:
        client = edge(f"http://127.0.0.1:{server.server_address[1]}")
        client._binary = False
        server.RequestHandlerClass.handle = lambda self: (
            self.request.recv(65536),
            self.request.sendall(http(200, answer.replace(b"ID", f"{client._prefix}-0".encode()))),
        )
        with pytest.raises(WireError):
            client.infer(np.zeros((1, 1, 28, 28)))
        server.shutdown()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("certificates")
    authority = certificate("authority", folder)
    for name in ("server", "device"):
        certificate(name, folder, authority)
    certificate("stranger", folder, certificate("other", folder))
    return folder


def test_tls(edge, plain_export, trust, certificates, digits):
    tls = Tls(certificates / "server.pem", certificates / "server.key")
    x = digits.test.inputs[:5].numpy()
    with serving(plain_export.folder / "cloud", trust, tls=tls) as address:
        assert address.startswith("https://")
        good = edge(Endpoint(address, authority=certificates / "authority.pem"))
        assert len(good.infer(x).labels) == 5
        for authority in (None, certificates / "other.pem"):
            with pytest.raises(WireError, match="--ca"):
                edge(Endpoint(address, authority=authority)).infer(x)
        stopping = time.monotonic()
    assert time.monotonic() - stopping < 5  # idle connections do not hold it up


def test_mutual_tls(edge, plain_export, trust, certificates):
    tls = Tls(*(certificates / name for name in ("server.pem", "server.key", "authority.pem")))
    authority = certificates / "authority.pem"
    with serving(plain_export.folder / "cloud", trust, tls=tls) as address:

        def check(name):
            own = {
                f: certificates / f"{name}.{e}" for f, e in (("certificate", "pem"), ("key", "key"))
            }
            edge(Endpoint(address, authority=authority, retries=0, **(own if name else {}))).check()

        check("device")
        for name in (None, "stranger"):
            with pytest.raises(WireError):
                check(name)


def test_missing_certificates_are_one_clear_error(plain_export, trust, edge, tmp_path):
    with pytest.raises(ConfigError, match="PEM files for TLS"):
        edge(Endpoint("https://127.0.0.1:9", authority=tmp_path / "none.pem"))
    tls = Tls(tmp_path / "none.pem", tmp_path / "none.key")
    with (
        pytest.raises(ConfigError, match="PEM files for TLS"),
        serving(plain_export.folder / "cloud", trust, tls=tls),
    ):
        pass
