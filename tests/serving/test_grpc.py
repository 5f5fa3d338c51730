"""gRPC, asked by NVIDIA's client: the answers, refusals and limits of REST, on another port."""

import contextlib
import json
import socket
import threading
import time

import grpc
import httpx2
import numpy as np
import pytest
import tritonclient.grpc as triton
from benchmarks._certificates import certificate
from serving_parts import INFER, as_json, made, random_z, serving_both
from tritonclient.utils import InferenceServerException

from mixcon.errors import ConfigError
from mixcon.serving import ServerLimits, Tls, Tokens
from mixcon.serving.grpc_messages import message_class
from mixcon.serving.runtime import session
from mixcon.serving.served_model import ServedModel

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])


def as_input(z, datatype="FP32"):
    tensor = triton.InferInput("z", z.shape, datatype)
    tensor.set_data_from_numpy(z)
    return [tensor]


@contextlib.contextmanager
def asking(address, **settings):
    client = triton.InferenceServerClient(address, **settings)
    try:
        yield client
    finally:
        client.close()


@pytest.fixture(scope="module")
def both(plain_export, trust):
    limits = ServerLimits(receive_timeout=2.0, max_batch=64)
    with serving_both(plain_export.folder / "cloud", trust, limits=limits) as addresses:
        yield addresses


@pytest.fixture(scope="module")
def client(both):
    with asking(both[1]) as client:
        yield client


def test_health_and_metadata(client):
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("digits")
    assert client.is_model_ready("digits", "1")
    assert [*client.get_server_metadata().extensions] == ["binary_tensor_data", "classification"]
    model = client.get_model_metadata("digits")
    assert [*model.versions] == ["1"]
    assert [*model.inputs[0].shape] == [-1, 16, 5, 5]


@pytest.mark.parametrize("datatype", ["FP32", "FP16"])
@pytest.mark.parametrize("coding", [None, "gzip", "deflate"])
def test_it_infers(client, plain_export, datatype, coding):
    z = random_z(6).astype(np.float32 if datatype == "FP32" else np.float16)
    head = session((plain_export.folder / "cloud" / "head.onnx").read_bytes())
    found = client.infer("digits", as_input(z, datatype), request_id="tag", model_version="1",
                         compression_algorithm=coding)  # fmt: skip
    expected = head.run(None, {"z": z.astype(np.float32)})[0]
    np.testing.assert_allclose(found.as_numpy("logits"), expected, atol=1e-5)
    answer = found.get_response()
    assert answer.id == "tag"
    assert answer.parameters["contract_sha256"].string_param == plain_export.contract.sha256


def test_it_names_classes(client, digits):
    output = triton.InferRequestedOutput("logits", class_count=3)
    texts = client.infer("digits", as_input(random_z(2)), outputs=[output]).as_numpy("logits")
    assert texts.shape == (2, 3)
    _, i, name = texts[0, 0].decode().split(":")
    assert name == digits.test.classes[int(i)]


def test_numbers_in_contents_are_answered_in_contents(both, plain_export):
    """The form without raw bytes, which other clients use."""
    z = random_z(2)
    request = message_class("ModelInferRequest")(
        model_name="digits", inputs=[{"name": "z", "datatype": "FP32", "shape": z.shape}]
    )
    request.inputs[0].contents.fp32_contents.extend(z.ravel())
    with grpc.insecure_channel(both[1]) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        answer = message_class("ModelInferResponse").FromString(
            infer(request.SerializeToString(), timeout=60)
        )
    head = session((plain_export.folder / "cloud" / "head.onnx").read_bytes())
    expected = head.run(None, {"z": z})[0]
    found = np.reshape(answer.outputs[0].contents.fp32_contents, expected.shape)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert not answer.raw_output_contents


