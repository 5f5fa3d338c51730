"""The server on a real socket: what it answers, what it refuses, and that it lives on."""

import concurrent.futures
import contextlib
import gc
import json
import socket
import struct
import time

import httpx2
import numpy as np
import pytest
from serving_parts import INFER, as_json, connect, everything, random_z, serving

from mixcon.errors import ConfigError, ContractError
from mixcon.serving import CloudService, Endpoint, ServerLimits, Tokens
from mixcon.serving.exchange import Exchange
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.requests import build_request
from mixcon.serving.responses import parse_response
from mixcon.serving.runtime import session
from mixcon.serving.served_model import ServedModel


@pytest.fixture(scope="session")
def head(plain_export):
    return session((plain_export.folder / "cloud" / "head.onnx").read_bytes())


def post_binary(url, z, wire, contract, id="a", client=httpx2):
    body, length = build_request(z, wire, contract, id)
    response = client.post(url + INFER, content=body, headers={JSON_LENGTH: str(length)})
    assert response.status_code == 200, response.text
    return parse_response(
        response.content, int(response.headers[JSON_LENGTH]), contract, id, len(z)
    )


def test_health_and_metadata(url, plain_export):
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/digits/ready",
                 "/v2/models/digits/versions/1/ready"):  # fmt: skip
        assert httpx2.get(url + path).status_code == 200
    assert httpx2.get(url + "/v2").json()["extensions"] == ["binary_tensor_data", "classification"]
    model = httpx2.get(url + "/v2/models/digits").json()
    assert model == httpx2.get(url + "/v2/models/digits/versions/1").json()
    assert model["inputs"][0]["shape"] == [-1, 16, 5, 5]
    assert model["parameters"]["contract_sha256"] == plain_export.contract.sha256


def test_json_and_binary_give_the_heads_logits(url, head, plain_export):
    z = random_z(3)
    (expected,) = head.run(None, {"z": z})
    answer = httpx2.post(url + INFER, json=as_json(z, id="x")).json()
    assert (answer["id"], answer["model_name"], answer["model_version"]) == ("x", "digits", "1")
    (tensor,) = answer["outputs"]
    assert (tensor["name"], tensor["datatype"], tensor["shape"]) == ("logits", "FP32", [3, 10])
    np.testing.assert_allclose(np.reshape(tensor["data"], (3, 10)), expected, atol=1e-5)
    found = post_binary(url, z, "float32", plain_export.contract)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    nested = as_json(z)
    nested["inputs"][0]["data"] = z.tolist()
    again = httpx2.post(url + "/v2/models/digits/versions/1/infer", json=nested).json()
    np.testing.assert_allclose(again["outputs"][0]["data"], expected.ravel(), atol=1e-5)


@pytest.mark.parametrize("binary", [None, True])
def test_null_parameters_are_as_good_as_absent(url, binary):
    z = random_z(2)
    body = as_json(z, id=None, parameters=None, outputs=[{"name": "logits", "parameters": None}])
    body["inputs"][0]["parameters"] = None
    if binary:  # each of them alone
        body["parameters"] = {"binary_data_output": True, "sequence_id": None}
        body["outputs"][0]["parameters"] = {"binary_data": None}
        body["inputs"][0]["parameters"] = {"wire": None, "binary_data_size": None}
    answer = httpx2.post(url + INFER, json=body)
    assert answer.status_code == 200, answer.text
    assert (JSON_LENGTH in answer.headers) == bool(binary)


@pytest.mark.parametrize("wire", ["float16", "int8", "int4"])
def test_the_server_decodes_every_wire_format(url, head, plain_export, wire):
    contract = plain_export.contract
    codes = random_z(5) * contract.high
    scale = contract.scales.get(wire)
    z = scale.numbers(scale.codes(codes)) if scale else codes.astype(np.float16).astype(np.float32)
    (expected,) = head.run(None, {"z": z})
    np.testing.assert_allclose(post_binary(url, codes, wire, contract), expected, atol=1e-4)


FINE = random_z(1)


def altered(**changes):
    request = as_json(FINE)
    request["inputs"][0].update(changes)
    return json.dumps(request).encode()


