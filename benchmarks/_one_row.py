"""The smallest request of an export: one row of ones, as float32."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks._load import request
from mixcon.serving import read_contract
from mixcon.serving.messages import JSON_LENGTH
from mixcon.serving.requests import build_request

__all__ = ["one_row"]


def one_row(export: Path) -> bytes:
    """The bytes of the request, headers included, for its server on the loopback."""
    contract = read_contract(export / "cloud", "head", export / "public-key.pem")
    z = np.ones((1, *contract.representation.shape), np.float32)
    body, length = build_request(z, "float32", contract, "a")
    path = f"/v2/models/{contract.name}/infer"
    return request("127.0.0.1", path, body, {JSON_LENGTH: str(length)})
