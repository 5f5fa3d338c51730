"""Reads one half of an export, and believes nothing of it that is not signed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from pydantic import ValidationError

from mixcon.errors import ContractError
from mixcon.serving import signing
from mixcon.serving.contract import READABLE, SCHEMA_VERSION, Contract, sha256

__all__ = ["Half", "read_contract", "read_half"]


@dataclass(frozen=True)
class Half:
    """One half of an export, as it was checked.

    Attributes:
        contract: its contract.
        onnx: its graph: the very bytes that were hashed.
        key: who signed.
    """

    contract: Contract
    onnx: bytes
    key: Ed25519PublicKey


def read_contract(folder: Path, half: Literal["encoder", "head"], trust: Path) -> Contract:
    """The contract of a folder, checked as `read_half` says."""
    return read_half(folder, half, trust).contract


def read_half(folder: Path, half: Literal["encoder", "head"], trust: Path) -> Half:
    """One half and its contract, after signature and hash were checked.

    Args:
        folder: holds ``contract.json``, ``contract.sig`` and ``encoder.onnx`` or ``head.onnx``.
        half: which of the two it holds.
        trust: PEM file with the public key of who exported it.

    Raises:
        ContractError: something is missing, or signature, schema or hash do not hold.
    """
    _refuse_other_folder(folder, half)
    content, signature, onnx = (
        _read(folder, name) for name in ("contract.json", "contract.sig", f"{half}.onnx")
    )
    key = signing.public_key(trust)
    if not signing.verify(key, content, signature.decode("latin1").strip()):
        raise ContractError(
            f"{folder}: expected a contract signed by the key in {trust}, but the signature does "
            "not hold: it was changed, or another key signed it; fetch the folder again, or pass "
            "the right key as --trust"
        )
    contract = _parse(content, folder)
    if getattr(contract, f"{half}_sha256") != sha256(onnx):
        raise ContractError(
            f"{folder}: expected the {half}.onnx that its contract names, but got a file with "
            "another hash; export again, or fetch the whole folder again"
        )
    return Half(contract, onnx, key)


def _refuse_other_folder(folder: Path, half: str) -> None:
    """Name the right one where the folder of the whole export was given, or the other half's."""
    if (folder / f"{half}.onnx").is_file():
        return
    side = {"encoder": "edge", "head": "cloud"}[half]
    near = (folder / side, folder.parent / side)
    right = next((each for each in near if (each / f"{half}.onnx").is_file()), None)
    if right:
        raise ContractError(
            f"expected the {side} folder of an export, but got {folder}; take {right}"
        )


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise ContractError(
            f"{folder / name}: expected a file of mixcon export, but got {error.strerror}"
        ) from error


def _parse(content: bytes, folder: Path) -> Contract:
    try:
        contract = Contract.parse(content)
    except ValidationError as error:
        raise ContractError(
            f"{folder}: expected a contract of schema version {SCHEMA_VERSION}, but got: {error}; "
            "export again with this version of mixcon"
        ) from error
    if contract.schema_version not in READABLE:
        raise ContractError(
            f"{folder}: expected a contract of schema version {SCHEMA_VERSION}, but got "
            f"{contract.schema_version}; export again with this version of mixcon"
        )
    return contract