BAD = {
    "empty": (b"", None, "EOF"),
    "no JSON": (b"\xff\xfe", None, "JSON"),
    "an array": (b"[]", None, "object"),
    "no inputs": (b"{}", None, "inputs: Field required"),
    "two inputs": (json.dumps({"inputs": as_json(FINE)["inputs"] * 2}).encode(), None, "one input"),
    "another name": (altered(name="x"), None, "called 'z'"),
    "another type": (altered(datatype="FP64"), None, "'FP64'"),
    "an unknown wire": (altered(parameters={"wire": "int2"}), None, "'int2'"),
    "a wire of another type": (altered(parameters={"wire": "int8"}), None, "belongs to it"),
    "another shape": (altered(shape=[1, 400]), None, "expected shape [-1, 16, 5, 5]"),
    "no rows": (altered(shape=[0, 16, 5, 5], data=[]), None, "1 to 64 rows"),
    "too many rows": (altered(shape=[65, 16, 5, 5]), None, "several requests"),
    "a huge shape": (altered(shape=[2**62, 16, 5, 5]), None, "1 to 64 rows"),
    "a negative shape": (altered(shape=[-1, 16, 5, 5]), None, "1 to 64 rows"),
    "a float shape": (altered(shape=[1.5, 16, 5, 5]), None, "integer"),
    "too few numbers": (altered(data=[1.0] * 399), None, "399 numbers"),
    "words": (altered(data=["1"] * 400), None, "numbers, but got others"),
    "ragged": (altered(data=[[1.0], [1.0, 2.0]]), None, "expected data"),
    "null": (altered(data=None), None, "numbers, but got others"),
    "NaN": (altered(data=[float("nan")] * 400), None, "finite"),
    "too large": (altered(data=[1e300] * 400), None, "finite"),
    "huge integers": (altered(data=[10**400] * 400), None, "expected"),
    "deep": (b'{"inputs":' + b"[" * 100_000, None, "recursion"),
    "bytes behind": (altered() + b"x", len(altered()), "nothing behind"),
    "JSON beyond the body": (altered(), 10**6, "length of the body"),
    "a size that is no integer": (
        altered(data=None, parameters={"binary_data_size": "9"}), None, "to be an integer"),
    "twice": (altered(parameters={"binary_data_size": 1600}), None, "no data beside"),
    "a wrong size": (
        altered(data=None, parameters={"binary_data_size": 1600}), None, "expected 1600 bytes"),
    "codes out of range": (
        altered(datatype="UINT8", data=[256] * 400), None, "from 0 to 255"),
    "codes that are floats": (
        altered(datatype="UINT8", data=[1.0] * 400), None, "uint8 numbers"),
    "another output": (
        json.dumps(as_json(FINE, outputs=[{"name": "y"}])).encode(), None, "no output but"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_requests_get_400_and_a_reason(url, case):
    body, length, reason = BAD[case]
    headers = {} if length is None else {JSON_LENGTH: str(length)}
    response = httpx2.post(url + INFER, content=body, headers=headers)
    assert response.status_code == 400, response.text
    assert reason in response.json()["error"]
    assert len(response.content) < 1000


def test_numbers_that_overflow_the_head_are_refused_in_json(url):
    response = httpx2.post(url + INFER, json=as_json(np.full((1, 16, 5, 5), 3e38, np.float32)))
    assert response.status_code == 400
    assert "overflows" in response.json()["error"]


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", INFER, 405), ("POST", "/v2", 405), ("GET", "/v2/models/other", 404),
     ("GET", "/v2/models/digits/versions/2", 404), ("GET", "/../etc/passwd", 404),
     ("GET", "/v2/models/digits/", 404)],
)  # fmt: skip
def test_other_paths_and_methods(url, method, path, status):
    assert httpx2.request(method, url + path).status_code == status


