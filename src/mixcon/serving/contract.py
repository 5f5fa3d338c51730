"""The contract between the two halves: what crosses the wire, and what was measured of it.

Both halves carry the same signed file. It says nothing that an attacker of an audit is not
assumed to know already.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, PrivateAttr

from mixcon._files import write_whole
from mixcon.errors import ContractError
from mixcon.evidence import Evidence
from mixcon.kinds import Kind
from mixcon.serving import signing
from mixcon.serving.wire import IntegerCode, Wire

__all__ = [
    "READABLE",
    "SCHEMA_VERSION",
    "AuditSummary",
    "Contract",
    "NoiseInput",
    "Preprocessing",
    "TensorSpec",
    "sha256",
]

SCHEMA_VERSION = 4
READABLE = (1, 2, 3, SCHEMA_VERSION)
"""Version 1 does not say how hard its audit tried; as evidence it counts as weak. Versions 1 and 2
have no number and no expiry: nobody can tell which of them is newer. Version 3 does not say how
many inputs the reconstructions name."""
_NUMBERED = 3
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", ser_json_inf_nan="strings")


class TensorSpec(_Part):
    """A tensor of an ONNX graph: float32, of this shape after the batch dimension."""

    name: str
    shape: tuple[int, ...]


class NoiseInput(_Part):
    """An input of the encoder that the device fills anew at each call from a secure source.

    Attributes:
        name: name of the input.
        distribution: ``normal`` (mean 0, deviation 1), ``laplace`` (mean 0, scale 1) or
            ``uniform`` (from 0 to 1); the graph scales it.
        shape: shape of what is drawn for one sample; that of the representation if None.
    """

    name: str
    distribution: Literal["normal", "laplace", "uniform"]
    shape: tuple[int, ...] | None = None


class Preprocessing(_Part):
    """How the device makes the encoder's input.

    Attributes:
        kind: of an image pixels are divided by 255; other numbers stay as they are.
        mode: ``L`` for grayscale, ``RGB`` for color; None for vectors.
        resize: how images of another size are brought to that of the input, since the training
            images were too; None if they are to be refused.
    """

    kind: Kind
    mode: Literal["L", "RGB"] | None = None
    resize: Literal["bilinear"] | None = None


class AuditSummary(Evidence):
    """What an audit found and how hard it tried, and which report says so.

    Attributes:
        report_sha256: hash of the ``report.json``.
    """

    report_sha256: str


class Contract(_Part):
    """What the two halves agree on.

    Attributes:
        schema_version: raised when the meaning of a field changes.
        name: what servers call the model.
        version: what servers call its version.
        sequence: a newer export of the same name has a higher one; 0 where there was none.
        expires: from then on, nobody uses it; None for never.
        defense: the defense it was trained with.
        classes: name of each class, in the order of the logits.
        input: input of the encoder.
        noise: further inputs of the encoder, drawn by the device.
        preprocessing: how to make the input.
        representation: what crosses the wire: output of the encoder, input of the head.
        low: smallest number of the representations of the training set.
        high: largest number of them.
        logits: output of the head.
        wire: the wire format to use where none is asked for.
        scales: how ``int8`` and ``int4`` code a number.
        encoder_sha256: hash of ``encoder.onnx``.
        head_sha256: hash of ``head.onnx``.
        audit: what an audit found; None if there was none.
        mixcon: version of mixcon that wrote it.
    """

    schema_version: int = SCHEMA_VERSION
    name: str = Field(pattern=NAME_PATTERN)
    version: str = Field(default="1", pattern=r"^[1-9][0-9]{0,8}$")
    sequence: int = Field(default=0, ge=0, lt=2**53)
    expires: AwareDatetime | None = None
    defense: str
    classes: tuple[str, ...]
    input: TensorSpec
    noise: tuple[NoiseInput, ...] = ()
    preprocessing: Preprocessing
    representation: TensorSpec
    low: float
    high: float
    logits: TensorSpec
    wire: Wire = "float32"
    scales: dict[Literal["int8", "int4"], IntegerCode]
    encoder_sha256: str
    head_sha256: str
    audit: AuditSummary | None = None
    mixcon: str
    _bytes: bytes = PrivateAttr(b"")

    @property
    def content(self) -> bytes:
        """The bytes that are written, signed and hashed."""
        return self._bytes or (self.model_dump_json(indent=2) + "\n").encode()

    @classmethod
    def parse(cls, content: bytes) -> Contract:
        """The contract in these bytes, which stay its `content`: another version wrote others.

        Raises:
            ValidationError: it is none.
        """
        contract = cls.model_validate_json(content)
        if contract.content != content:
            contract._bytes = content
        return contract

    @property
    def sha256(self) -> str:
        """What a server names in its metadata, so that a device knows it speaks of the same."""
        return sha256(self.content)

    @property
    def is_old(self) -> bool:
        """Whether it is from before contracts had numbers."""
        return self.schema_version < _NUMBERED

    def check_expiry(self) -> None:
        """Refuse it from its expiry on.

        Raises:
            ContractError: it has expired.
        """
        if self.expires and datetime.now(UTC) >= self.expires:
            raise ContractError(
                f"expected a contract that still holds, but this one of {self.name!r} expired at "
                f"{self.expires:%Y-%m-%d %H:%M} UTC; export again, or set this machine's clock"
            )

    def write(self, folder: Path, key: Ed25519PrivateKey) -> None:
        """Write ``contract.json`` and its signature ``contract.sig`` into a folder."""
        write_whole(folder / "contract.json", self.content)
        write_whole(folder / "contract.sig", signing.sign(key, self.content) + "\n")


def sha256(content: bytes) -> str:
    """Hash of a file's bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()
