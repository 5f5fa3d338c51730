"""Other servers as real processes that serve the head of an export."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path

from mixcon.serving import Contract

_RUNTIME = """\
import numpy as np
import onnxruntime
from mlserver import MLModel
from mlserver.types import InferenceResponse, ResponseOutput


class Head(MLModel):
    async def load(self):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = self.settings.parameters.uri
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        return True

    async def predict(self, payload):
        tensor = payload.inputs[0]
        z = np.array(tensor.data.root, np.float32).reshape(tensor.shape)
        (logits,) = self.session.run(None, {"z": z})
        output = ResponseOutput(
            name="logits", shape=list(logits.shape), datatype="FP32", data=logits.ravel().tolist()
        )
        return InferenceResponse(model_name=self.name, id=payload.id, outputs=[output])
"""


_BARE = """\
import numpy as np
import onnxruntime
from fastapi import FastAPI, Request, Response

app = FastAPI()
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
session = onnxruntime.InferenceSession({head!r}, options, ["CPUExecutionProvider"])


@app.post("/infer")
async def infer(request: Request):
    z = np.frombuffer(await request.body(), np.float32).reshape(-1, *{shape!r})
    (logits,) = session.run(None, {{"z": z}})
    return Response(logits.tobytes(), media_type="application/octet-stream")
"""


@contextlib.contextmanager
def bare_app(environment: Path, cloud: Path, contract: Contract) -> Iterator[tuple[str, int]]:
    """URL and process of the smallest application that serves the head, while it runs.

    Args:
        environment: a virtual environment with fastapi, uvicorn, uvloop, httptools, onnxruntime.
        cloud: the cloud folder of an export.
        contract: its contract.
    """
    (port,) = _free_ports(1)
    head = str((cloud / "head.onnx").resolve())
    with tempfile.TemporaryDirectory() as folder:
        code = _BARE.format(head=head, shape=contract.representation.shape)
        (Path(folder) / "bare.py").write_text(code)
        command = [environment / "bin" / "uvicorn", "bare:app", "--port", str(port),
                   "--no-access-log", "--log-level", "warning"]  # fmt: skip
        with _process(command, Path(folder), f"http://127.0.0.1:{port}/docs") as process:
            yield f"http://127.0.0.1:{port}", process.pid


@contextlib.contextmanager
def mlserver(
    environment: Path,
    cloud: Path,
    contract: Contract,
    folder: Path,
    *,
    batch: int = 0,
    in_process: bool = True,
) -> Iterator[str]:
    """The URL of a new MLServer, as `mlserver_process` says."""
    made = mlserver_process(
        environment, cloud, contract, folder, batch=batch, in_process=in_process
    )
    with made as (url, _):
        yield url


@contextlib.contextmanager
def mlserver_process(
    environment: Path,
    cloud: Path,
    contract: Contract,
    folder: Path,
    *,
    batch: int = 0,
    in_process: bool = True,
) -> Iterator[tuple[str, int]]:
    """URL and process of a new MLServer on the loopback, while it runs.

    Args:
        environment: a virtual environment with mlserver and onnxruntime.
        cloud: the cloud folder of an export.
        contract: its contract.
        folder: an empty one, for its settings.
        batch: rows of its adaptive batching; 0 for none.
        in_process: without a pool of worker processes, which is faster for small models.
    """
    ports = _free_ports(3)
    settings = {
        "host": "127.0.0.1", "http_port": ports[0], "grpc_port": ports[1],
        "metrics_port": ports[2], "parallel_workers": 0 if in_process else 1, "debug": False,
    }  # fmt: skip
    model = {
        "name": contract.name,
        "implementation": "head.Head",
        "parameters": {"uri": str((cloud / "head.onnx").resolve())},
        "inputs": [
            {"name": "z", "datatype": "FP32", "shape": [-1, *contract.representation.shape]}
        ],
        "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, *contract.logits.shape]}],
        "max_batch_size": batch,
        "max_batch_time": 0.002 if batch else 0,
    }
    (folder / "head.py").write_text(_RUNTIME)
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    url = f"http://127.0.0.1:{ports[0]}"
    command = [environment / "bin" / "mlserver", "start", "."]
    with _process(command, folder, f"{url}/v2/models/{contract.name}/ready") as process:
        yield url, process.pid


@contextlib.contextmanager
def _process(
    command: Sequence[str | Path], folder: Path, ready: str
) -> Iterator[subprocess.Popen[bytes]]:
    """A process that works in a folder, from when a URL is there; ended afterwards."""
    clean = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, cwd=folder, env=clean, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        _wait(ready, process, folder / "log")
        yield process
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(15)
        process.kill()
        process.wait()


def _wait(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(1200):
        if process.poll() is not None:
            break
        with contextlib.suppress(OSError), urllib.request.urlopen(url, timeout=5):  # noqa: S310
            return
        time.sleep(0.1)
    raise RuntimeError(f"expected a server to start, but it says: {log.read_text()[-2000:]}")


def _free_ports(count: int) -> list[int]:
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listener.getsockname()[1] for listener in sockets]
    for listener in sockets:
        listener.close()
    return ports