def test_a_body_that_is_announced_too_large_is_not_read(url):
    with connect(url) as connection:
        connection.sendall(
            f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: {10**15}\r\n\r\n".encode()
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_grows_too_large_is_cut_off(url):
    with connect(url) as connection:
        connection.sendall(
            f"POST {INFER} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
        )
        chunk = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
        connection.settimeout(0.01)
        answer = b""
        for _ in range(200):
            try:
                connection.sendall(chunk)
            except (TimeoutError, ConnectionError):
                break
        connection.settimeout(10)
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")


@pytest.mark.parametrize("start", ["Content-Length: 1", "Transfer-Encoding: chunked\r\n\r\n0"])
def test_headers_and_trailers_without_end_are_cut_off(url, start):
    with connect(url) as connection:
        connection.sendall(f"POST {INFER} HTTP/1.1\r\nHost: a\r\n{start}\r\n".encode())
        sent = 0
        with contextlib.suppress(ConnectionError):
            while sent < 2**22:
                sent += connection.send(b"X-Filler: " + b"a" * 10_000 + b"\r\n")
                time.sleep(0.001)
        assert sent < 2**22
    assert httpx2.get(url + "/v2/health/live").status_code == 200


def test_one_header_too_many_gets_431_and_a_reason(url):
    with connect(url) as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: a\r\nX-Filler: " + b"a" * 70_000)
        head, _, body = everything(connection).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 431 ")
    assert "too large" in json.loads(body)["error"]


def test_slow_senders_are_let_go(url):
    """Of a body in time with a reason; of headers, and of nothing at all, without a word."""
    head = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{{".encode()
    for sent, expected in ((head, b"HTTP/1.1 408 "), (head[:20], b""), (b"", b"")):
        with connect(url) as connection:
            connection.sendall(sent)
            started = time.monotonic()
            assert everything(connection).startswith(expected)
            assert 1.5 < time.monotonic() - started < 15


@pytest.mark.parametrize(
    ("status", "path", "body"),
    [(404, "/nothing", b"{}"), (404, "/v2/models/other/infer", b"{}"), (400, INFER, b"{}"),
     (413, INFER, b" " * 2**20), (408, INFER, b"")],
)  # fmt: skip
def test_a_refused_request_leaves_no_garbage(url, status, path, body):
    """Nothing that only the collector, which holds up everybody, could free."""
    length = len(body) or 100  # announced and never sent
    head = f"POST {path} HTTP/1.1\r\nHost: a\r\nContent-Length: {length}\r\n\r\n".encode()
    gc.collect()
    gc.disable()
    try:
        with connect(url) as connection:
            connection.sendall(head + body)
            assert int(connection.recv(65536)[9:12]) == status
        end = time.monotonic() + 60
        while any(type(each) is Exchange for each in gc.get_objects()):
            assert time.monotonic() < end, "a request is still there"
            time.sleep(0.05)
    finally:
        gc.enable()


def test_a_byte_now_and_then_does_not_keep_a_connection(url):
    with connect(url) as connection:
        started = time.monotonic()
        with contextlib.suppress(ConnectionError):
            while time.monotonic() - started < 15:
                connection.sendall(b"G")
                time.sleep(0.2)
        assert time.monotonic() - started < 15


@pytest.mark.parametrize(
    "garbage",
    [b"\0" * 100, b"GET\r\n\r\n", b"\x16\x03\x01\x02\x00", b"POST / HTTP/1.1\r\nContent-Length: -1",
     b"A" * 100_000, b"POST / HTTP/9.9\r\n\r\n"],
)  # fmt: skip
def test_garbage_is_refused_and_the_server_lives_on(url, garbage):
    with connect(url) as connection:
        connection.sendall(garbage + b"\r\n\r\n")
        answer = everything(connection)
        assert answer.startswith(b"HTTP/1.1 4") or answer == b""
    assert httpx2.post(url + INFER, json=as_json(FINE)).status_code == 200


def test_clients_that_die_half_way_leave_no_trace(url, head):
    body = json.dumps(as_json(FINE)).encode()
    start = f"POST {INFER} HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    for cut in (10, len(start), len(start) + 100, len(start) + len(body)):
        connection = connect(url)
        connection.sendall((start + body)[:cut])
        reset = struct.pack("ii", 1, 0)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        connection.close()
    (expected,) = head.run(None, {"z": FINE})
    answer = httpx2.post(url + INFER, json=as_json(FINE)).json()
    np.testing.assert_allclose(answer["outputs"][0]["data"], expected.ravel(), atol=1e-5)


def test_requests_at_the_same_time_each_get_their_own_answer(url, head, plain_export):
    """Tagged by their input: each of 300 has its own z, and must get its own logits."""
    z = random_z(300, seed=1)
    (expected,) = head.run(None, {"z": z})

    def ask(i):
        own = z[i : i + 1]
        return post_binary(url, own, "float32", plain_export.contract, f"r{i}", client)

    with concurrent.futures.ThreadPoolExecutor(16) as pool, httpx2.Client(timeout=30) as client:
        found = np.concatenate(list(pool.map(ask, range(300))))
    np.testing.assert_allclose(found, expected, atol=1e-4)


def raw_post(id, *headers):
    body = json.dumps(as_json(random_z(1), id=id)).encode()
    lines = (f"POST {INFER} HTTP/1.1", "Host: a", f"Content-Length: {len(body)}", *headers, "", "")
    return "\r\n".join(lines).encode() + body


def test_requests_in_one_packet_are_answered_in_turn(url):
    ids = [f"request-{i}" for i in range(20)]
    with connect(url) as connection:
        last = raw_post(ids[-1], "Connection: close")
        connection.sendall(b"".join(map(raw_post, ids[:-1])) + last)
        answers = everything(connection)
    assert answers.count(b"HTTP/1.1 200") == len(ids)
    places = [answers.index(f'"{id}"'.encode()) for id in ids]
    assert places == sorted(places)


@pytest.mark.parametrize("cut", [10, 40, -30])
def test_a_request_in_two_packets_is_answered(url, cut):
    whole = raw_post("a", "Connection: close")
    with connect(url) as connection:
        connection.sendall(whole[:cut])
        httpx2.get(url + "/v2/health/live")  # by then the server has seen the first
        connection.sendall(whole[cut:])
        assert b"HTTP/1.1 200" in everything(connection)


def test_metrics_count_what_happened(url):
    httpx2.post(url + INFER, content=b"{}")
    httpx2.post(url + INFER, json=as_json(FINE))
    shown = httpx2.get(url + "/metrics").text
    count = 'mixcon_requests_total{model="digits",protocol="http",status="%s",version="1"}'
    for name in (count % 200, count % 400, "mixcon_batch_rows_count",
                 "mixcon_received_bytes_total"):  # fmt: skip
        (line,) = [line for line in shown.splitlines() if line.startswith(name)]
        assert float(line.split()[-1]) > 0


def test_too_much_work_is_refused_at_once(plain_export, trust, monkeypatch):
    """A slow head, a short queue: 503 with Retry-After, and all that was taken is answered."""
    monkeypatch.setattr("mixcon.serving.service.ServedModel", SlowModel)
    limits = ServerLimits(max_batch=1, max_queue=3)
    with (
        serving(plain_export.folder / "cloud", trust, limits=limits) as url,
        concurrent.futures.ThreadPoolExecutor(20) as pool,
        httpx2.Client(timeout=30) as client,
    ):
        answers = list(pool.map(lambda _: client.post(url + INFER, json=as_json(FINE)), range(20)))
    codes = [answer.status_code for answer in answers]
    assert set(codes) == {200, 503}
    assert codes.count(200) >= 3
    busy = next(answer for answer in answers if answer.status_code == 503)
    assert int(busy.headers["retry-after"]) >= 1
    assert "later" in busy.json()["error"]


def test_requests_within_the_delay_make_one_batch(plain_export, trust):
    limits = ServerLimits(max_delay=2.0, max_batch=4)
    with (
        serving(plain_export.folder / "cloud", trust, limits=limits) as url,
        concurrent.futures.ThreadPoolExecutor(4) as pool,
        httpx2.Client(timeout=30) as client,
    ):
        started = time.monotonic()
        answers = list(pool.map(lambda _: client.post(url + INFER, json=as_json(FINE)), range(4)))
        full = time.monotonic() - started
        client.post(url + INFER, json=as_json(FINE))
        alone = time.monotonic() - started - full
        shown = client.get(url + "/metrics").text
    assert [answer.status_code for answer in answers] == [200] * 4
    assert full < 2  # a full batch waits for nobody
    assert alone > 1.9
    assert "mixcon_batch_rows_count 2.0" in shown
    assert "mixcon_batch_rows_sum 5.0" in shown


class SlowModel(ServedModel):
    """A head that takes a fifth of a second, as a large one would."""

    def _run(self, z):
        time.sleep(0.2)
        return super()._run(z)


def test_tokens(plain_export, trust, tmp_path):
    good, other = "t" * 20, "u" * 20
    (tmp_path / "tokens").write_text(f"# devices\n{other}\n\n{good}\n")
    tokens = Tokens.read(tmp_path / "tokens")
    with serving(plain_export.folder / "cloud", trust, tokens=tokens) as url:
        for headers, status in (
            ({"Authorization": f"Bearer {good}"}, 200),
            ({"Authorization": f"bearer {other}"}, 200),
            ({}, 401),
            ({"Authorization": f"Bearer {good}x"}, 401),
            ({"Authorization": f"Bearer {good[:-1]}"}, 401),
            ({"Authorization": f"Basic {good}"}, 401),
            ({"Authorization": "Bearer"}, 401),
        ):
            answer = httpx2.post(url + INFER, json=as_json(FINE), headers=headers)
            assert answer.status_code == status
            assert status == 200 or answer.headers["www-authenticate"] == "Bearer"
            for path in ("/v2", "/v2/models/digits", "/metrics"):
                assert httpx2.get(url + path, headers=headers).status_code == status
        assert httpx2.get(url + "/v2/health/ready").status_code == 200


@pytest.mark.parametrize("odd", ["\n", "\r\n", " ", "\x00", "é"])
def test_a_token_that_no_header_carries_is_refused_and_not_shown(odd):
    secret = "s3cr3t" * 4
    for make in (lambda t: Tokens([t]), lambda t: Endpoint("http://localhost", token=t)):
        with pytest.raises(ConfigError, match=r"visible ASCII.* as character 25 of") as caught:
            make(secret + odd)
        assert "s3cr3t" not in str(caught.value)
    assert secret not in repr(Endpoint("http://localhost", token=secret))


def test_the_audit_decides_what_is_served(plain_export, trust):
    with pytest.raises(ContractError, match="--unaudited"):
        CloudService(plain_export.folder / "cloud", trust=trust)
