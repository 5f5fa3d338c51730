"""What lies around HTTP: connections before it, bodies that never come, and odd beginnings."""

import contextlib
import gzip
import json
import socket
import ssl
import threading
import zlib

import httpx2
import numpy as np
import pytest
from benchmarks._certificates import certificate
from serving_parts import INFER, as_json, connect, everything, random_z, serving

from mixcon.serving import ServerLimits, Tls
from mixcon.serving.budget import Budget, peer_of
from mixcon.serving.served_model import ServedModel

FINE = as_json(random_z(1))
BODY = json.dumps(FINE).encode()
LAST = b"GET /v2/health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def head(size, *more):
    fields = ["Host: a", f"Content-Length: {size}", *more]
    return "\r\n".join([f"POST {INFER} HTTP/1.1", *fields, "", ""]).encode()


def connect_from(source, url):
    host, port = url.split("://")[1].split(":")
    return socket.create_connection((host, int(port)), timeout=60, source_address=(source, 0))


def statuses(answer):
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


def test_a_budget_has_a_total_and_a_part_for_each():
    budget = Budget(10, 6)
    budget.take("a", 6)
    assert budget.is_used_up_by("a")
    assert not budget.is_used_up_by("b", 6)
    assert budget.is_used_up(5)
    budget.give_back("a", 6)
    assert not budget.is_used_up(10)
    assert not budget.is_used_up_by("a", 6)


@pytest.mark.parametrize(
    ("address", "peer"),
    [("10.0.0.1", "10.0.0.1"), ("2001:db8::1:2:3", "2001:db8::"), ("::ffff:10.0.0.1", "10.0.0.1"),
     (None, ""), ("testclient", "testclient")],
)  # fmt: skip
def test_a_peer_is_an_address_or_a_whole_network_of_one_host(address, peer):
    assert peer_of(address) == peer


def test_who_opens_too_many_loses_its_own(plain_export, trust):
    limits = ServerLimits(connections=4, peer_share=0.5, receive_timeout=60)
    with (
        serving(plain_export.folder / "cloud", trust, limits=limits) as url,
        connect_from("127.0.0.3", url) as other,
        connect_from("127.0.0.2", url) as first,
        connect_from("127.0.0.2", url),
        connect_from("127.0.0.2", url),
    ):
        assert everything(first) == b""
        other.sendall(LAST)
        assert statuses(everything(other)) == [200]


def test_a_new_connection_takes_the_place_of_the_one_that_waits_for_longest(plain_export, trust):
    limits = ServerLimits(connections=3, peer_share=1, receive_timeout=60)
    with (
        serving(plain_export.folder / "cloud", trust, limits=limits) as url,
        connect(url) as first,
        connect(url) as second,
        connect(url) as third,
    ):
        second.sendall(head(len(BODY)) + BODY[:-1])  # not complete: it waits, too
        assert httpx2.get(url + "/v2/health/live").status_code == 200
        assert everything(first) == b""
        second.sendall(BODY[-1:])
        assert second.recv(12) == b"HTTP/1.1 200"
        third.sendall(LAST)
        assert statuses(everything(third)) == [200]


def test_a_connection_with_a_request_in_work_keeps_its_place(plain_export, trust, slow_head):
    limits = ServerLimits(connections=1, peer_share=1)
    with (
        serving(plain_export.folder / "cloud", trust, limits=limits) as url,
        connect(url) as first,
    ):
        first.sendall(head(len(BODY)) + BODY)
        assert slow_head.begun.wait(60)
        with connect(url) as second:
            assert statuses(everything(second)) == [503]
        slow_head.go_on.set()
        assert first.recv(12) == b"HTTP/1.1 200"


@pytest.fixture
def slow_head(monkeypatch):
    """A head that says when it has begun, and waits until it is told to go on."""

    class SlowHead(ServedModel):
        begun, go_on = threading.Event(), threading.Event()

        def _run(self, z):
            self.begun.set()
            assert self.go_on.wait(60)
            return super()._run(z)

    monkeypatch.setattr("mixcon.serving.service.ServedModel", SlowHead)
    return SlowHead


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    certificate("server", folder, certificate("authority", folder))
    return folder


