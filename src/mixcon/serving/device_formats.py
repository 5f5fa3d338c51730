"""The device's half in another format beside ONNX, bound to its contract by a signature.

An ExecuTorch program, ``encoder.pte``, takes one sample and its noise at a time, as phones and
boards do. As in the ONNX graph noise is an input, which the device draws.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias, get_args

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from mixcon._extras import check_extra
from mixcon._files import write_whole
from mixcon.errors import ConfigError, ContractError
from mixcon.serving import signing
from mixcon.serving.contract import Contract
from mixcon.serving.export_reader import Half
from mixcon.serving.runtime import session
from mixcon.serving.wire import Floats

__all__ = [
    "DEVICE_FORMATS",
    "DeviceFormat",
    "Encoder",
    "ExecutorchEncoder",
    "checked_format",
    "encoder_of",
    "write_program",
]

DeviceFormat: TypeAlias = Literal["onnx", "executorch"]
DEVICE_FORMATS: tuple[DeviceFormat, ...] = get_args(DeviceFormat)
_PROGRAM, _SIGNATURE = "encoder.pte", "encoder.pte.sig"


class Encoder(Protocol):
    """Runs the encoder, as a session of ONNX Runtime does."""

    def run(self, outputs: None, feeds: dict[str, Floats]) -> Any:
        """A list of one: z, (N, ...), of inputs by name, (N, ...) each."""


def checked_format(name: str) -> DeviceFormat:
    """The format of this name.

    Raises:
        ConfigError: there is none.
    """
    for known in DEVICE_FORMATS:
        if name == known:
            return known
    raise ConfigError(
        f"expected a device format out of {', '.join(DEVICE_FORMATS)}, but got '{name}'"
    )


def write_program(folder: Path, program: bytes, contract: Contract, key: Ed25519PrivateKey) -> None:
    """Write a program beside the contract that it goes with."""
    write_whole(folder / _PROGRAM, program)
    write_whole(folder / _SIGNATURE, signing.sign(key, _signed(contract, program)) + "\n")


def encoder_of(folder: Path, half: Half, device_format: str) -> Encoder:
    """What runs the encoder of an ``edge`` folder.

    Args:
        folder: of the export.
        half: what was read and checked of it.
        device_format: one of `DEVICE_FORMATS`.

    Raises:
        ConfigError: another format, or its extra is not installed.
        ContractError: no such program, or its signature does not hold.
    """
    if checked_format(device_format) == "onnx":
        return session(half.onnx)  # type: ignore[no-any-return]
    check_extra("executorch")
    return ExecutorchEncoder(_read_program(folder, half))


def _read_program(folder: Path, half: Half) -> bytes:
    try:
        program = (folder / _PROGRAM).read_bytes()
        signature = (folder / _SIGNATURE).read_text("latin1").strip()
    except OSError as error:
        raise ContractError(
            f"{folder}: expected {_PROGRAM} and {_SIGNATURE}, but got {error.strerror}; export "
            "again with --device-format executorch"
        ) from error
    if not signing.verify(half.key, _signed(half.contract, program), signature):
        raise ContractError(
            f"{folder}: expected {_PROGRAM} to be signed with this contract, but the signature "
            "does not hold; fetch the whole folder again"
        )
    return program


def _signed(contract: Contract, program: bytes) -> bytes:
    """Bytes that say: this program, under this contract."""
    return contract.sha256.encode() + b"\n" + program


class ExecutorchEncoder:
    """An ExecuTorch program of one sample, run over batches.

    Args:
        program: content of the ``.pte`` file.
    """

    def __init__(self, program: bytes) -> None:
        from executorch.runtime import Runtime  # noqa: PLC0415  an extra

        self._program = Runtime.get().load_program(program)  # the method needs it to live
        self._method = self._program.load_method("forward")

    def run(self, outputs: None, feeds: Mapping[str, Floats]) -> list[Floats]:
        """As `Encoder.run`; the order of the feeds is that of the program's inputs."""
        from torch import from_numpy  # noqa: PLC0415  its Python runtime takes tensors

        rows = zip(*feeds.values(), strict=True)
        parts = [
            self._method.execute([from_numpy(np.ascontiguousarray(part[None])) for part in row])[
                0
            ].numpy()
            for row in rows
        ]
        return [np.concatenate(parts)] if parts else [np.empty((0,), np.float32)]