@pytest.mark.parametrize(
    ("ask", "reason"),
    [
        (lambda c: c.infer("digits", as_input(np.zeros((1, 3), np.float32))),
         r"INVALID_ARGUMENT.*expected shape \[-1, 16, 5, 5\]"),
        (lambda c: c.infer("digits", as_input(np.full((1, 16, 5, 5), np.nan, np.float32))),
         "INVALID_ARGUMENT.*NaN"),
        (lambda c: c.infer("other", as_input(random_z(1))), "NOT_FOUND.*'other'"),
        (lambda c: c.infer("digits", as_input(random_z(1)), model_version="7"), "NOT_FOUND.*'7'"),
        (lambda c: c.infer("digits", as_input(random_z(65))), "INVALID_ARGUMENT.*1 to 64 rows"),
        (lambda c: c.infer("digits", as_input(random_z(1000)), compression_algorithm="gzip"),
         "RESOURCE_EXHAUSTED"),
        (lambda c: c.get_inference_statistics("digits"), "UNIMPLEMENTED"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused_with_a_reason(client, ask, reason):
    with pytest.raises(InferenceServerException, match=reason):
        ask(client)


@pytest.mark.parametrize("content", [b"\xff" * 50, b"\x0a\xff\xff\xff\xff\x7f", b""])
def test_bytes_that_are_no_message_are_refused(both, content):
    with grpc.insecure_channel(both[1]) as channel:
        infer = channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")
        with pytest.raises(grpc.RpcError) as caught:
            infer(content, timeout=60)
    assert caught.value.code() in {grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.NOT_FOUND}


def test_tokens_and_the_log_apply(plain_export, trust):
    token, lines = "t" * 20, []
    own = {"authorization": f"Bearer {token}", "x-request-id": "mine"}
    with (
        serving_both(
            plain_export.folder / "cloud", trust, tokens=Tokens([token]), log_line=lines.append
        ) as (url, address),  # fmt: skip
        asking(address) as client,
    ):
        assert client.is_server_ready()
        for ask in (
            lambda **more: client.infer("digits", as_input(random_z(1)), **more),
            lambda **more: client.get_model_metadata("digits", **more),
            client.get_server_metadata,
        ):
            with pytest.raises(InferenceServerException, match="valid bearer token"):
                ask()
            ask(headers=own)
        shown = httpx2.get(url + "/metrics", headers=own).text
    for status in (200, 401):
        labels = f'model="digits",protocol="grpc",status="{status}",version="1"'
        assert f"mixcon_requests_total{{{labels}}} 1.0" in shown
    logged = [json.loads(line) for line in lines]
    (mine,) = [line for line in logged if line.get("id") == "mine" and "ModelInfer" in line["path"]]
    assert (mine["status"], mine["peer"], mine["model"]) == (200, "127.0.0.1", "digits")
    assert mine["received"] > 1600
    assert token not in "".join(lines)


def test_requests_of_both_kinds_go_through_the_head_together(plain_export, trust):
    limits = ServerLimits(max_delay=60, max_batch=2)
    with (
        serving_both(plain_export.folder / "cloud", trust, limits=limits) as (url, address),
        asking(address) as client,
    ):
        answers = []
        thread = threading.Thread(
            target=lambda: answers.append(client.infer("digits", as_input(random_z(1))))
        )
        thread.start()
        assert httpx2.post(url + INFER, json=as_json(random_z(1)), timeout=60).status_code == 200
        thread.join(60)
        shown = httpx2.get(url + "/metrics").text
    assert len(answers) == 1
    assert "mixcon_batch_rows_count 1.0" in shown
    assert "mixcon_batch_rows_sum 2.0" in shown


def test_a_full_queue_says_so(plain_export, trust, monkeypatch):
    def nobody(result, error):
        """Waits for the answer."""

    begun, go_on = threading.Event(), threading.Event()

    class SlowModel(ServedModel):
        def _run(self, z):
            begun.set()
            assert go_on.wait(60)
            return super()._run(z)

    monkeypatch.setattr("mixcon.serving.service.ServedModel", SlowModel)
    limits = ServerLimits(max_batch=1, max_queue=1)
    with (
        serving_both(plain_export.folder / "cloud", trust, limits=limits) as (_, address),
        asking(address) as client,
    ):
        first = client.async_infer(
            "digits", as_input(random_z(1)), callback=lambda result, error: None
        )
        assert begun.wait(60)
        second = client.async_infer(
            "digits", as_input(random_z(1)), callback=lambda result, error: None
        )
        reasons = []
        while not any("try again later" in reason for reason in reasons):
            with pytest.raises(InferenceServerException) as caught:  # one may come before `second`
                client.infer("digits", as_input(random_z(1)), client_timeout=0.5)
            reasons.append(str(caught.value))
        assert "UNAVAILABLE" in reasons[-1]
        go_on.set()
        del first, second


def test_tls_of_a_client_certificate(plain_export, trust, tmp_path):
    authority = certificate("authority", tmp_path)
    for name in ("server", "device"):
        certificate(name, tmp_path, authority)
    tls = Tls(tmp_path / "server.pem", tmp_path / "server.key", tmp_path / "authority.pem")
    files = {"root_certificates": str(tmp_path / "authority.pem")}
    own = {"private_key": str(tmp_path / "device.key"),
           "certificate_chain": str(tmp_path / "device.pem")}  # fmt: skip
    with serving_both(plain_export.folder / "cloud", trust, tls=tls) as (_, address):
        with asking(address, ssl=True, **files, **own) as client:
            assert client.is_server_ready()
            found = client.infer("digits", as_input(random_z(3)))
            assert found.as_numpy("logits").shape == (3, 10)
        with asking(address, ssl=True, **files) as client, pytest.raises(InferenceServerException):
            client.is_server_ready(client_timeout=5)


def test_new_connections_take_the_place_of_idle_ones(plain_export, trust):
    limits = ServerLimits(connections=4, peer_share=1, receive_timeout=60)
    with serving_both(plain_export.folder / "cloud", trust, limits=limits) as (url, address):
        host, port = address.split(":")
        with contextlib.ExitStack() as stack:
            idle = [
                stack.enter_context(socket.create_connection((host, int(port)), timeout=60))
                for _ in range(4)
            ]
            assert httpx2.get(url + "/v2/health/live").status_code == 200
            with asking(address) as client:
                assert client.is_server_ready()
            assert idle[0].recv(100) is not None


def frame(kind, flags, stream, content=b""):
    return (
        len(content).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + content
    )


def test_a_request_that_comes_too_slowly_ends_its_connection(both):
    """It announces a body, sends a part, and then only what keeps a connection alive."""
    host, port = both[1].split(":")
    with socket.create_connection((host, int(port)), timeout=60) as connection:
        connection.sendall(PREFACE)
        connection.sendall(frame(1, 4, 1, headers()) + frame(0, 0, 1, b"\0\0\0\x10\0abc"))
        connection.settimeout(0.2)
        started, ended = time.monotonic(), False
        while not ended and time.monotonic() - started < 60:
            with contextlib.suppress(TimeoutError):
                ended = not connection.recv(65536)
        assert ended


def headers():
    """Of a call of ModelInfer, as HPACK writes literals without an index."""
    fields = {":method": "POST", ":scheme": "http",
              ":path": "/inference.GRPCInferenceService/ModelInfer",
              ":authority": "a", "content-type": "application/grpc", "te": "trailers"}  # fmt: skip
    return b"".join(
        bytes([0, len(k)]) + k.encode() + bytes([len(v)]) + v.encode() for k, v in fields.items()
    )


def test_unfinished_bodies_are_charged_as_they_come(plain_export, trust):
    """Who sends more of them than there is memory for is let go; others are answered."""
    lines = []
    limits = ServerLimits(memory=2**20, max_batch=8, receive_timeout=60, max_body=2**19)
    with serving_both(plain_export.folder / "cloud", trust, limits=limits,
                      log_line=lines.append) as (_, address):  # fmt: skip
        host, port = address.split(":")
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(PREFACE)
            start = (2**19 - 100).to_bytes(4, "big")
            with contextlib.suppress(ConnectionError):
                for stream in range(1, 100, 2):
                    connection.sendall(frame(1, 4, stream, headers()))
                    connection.sendall(frame(0, 0, stream, b"\0" + start + bytes(16_000)))
                while connection.recv(65536):
                    pass
        with asking(address) as client:
            assert client.is_server_ready()
            client.infer("digits", as_input(random_z(8)))
    assert any("memory for bodies" in line for line in lines)


def test_it_outlives_garbage(both, client):
    host, port = both[1].split(":")
    for garbage in (b"\0" * 100, b"GET / HTTP/1.1\r\n\r\n", PREFACE + b"\xff" * 1000,
                    PREFACE + frame(0, 1, 1, b"x" * 100), b"\x16\x03\x01\x02"):  # fmt: skip
        with socket.create_connection((host, int(port)), timeout=60) as connection:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(ConnectionError):
                while connection.recv(65536):
                    pass
    assert client.is_server_ready()


def test_a_folder_that_no_socket_can_be_in_is_one_clear_error(
    plain_export, trust, tmp_path, monkeypatch
):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    server = made(plain_export.folder / "cloud", trust)
    listener, _ = server.bind("127.0.0.1", 0)
    with listener, pytest.raises(ConfigError, match="as TMPDIR"):
        server.add_grpc(listener)
    long = tmp_path / ("x" * 90)
    long.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(long))
    with pytest.raises(ConfigError, match="is too long"):
        server.add_grpc(listener)