def test_connections_without_a_handshake_are_counted_and_let_go(plain_export, trust, tls):
    """Many more than there is room for; honest clients come in beside them all the time."""
    limits = ServerLimits(connections=20, peer_share=0.5, receive_timeout=3)
    certificates = Tls(tls / "server.pem", tls / "server.key")
    context = ssl.create_default_context(cafile=tls / "authority.pem")
    cloud = plain_export.folder / "cloud"
    with serving(cloud, trust, limits=limits, tls=certificates) as url:
        with contextlib.ExitStack() as stack:
            held = [
                stack.enter_context(connect_from(f"127.0.0.{2 + i % 4}", url)) for i in range(60)
            ]
            for _ in range(3):
                assert httpx2.post(url + INFER, json=FINE, verify=context).status_code == 200
            for connection in held:
                assert everything(connection) == b""  # by the deadline at the latest
        assert httpx2.post(url + INFER, json=FINE, verify=context).status_code == 200


def test_bodies_that_are_announced_and_never_sent_cost_nobody_anything(plain_export, trust):
    limits = ServerLimits(max_body=100_000, memory=200_000, receive_timeout=60)
    with (
        serving(plain_export.folder / "cloud", trust, limits=limits) as url,
        contextlib.ExitStack() as stack,
    ):
        for _ in range(30):
            stack.enter_context(connect(url)).sendall(head(100_000))
        assert httpx2.post(url + INFER, json=FINE).status_code == 200


def test_bytes_that_came_are_charged_to_their_peer_until_its_request_ends(plain_export, trust):
    limits = ServerLimits(max_body=100_000, memory=200_000, receive_timeout=60)
    padded = BODY.ljust(50_000)
    with serving(plain_export.folder / "cloud", trust, limits=limits) as url:
        with connect(url) as slow, connect(url) as more, connect_from("127.0.0.2", url) as other:
            slow.sendall(head(99_000) + b" " * 98_000)
            assert _until(lambda: httpx2.post(url + INFER, content=padded).status_code == 503)
            more.sendall(head(len(padded)) + padded)
            assert more.recv(12) == b"HTTP/1.1 503"
            other.sendall(head(len(padded)) + padded)
            assert other.recv(12) == b"HTTP/1.1 200"
        assert _until(lambda: httpx2.post(url + INFER, content=padded).status_code == 200)


def _until(condition):
    """Whether it comes true: the server has to see what was sent, or that a client left."""
    return any(condition() for _ in range(2000))


UPGRADE = ("Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABk")


@pytest.mark.parametrize("cut", [0, 30, -400, -1])
def test_an_offer_of_http_2_is_passed_over_and_the_body_is_read(url, cut):
    message = head(len(BODY), *UPGRADE) + BODY + LAST
    with connect(url) as connection:
        connection.sendall(message[:cut])
        connection.sendall(message[cut:])
        assert statuses(everything(connection)) == [200, 200]


def test_an_offer_of_http_2_with_a_body_in_chunks(url):
    start = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n"
    chunked = b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY)
    with connect(url) as connection:
        connection.sendall((start + "\r\n".join([*UPGRADE, "", ""])).encode() + chunked + LAST)
        assert statuses(everything(connection)) == [200, 200]


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"GET /v2 HTTP/1.1\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
        (b"GET /v2 HTTP/1.1\r\nHost:\r\n\r\n", 400),
        (b"POST /v2 HTTP/1.1\r\n" + b"\r\n".join([x.encode() for x in UPGRADE]) + b"\r\n\r\n", 400),
        (b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n", 405),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"GET /v2/health/live HTTP/1.0\r\n\r\n", 200),
        (b"GET /v2/health/live HTTP/1.1\r\nHost: [::1]:80\r\nConnection: close\r\n\r\n", 200),
    ],
)
def test_odd_beginnings_are_answered_in_json(url, sent, status):
    with connect(url) as connection:
        connection.sendall(sent)
        answer = everything(connection)
    assert statuses(answer) == [status]
    content = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert content["live"] if status == 200 else content["error"]


def test_a_bad_second_request_does_not_pass_for_the_answer_to_the_first(url):
    with connect(url) as connection:
        connection.sendall(head(len(BODY)) + BODY + b"nonsense\r\n\r\n")
        answer = everything(connection)
    assert statuses(answer) in ([], [200])


