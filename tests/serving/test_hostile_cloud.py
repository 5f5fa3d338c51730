"""The device against a cloud that means it ill, and against a way there that is not safe."""

import contextlib
import json
import socket
import socketserver
import ssl
import threading
import time

import numpy as np
import pytest
from benchmarks._certificates import certificate
from benchmarks.client_fuzz import run
from serving_parts import serving

from mixcon.errors import ConfigError, ContractError, WireError
from mixcon.serving import EdgeClient, Endpoint, Tls
from mixcon.serving.http_client import HttpClient
from mixcon.serving.text import printable

TOKEN = "s3cr3t-" * 3


@contextlib.contextmanager
def cloud(answer):
    """A server that hands each connection, after its request, to `answer`; its URL."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self):
            self.request.recv(65536)
            with contextlib.suppress(OSError):
                answer(self.request)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def saying(status, body, *headers):
    lines = [f"HTTP/1.1 {status} X", f"Content-Length: {len(body)}", "Connection: close", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def ask(url, **settings):
    client = HttpClient(Endpoint(url, **{"retries": 0, "token": TOKEN, **settings}))
    try:
        return client.get("/v2", 2000, bytes)
    finally:
        client.close()


def test_any_answer_is_good_or_one_kind_of_error():
    found = run(3000, seed=1)
    assert set(found) == {"good", "WireError", "ContractError"}
    assert min(found.values()) > 5


def endless(start, piece):
    """Sends on until the client hangs up."""

    def answer(connection):
        connection.sendall(start)
        while True:
            connection.sendall(piece)

    return answer


@pytest.mark.parametrize(
    ("start", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\n", b"X: " + b"a" * 1000 + b"\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n" * 1000),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
         b"1;" + b"x" * 999 + b"\r\n \r\n"),
        (b"HTTP/1.1 200 OK\r\n\r\n", b" " * 65536),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", b" " * 65536),
        (b"", b"\0" * 65536),
    ],
)  # fmt: skip
def test_answers_without_end_are_not_read_to_it(start, piece):
    with cloud(endless(start, piece)) as url, pytest.raises(WireError, match="expected an answer"):
        ask(url, timeout=60)


def test_a_byte_now_and_then_does_not_keep_the_device():
    def answer(connection):
        for byte in saying(200, b" " * 2000):
            connection.sendall(bytes([byte]))
            time.sleep(0.05)  # so that all of it would take two minutes

    started = time.monotonic()
    late = r"TimeoutError: (not done|timed out)"
    with cloud(answer) as url, pytest.raises(WireError, match=late):
        ask(url, timeout=0.5)
    assert time.monotonic() - started < 60


@pytest.mark.parametrize("coding", ["gzip", "br", "gzip, identity"])
def test_answers_are_not_unpacked(coding):
    answer = saying(200, b"{}", f"Content-Encoding: {coding}")
    with cloud(lambda c: c.sendall(answer)) as url, pytest.raises(WireError, match="coded as"):
        ask(url)


def test_redirects_are_not_followed():
    answer = saying(307, b"", "Location: http://127.0.0.1:1/")
    with cloud(lambda c: c.sendall(answer)) as url, pytest.raises(WireError, match="but got 307"):
        ask(url)


@pytest.mark.parametrize("reason", ["\x1b[2J\x07", "\u202egnihton", f"you said {TOKEN}", "a" * 999])
@pytest.mark.parametrize("form", ["json", "text", "reason"])
def test_what_is_printed_of_an_answer_is_harmless(reason, form):
    body = json.dumps({"error": reason}).encode() if form == "json" else reason.encode()
    answer = saying(403, body, *([f"X: {TOKEN}"] if form == "text" else []))
    with cloud(lambda c: c.sendall(answer)) as url, pytest.raises(WireError) as caught:
        ask(url)
    said = str(caught.value)
    assert "403 after 1 try" in said
    assert said.isprintable()
    assert TOKEN not in said
    assert len(said) < 500
    assert caught.value.__context__ is None or TOKEN not in repr(caught.value.__cause__)


def test_printable():
    assert printable("a\x1bb\u202ec\u0301") == "a?b?c\u0301"
    assert printable("a" * 9, 3) == "aaa..."


@pytest.mark.parametrize(
    "body",
    [b'{"extensions":' + b"[" * 100_000, b'{"extensions":[1]}', b'{"extensions":{}}', b"[]",
     b'{"extensions":["\xff"]}', b"9" * 100_000, b'{"\\u001b":'],
)  # fmt: skip
def test_metadata_that_is_none_is_refused(plain_export, trust, body):
    with (
        cloud(lambda c: c.sendall(saying(200, body))) as url,
        EdgeClient(plain_export.folder / "edge", Endpoint(url, retries=0), trust=trust) as edge,
        pytest.raises(WireError),
    ):
        edge.check()


@pytest.mark.parametrize("changes", [{"inputs": None}, {"outputs": []},
                                     {"parameters": {"contract_sha256": ["\x1b"]}}])  # fmt: skip
def test_metadata_of_another_model_is_refused_in_harmless_words(plain_export, trust, changes):
    contract = plain_export.contract
    tensors = {
        side: [{"name": spec.name, "datatype": "FP32", "shape": [-1, *spec.shape]}]
        for side, spec in (("inputs", contract.representation), ("outputs", contract.logits))
    }
    body = json.dumps({"extensions": [], **tensors, **changes}).encode()
    with (
        cloud(lambda c: c.sendall(saying(200, body))) as url,
        EdgeClient(plain_export.folder / "edge", Endpoint(url, retries=0), trust=trust) as edge,
        pytest.raises(ContractError) as caught,
    ):
        edge.check()
    assert str(caught.value).isprintable()


def test_plain_http_is_for_this_machine_alone():
    for url in ("http://cloud.example", "http://10.0.0.1:8080", "http://localhost.example"):
        with pytest.raises(ConfigError, match="--insecure"):
            Endpoint(url)
        Endpoint(url, insecure=True)
    for url in ("http://127.0.0.1:1", "http://127.9.9.9", "http://[::1]:80", "http://localhost/a/"):
        assert Endpoint(url).is_loopback


@pytest.mark.parametrize(
    "url",
    ["https://me:s3cr3t@cloud.example", "https://cloud.example/?key=1", "https://a b", "https://a\n",
     "https://", "https://a:x", "https://a:99999", "https://a..b",
     f"https://{'a' * 64}.example", "ftp://a", "https://a/#b", "https://ü"],
)  # fmt: skip
def test_odd_urls_are_refused_and_secrets_in_them_not_shown(url):
    with pytest.raises(ConfigError, match="expected a URL") as caught:
        Endpoint(url)
    assert "s3cr3t" not in str(caught.value)


@pytest.mark.parametrize("timeout", [0, -1, float("nan"), float("inf"), 1e9])
def test_odd_timeouts_are_refused(timeout):
    with pytest.raises(ConfigError, match="expected a timeout"):
        Endpoint("https://cloud.example", timeout=timeout)


def test_the_parts_of_a_url():
    endpoint = Endpoint("https://[::1]:8443/base/")
    assert (endpoint.host, endpoint.port, endpoint.prefix) == ("::1", 8443, "/base")
    assert endpoint.authority_part == "[::1]:8443"
    assert Endpoint("https://cloud.example").port == 443


def test_odd_model_names_stay_in_the_path(plain_export, trust):
    seen = []

    def answer(connection):
        seen.append(connection)
        connection.sendall(saying(404, b"{}"))

    with (
        cloud(answer) as url,
        EdgeClient(
            plain_export.folder / "edge",
            Endpoint(url, model="a/../b c\r\nX: y", retries=0),
            trust=trust,
        ) as edge,
    ):
        assert edge._path == "/v2/models/a%2F..%2Fb%20c%0D%0AX%3A%20y"
        with pytest.raises(WireError, match="404"):
            edge.check()


class Proxy(socketserver.ThreadingTCPServer):
    """An HTTP proxy that opens tunnels to one place, whatever they are asked for."""

    daemon_threads = True

    def __init__(self, target):
        super().__init__(("127.0.0.1", 0), None)
        self.target, self.asked = target, []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def finish_request(self, request, _):
        self.asked.append(request.recv(65536))
        request.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        with socket.create_connection(self.target) as there:
            threading.Thread(target=self._pass, args=(request, there), daemon=True).start()
            self._pass(there, request)

    @staticmethod
    def _pass(here, there):
        with contextlib.suppress(OSError):
            while data := here.recv(65536):
                there.sendall(data)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    folder = tmp_path_factory.mktemp("names")
    certificate("server", folder, certificate("authority", folder), host="cloud.example")
    return folder


def test_proxies_of_the_environment_are_used_where_asked_for_and_see_tls_alone(
    plain_export, trust, certificates, monkeypatch
):
    tls = Tls(certificates / "server.pem", certificates / "server.key")
    with serving(plain_export.folder / "cloud", trust, tls=tls) as url:
        _, port = url.removeprefix("https://").split(":")
        with Proxy(("127.0.0.1", int(port))) as proxy:
            named = f"http://me:s3cr3t@127.0.0.1:{proxy.server_address[1]}"
            monkeypatch.setenv("https_proxy", named)
            there = {"authority": certificates / "authority.pem", "retries": 0}
            endpoint = Endpoint("https://cloud.example:8080", proxy=True, **there)
            with EdgeClient(plain_export.folder / "edge", endpoint, trust=trust) as edge:
                assert len(edge.infer(np.zeros((2, 1, 28, 28))).labels) == 2
            (asked,) = proxy.asked
            assert asked.startswith(b"CONNECT cloud.example:8080 HTTP/1.1\r\n")
            assert b"Proxy-Authorization: Basic bWU6czNjcjN0\r\n" in asked
            here = Endpoint(url, proxy=True, insecure=True, **there)
            with pytest.raises(WireError):  # another name than that of the certificate
                ask(here.url, proxy=True, authority=certificates / "authority.pem")
            with pytest.raises(WireError, match=r"https://cloud\.example"):
                ask("https://cloud.example:1", proxy=False, timeout=20)
            assert len(proxy.asked) == 1
            proxy.shutdown()


def test_a_proxy_that_refuses_or_is_none_is_one_clear_error(monkeypatch):
    with cloud(lambda c: c.sendall(saying(407, b""))) as url:
        monkeypatch.setenv("https_proxy", url)
        with pytest.raises(WireError, match="tunnel from the proxy, but got status 407"):
            ask("https://cloud.example", proxy=True)
    monkeypatch.setenv("https_proxy", "socks5://me:s3cr3t@127.0.0.1:1")
    with pytest.raises(ConfigError, match="expected proxies such as") as caught:
        ask("https://cloud.example", proxy=True)
    assert "s3cr3t" not in str(caught.value)


def test_a_connection_that_was_closed_meanwhile_is_opened_again():
    seen = []

    def answer(connection):
        seen.append(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with cloud(answer) as url:
        client = HttpClient(Endpoint(url, retries=0))
        for _ in range(3):
            assert client.get("/v2", 10, bytes) == b"{}"
            assert _closed(client)
        client.close()
    assert len(seen) == 3


def _closed(client):
    """Whether the server's end of the connection comes: it hangs up after each answer."""
    stream, _ = client._open
    return any(stream.stream.has_news() or time.sleep(0.01) for _ in range(6000))


def test_waits_are_told(monkeypatch):
    monkeypatch.setattr("mixcon.serving.http_client._FIRST_WAIT", 2.0)
    monkeypatch.setattr("time.sleep", lambda _: None)
    told = []
    with pytest.raises(WireError, match="3 tries"):
        ask("http://127.0.0.1:9", retries=2, notify=told.append)
    assert len(told) == 2
    assert all("trying again in" in words for words in told)


def test_context_is_that_of_tls(certificates):
    endpoint = Endpoint("https://cloud.example", authority=certificates / "authority.pem")
    assert endpoint.context().minimum_version == ssl.TLSVersion.TLSv1_2
    assert Endpoint("http://127.0.0.1").context() is None
