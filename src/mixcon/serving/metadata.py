"""What a server says of itself and of its model, as the device reads it."""

from __future__ import annotations

from typing import Self

from pydantic import Field

from mixcon.errors import ContractError
from mixcon.serving.contract import Contract, TensorSpec
from mixcon.serving.messages import Message, WithParameters, parse
from mixcon.serving.text import printable

__all__ = ["METADATA_BYTES", "ModelMetadata", "ServerMetadata", "check_served"]

METADATA_BYTES = 262_144
"""So many bytes of metadata at most."""


class ServerMetadata(Message):
    """What ``/v2`` says."""

    extensions: list[str] | None = None

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Out of its JSON.

        Raises:
            WireError: it is none.
        """
        return parse(cls, memoryview(body))

    @property
    def is_binary(self) -> bool:
        """Whether it knows the binary tensor data extension."""
        return "binary_tensor_data" in (self.extensions or ())


class TensorMetadata(Message):
    """A tensor that a model takes or gives."""

    name: str = Field(max_length=256)
    datatype: str = Field(max_length=16)
    shape: list[int] = Field(max_length=8)


class ModelMetadata(WithParameters):
    """What ``/v2/models/NAME`` says."""

    versions: list[str] | None = Field(default=None, max_length=64)
    inputs: list[TensorMetadata] | None = Field(default=None, max_length=8)
    outputs: list[TensorMetadata] | None = Field(default=None, max_length=8)

    @property
    def names_contract(self) -> bool:
        """Whether it says which contract it serves."""
        return self.parameter("contract_sha256") is not None

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Out of its JSON.

        Raises:
            WireError: it is none.
        """
        return parse(cls, memoryview(body))

    def has_beside(self, contract: Contract) -> bool:
        """Whether the version of this contract may be served, though not as the default."""
        other = self.parameter("contract_sha256") not in (None, contract.sha256)
        return other and contract.version in (self.versions or ())

    def checked(self, contract: Contract) -> Self:
        """The same, after it was compared with the contract.

        Raises:
            ContractError: they differ.
        """
        _refuse_other("inputs", self.inputs, contract.representation)
        _refuse_other("outputs", self.outputs, contract.logits)
        check_served(self, contract)
        return self


def check_served(said: WithParameters, contract: Contract) -> None:
    """Compare the contract that a server names, if it names one, with ours.

    Raises:
        ContractError: they differ.
    """
    served = said.parameter("contract_sha256")
    canary_of = said.parameter("stands_in_for")
    if served is not None and contract.sha256 not in (served, canary_of):
        raise ContractError(
            f"expected a server of contract {contract.sha256[:12]}..., but it serves "
            f"{printable(str(served), 12)}; take the edge folder of the export that is served"
        )


def _refuse_other(side: str, found: list[TensorMetadata] | None, spec: TensorSpec) -> None:
    seen = [(tensor.name, tensor.datatype, tensor.shape) for tensor in found or ()]
    if seen != [(spec.name, "FP32", [-1, *spec.shape])]:
        raise ContractError(
            f"expected a server whose {side} are {spec.name!r} of FP32 and shape "
            f"{[-1, *spec.shape]}, but it has {printable(str(seen))}; check the URL and the "
            "model's name"
        )