def coded(url, body, coding):
    return httpx2.post(url + INFER, content=body, headers={"Content-Encoding": coding})


@pytest.mark.parametrize(("coding", "code"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_compressed_requests_are_read(url, coding, code):
    answer = coded(url, code(BODY), coding)
    assert answer.status_code == 200
    assert answer.json()["outputs"] == httpx2.post(url + INFER, json=FINE).json()["outputs"]
    assert coded(url, code(BODY)[:-9], coding).status_code == 400
    assert coded(url, b"junk" + code(BODY), coding).status_code == 400
    assert coded(url, code(BODY) + b"junk", coding).status_code == 400
    bomb = code(b" " * 2**26)
    assert len(bomb) < 2**17
    assert coded(url, bomb, coding).status_code == 413


@pytest.mark.parametrize("coding", ["br", "gzip, gzip", "zstd"])
def test_other_codings_are_refused(url, coding):
    answer = coded(url, BODY, coding)
    assert answer.status_code == 415
    assert answer.headers["accept-encoding"] == "gzip, deflate"


def test_classification_names_the_likeliest_classes(url, digits):
    logits = httpx2.post(url + INFER, json=FINE).json()["outputs"][0]["data"]
    best = np.argsort(logits)[::-1]
    for asked, count in ((1, 1), (3, 3), (99, 10)):
        request = {**FINE, "outputs": [{"name": "logits", "parameters": {"classification": asked}}]}
        (tensor,) = httpx2.post(url + INFER, json=request).json()["outputs"]
        assert (tensor["datatype"], tensor["shape"]) == ("BYTES", [1, count])
        found = [text.split(":") for text in tensor["data"]]
        assert [int(i) for _, i, _ in found] == best[:count].tolist()
        assert [name for _, _, name in found] == [digits.test.classes[i] for i in best[:count]]
    for odd in (0, -1, "2", 1.5, True):
        request = {**FINE, "outputs": [{"name": "logits", "parameters": {"classification": odd}}]}
        answer = httpx2.post(url + INFER, json=request)
        assert answer.status_code == 400
        assert "classification" in answer.json()["error"]


def test_the_log_says_what_happened_and_no_number_of_it(plain_export, trust):
    lines, secret = [], "s3cr3t-" * 3
    with serving(plain_export.folder / "cloud", trust, log_line=lines.append) as url:
        own = {"X-Request-Id": "mine-1", "Authorization": f"Bearer {secret}"}
        answer = httpx2.post(url + INFER, json=FINE, headers=own)
        assert answer.headers["x-request-id"] == "mine-1"
        other = httpx2.get(url + "/v2/none%1b[31m", headers={"X-Request-Id": "a b"})
        with connect(url) as connection:
            connection.sendall(b"nonsense\r\n\r\n")
            everything(connection)
    found = [json.loads(line) for line in lines]
    first, second, refused = found
    assert (first["event"], first["id"], first["status"]) == ("request", "mine-1", 200)
    assert (first["method"], first["path"], first["peer"]) == ("POST", INFER, "127.0.0.1")
    assert first["received"] > 400
    assert 0 < first["seconds"] < 60
    assert second["id"] == other.headers["x-request-id"] != "a b"
    assert second["path"] == "/v2/none?[31m"
    assert (refused["event"], refused["peer"]) == ("refused", "127.0.0.1")
    assert all(line.endswith("\n") and line.count("\n") == 1 for line in lines)
    everything_said = "".join(lines)
    assert secret not in everything_said
    assert str(FINE["inputs"][0]["data"][0])[:6] not in everything_said


def test_a_mistake_of_ours_is_logged_without_its_words(plain_export, trust, monkeypatch):
    def broken(*_):
        raise RuntimeError("a number of z: 0.123456")

    monkeypatch.setattr("mixcon.serving.rest.parse_request", broken)
    lines = []
    with serving(plain_export.folder / "cloud", trust, log_line=lines.append) as url:
        assert httpx2.post(url + INFER, json=FINE).status_code == 500
    failed, request = (json.loads(line) for line in lines)
    assert (failed["event"], failed["error"]) == ("failed", "RuntimeError")
    assert failed["id"] == request["id"]
    assert "test_admission.py" in failed["trace"][-1]
    assert "0.123456" not in "".join(lines)
