"""ONNX Runtime sessions, without its reports to Microsoft."""

from __future__ import annotations

import os

# From release 1.29 on it reports processes and models (names, hashes of graph and weights) and
# keeps an identifier of the device on its disk, unless this is set when it is imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime

onnxruntime.disable_telemetry_events()  # what was imported before mixcon stops as far as it can

__all__ = ["session"]


def session(model: bytes, threads: int = 1) -> onnxruntime.InferenceSession:
    """A session on the CPU.

    Args:
        model: the ONNX file's bytes.
        threads: how many threads share one call.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors
    # Waiting threads shall not burn the cores that answer requests.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
