"""Independent parts: NVIDIA's client against our server, our client against Seldon's server.

MLServer pins packages of its own, so it runs from a virtual environment of its own, whose folder
MIXCON_MLSERVER names: python -m venv V && V/bin/pip install mlserver onnxruntime. KServe's SDK does
not stand beside tritonclient's gRPC in one process; likewise, MIXCON_KSERVE and pip install kserve.
"""

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http
from benchmarks import serving_peer
from serving_parts import serving_both
from tritonclient.utils import InferenceServerException

from mixcon.errors import ContractError
from mixcon.serving import EdgeClient
from mixcon.serving.runtime import session

MLSERVER = os.environ.get("MIXCON_MLSERVER")
KSERVE = os.environ.get("MIXCON_KSERVE")


@pytest.fixture
def triton(url):
    client = tritonclient.http.InferenceServerClient(url.removeprefix("http://"))
    yield client
    client.close()


def test_triton_client_reads_health_and_metadata(triton):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("digits")
    assert triton.is_model_ready("digits", "1")
    assert triton.get_server_metadata()["extensions"] == ["binary_tensor_data", "classification"]
    assert triton.get_model_metadata("digits")["inputs"][0]["name"] == "z"


@pytest.mark.parametrize("send_binary", [True, False])
@pytest.mark.parametrize("get_binary", [True, False, None])
@pytest.mark.parametrize("version", ["", "1"])
def test_triton_client_infers(triton, plain_export, send_binary, get_binary, version):
    head = session((plain_export.folder / "cloud" / "head.onnx").read_bytes())
    z = np.random.default_rng(0).random((6, 16, 5, 5), np.float32)
    tensor = tritonclient.http.InferInput("z", z.shape, "FP32")
    tensor.set_data_from_numpy(z, binary_data=send_binary)
    outputs = get_binary is not None and [
        tritonclient.http.InferRequestedOutput("logits", binary_data=get_binary)
    ]
    found = triton.infer("digits", [tensor], outputs=outputs or None, model_version=version,
                         request_id="tag")  # fmt: skip
    np.testing.assert_allclose(found.as_numpy("logits"), head.run(None, {"z": z})[0], atol=1e-5)
    assert found.get_response()["id"] == "tag"


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
@pytest.mark.parametrize("binary", [True, False])
def test_triton_client_compresses_and_asks_for_classes(triton, digits, coding, binary):
    z = np.random.default_rng(0).random((2, 16, 5, 5), np.float32)
    tensor = tritonclient.http.InferInput("z", z.shape, "FP32")
    tensor.set_data_from_numpy(z)
    outputs = [tritonclient.http.InferRequestedOutput("logits", binary_data=binary, class_count=3)]
    found = triton.infer("digits", [tensor], outputs=outputs, request_compression_algorithm=coding)
    texts = found.as_numpy("logits")
    assert texts.shape == (2, 3)
    for text in texts.ravel():
        _, i, name = (text.decode() if isinstance(text, bytes) else text).split(":")
        assert name == digits.test.classes[int(i)]


def test_triton_client_sends_half_precision(triton, plain_export):
    head = session((plain_export.folder / "cloud" / "head.onnx").read_bytes())
    z = np.random.default_rng(0).random((2, 16, 5, 5)).astype(np.float16)
    tensor = tritonclient.http.InferInput("z", z.shape, "FP16")
    tensor.set_data_from_numpy(z)
    found = triton.infer("digits", [tensor]).as_numpy("logits")
    expected = head.run(None, {"z": z.astype(np.float32)})[0]
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_triton_client_sees_our_reason(triton):
    tensor = tritonclient.http.InferInput("z", (1, 3), "FP32")
    tensor.set_data_from_numpy(np.zeros((1, 3), np.float32))
    with pytest.raises(InferenceServerException, match=r"expected shape \[-1, 16, 5, 5\]"):
        triton.infer("digits", [tensor])


@pytest.fixture(scope="module")
def mlserver(plain_export, tmp_path_factory):
    """MLServer's URL; it serves the same head by its name."""
    if not MLSERVER:
        pytest.skip("set MIXCON_MLSERVER to the folder of a virtual environment with mlserver")
    cloud, contract = plain_export.folder / "cloud", plain_export.contract
    folder = tmp_path_factory.mktemp("mlserver")
    with serving_peer.mlserver(Path(MLSERVER), cloud, contract, folder) as address:
        yield address


def test_our_client_speaks_with_mlserver(mlserver, plain_export, plain, digits, trust):
    with EdgeClient(plain_export.folder / "edge", mlserver, trust=trust) as client:
        found = client.infer(digits.test.inputs[:20].numpy())
        assert not client.identified
    expected = plain(digits.test.floats(slice(20))).softmax(1).detach().numpy()
    np.testing.assert_allclose(found.probabilities, expected, atol=1e-5)


def test_our_client_refuses_what_mlserver_cannot_decode(mlserver, plain_export, trust):
    with (
        EdgeClient(plain_export.folder / "edge", mlserver, trust=trust, wire="int8") as client,
        pytest.raises(ContractError, match="use float32"),
    ):
        client.check()


def test_kserves_sdk_asks_over_rest_and_grpc(plain_export, trust, tmp_path):
    if not KSERVE:
        pytest.skip("set MIXCON_KSERVE to the folder of a virtual environment with kserve")
    z = np.random.default_rng(0).random((5, 16, 5, 5), np.float32)
    np.save(tmp_path / "z.npy", z)
    script, found = Path(__file__).with_name("kserve_client.py"), tmp_path / "found.npy"
    with serving_both(plain_export.folder / "cloud", trust) as (url, address):
        command = [Path(KSERVE) / "bin" / "python", script, url, address, "digits",
                   tmp_path / "z.npy", found]  # fmt: skip
        clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
        subprocess.run(command, check=True, timeout=300, env=clean)
    head = session((plain_export.folder / "cloud" / "head.onnx").read_bytes())
    for answer in np.load(found):
        np.testing.assert_allclose(answer, head.run(None, {"z": z})[0], atol=1e-5)
