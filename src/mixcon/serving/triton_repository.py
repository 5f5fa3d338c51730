"""The model repository that Triton and KServe read: the head, and how to serve it."""

from __future__ import annotations

from pathlib import Path

from mixcon._files import write_whole
from mixcon.serving.contract import Contract, TensorSpec

__all__ = ["write_repository"]

_LARGEST_BATCH = 256
_DELAY_MICROSECONDS = 2000


def write_repository(folder: Path, contract: Contract, head: bytes) -> None:
    """Write ``NAME/config.pbtxt`` and ``NAME/VERSION/model.onnx`` into a folder."""
    model = folder / contract.name
    write_whole(model / contract.version / "model.onnx", head)
    write_whole(model / "config.pbtxt", _config(contract))


def _config(contract: Contract) -> str:
    return f"""\
name: "{contract.name}"
platform: "onnxruntime_onnx"
max_batch_size: {_LARGEST_BATCH}
input [ {_tensor(contract.representation)} ]
output [ {_tensor(contract.logits)} ]
dynamic_batching {{ max_queue_delay_microseconds: {_DELAY_MICROSECONDS} }}
parameters {{ key: "contract_sha256" value: {{ string_value: "{contract.sha256}" }} }}
"""


def _tensor(spec: TensorSpec) -> str:
    dims = ", ".join(map(str, spec.shape))
    return f'{{ name: "{spec.name}" data_type: TYPE_FP32 dims: [ {dims} ] }}'
