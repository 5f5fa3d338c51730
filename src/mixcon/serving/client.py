"""The device's side: encode inputs, send only z, return labels."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import numpy as np
from numpy.typing import NDArray

from mixcon.errors import ConfigError, ContractError, DataError
from mixcon.kinds import Kind
from mixcon.serving import signing
from mixcon.serving.bit_budget import AnswerCache, BitBudget
from mixcon.serving.capture import Recorder
from mixcon.serving.device_formats import encoder_of
from mixcon.serving.endpoint import Endpoint
from mixcon.serving.export_reader import read_half
from mixcon.serving.gate import check_audit, check_bits
from mixcon.serving.http_client import HttpClient
from mixcon.serving.metadata import METADATA_BYTES, ModelMetadata, ServerMetadata
from mixcon.serving.noise import draw
from mixcon.serving.requests import build_request
from mixcon.serving.responses import answer_bytes, parse_response
from mixcon.serving.sequence import refuse_older
from mixcon.serving.wire import WIRES, Floats, Wire, all_finite

__all__ = ["EdgeClient", "Predictions"]

_WITHIN = {
    Kind.IMAGE: " from 0 to 1 (give uint8 pixels, or divide them by 255)",
    Kind.TEXT: " from 0 to 1 (give integer tokens)",
}


@dataclass(frozen=True)
class Predictions:
    """What the cloud says of some inputs, in their order.

    Attributes:
        labels: name of the most likely class of each.
        probabilities: softmax of the logits, float32 (N, classes).
    """

    labels: tuple[str, ...]
    probabilities: Floats

    @property
    def confidences(self) -> Floats:
        """Probability of each label, (N,)."""
        return np.asarray(self.probabilities.max(axis=1), np.float32)


class EdgeClient:
    """Runs the encoder here and the head there.

    Args:
        folder: the ``edge`` folder of an export.
        server: its URL, or more about it.
        trust: PEM file with the public key of who exported it.
        wire: format to send in; the contract's own by default.
        batch: inputs in one request.
        record: a file that gets a copy of all that is sent, for ``mixcon audit --wire``.
        max_excess: largest excess leakage that the contract's audit may leave open, see
            `check_audit`; None asks for no audit.
        max_bits: most bits that one release may be proved to tell, see `check_bits`; None asks for
            no proof.
        device_format: which of the export's encoders to run, see `DEVICE_FORMATS`.
        max_bits_per_day: most bits of one user in a day, see `BitBudget`. An input that was
            answered before is then answered from memory; None counts nothing.

    Raises:
        ContractError: the folder is not what its contract says, it expired, a newer one was used
            here before, or its audit does not hold.
        ConfigError: an unknown wire format, a limit that is no finite number, or unusable
            certificates.

    Example:
        with EdgeClient(Path("out/edge"), "https://cloud.example") as edge:
            print(edge.infer(images).labels)
    """

    def __init__(  # noqa: PLR0913  each is a choice that a caller may make
        self,
        folder: Path,
        server: str | Endpoint,
        *,
        trust: Path = signing.DEFAULT_TRUST,
        wire: Wire | None = None,
        batch: int = 64,
        record: Path | None = None,
        max_excess: float | None = None,
        max_bits: float | None = None,
        max_bits_per_day: float | None = None,
        device_format: str = "onnx",
    ) -> None:
        endpoint = Endpoint(server) if isinstance(server, str) else server
        half = read_half(folder, "encoder", trust)
        self.contract = half.contract
        self.contract.check_expiry()
        if max_excess is not None:
            check_audit(self.contract, max_excess, "leave out --max-excess to use it anyway")
        if max_bits is not None:
            check_bits(self.contract, max_bits)
        self._budget = (
            None
            if max_bits_per_day is None
            else BitBudget(self.contract, half.key, max_bits_per_day)
        )
        self._answers = AnswerCache()
        self.wire: Wire = wire or self.contract.wire
        if self.wire not in WIRES or batch < 1:
            raise ConfigError(
                f"expected a wire format out of {', '.join(WIRES)} and a batch of 1 or more, but "
                f"got {wire!r} and {batch}"
            )
        refuse_older(self.contract, half.key)
        self._encoder = encoder_of(folder, half, device_format)
        self._http = HttpClient(endpoint)
        self._path = f"/v2/models/{quote(endpoint.model or self.contract.name, safe='')}"
        self._batch = batch
        self._recorder = Recorder(record) if record else None
        self._binary: bool | None = None
        self._prefix, self._count = uuid.uuid4().hex[:12], 0
        self.identified = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection, and the record."""
        self._http.close()
        if self._recorder:
            self._recorder.close()

    @property
    def bytes_sent(self) -> int:
        """Bytes of all requests so far, with their HTTP headers, before encryption."""
        return self._http.bytes_sent

    def check(self) -> None:
        """Compare the contract with what the server says of itself.

        Sets `identified`: whether it names the contract that it serves. `mixcon serve` does; of
        another server, only names, types and shapes are compared.

        Raises:
            ContractError: they differ.
            WireError: the server is away, or refuses.
        """
        server = self._http.get("/v2", METADATA_BYTES, ServerMetadata.read)
        model = self._http.get(self._path, METADATA_BYTES, self._read_default)
        if model.has_beside(self.contract):
            self._path += f"/versions/{self.contract.version}"
            model = self._http.get(self._path, METADATA_BYTES, self._read_own)
        self.identified = model.names_contract
        self._binary = server.is_binary
        if not self.identified and self.wire in ("int8", "int4"):
            raise ContractError(
                f"expected a server that decodes {self.wire}, which mixcon serve does, but this "
                "one may not; use float32"
            )

    def _read_own(self, body: bytes) -> ModelMetadata:
        return ModelMetadata.read(body).checked(self.contract)

    def _read_default(self, body: bytes) -> ModelMetadata:
        """What is served by default; it may be another version, where ours is served beside it."""
        model = ModelMetadata.read(body)
        return model if model.has_beside(self.contract) else model.checked(self.contract)

    def encode(self, inputs: NDArray[Any]) -> Floats:
        """What would be released of inputs (N, *shape): z, with fresh noise at each call.

        Raises:
            DataError: they do not fit the contract.
        """
        x = self._checked(inputs)
        released = self.contract.representation.shape
        noise = {n.name: draw(n, (len(x), *(n.shape or released))) for n in self.contract.noise}
        return self._encoder.run(None, {self.contract.input.name: x, **noise})[0]  # type: ignore[no-any-return]

    def infer(self, inputs: NDArray[Any], user: str = "") -> Predictions:
        """Labels of inputs (N, *shape), in their order.

        Args:
            inputs: uint8 images, or floats as the contract's preprocessing says: images in
                [0, 1], others as they are.
            user: whose bits these are, where they are counted.

        Raises:
            DataError: they do not fit the contract. Nothing was sent.
            BudgetError: they would tell too much of the user today. Nothing was sent.
            ContractError, WireError: as `check`; or an answer that is none.
        """
        x = self._checked(inputs)
        if self._budget and len(x):
            logits = self._answers.answer(x, partial(self._ask_counted, self._budget, user))
        else:
            logits = self._ask_all(x)
        names = self.contract.classes
        labels = tuple(names[i] for i in logits.argmax(axis=1))
        return Predictions(labels, _softmax(logits))

    def _ask_counted(self, budget: BitBudget, user: str, x: Floats) -> Floats:
        budget.spend(len(x), user)
        return self._ask_all(x)

    def _ask_all(self, x: Floats) -> Floats:
        none = np.empty((0, len(self.contract.classes)), np.float32)
        return np.concatenate([none, *(self._ask(part) for part in _chunks(x, self._batch))])

    def _ask(self, x: Floats) -> Floats:
        self.contract.check_expiry()
        if self._binary is None:
            self.check()
        id, self._count = f"{self._prefix}-{self._count}", self._count + 1
        binary = bool(self._binary)
        body, length = build_request(self.encode(x), self.wire, self.contract, id, binary=binary)
        if self._recorder:
            self._recorder.add(f"{self._path}/infer", body, length, x)
        most = answer_bytes(self.contract, len(x))
        return self._http.post(
            f"{self._path}/infer",
            body,
            length,
            most,
            lambda answer, end: parse_response(answer, end, self.contract, id, len(x)),
        )

    def _checked(self, inputs: NDArray[Any]) -> Floats:
        shape, kind = self.contract.input.shape, self.contract.preprocessing.kind
        x = np.asarray(inputs)
        if kind is Kind.TEXT and x.dtype.kind == "i" and x.shape[1:] == shape[:1]:
            x = _one_hot(x, shape[1])
        if x.shape[1:] != shape or x.dtype.kind not in "fu":
            raise DataError(
                f"expected inputs of shape {('N', *shape)} and uint8 or floats, but got "
                f"{x.dtype} of shape {x.shape}"
            )
        if kind is Kind.IMAGE and x.dtype == np.uint8:
            x = x.astype(np.float32) / np.float32(255)
        x = x.astype(np.float32)
        if not all_finite(x) or (
            kind.box and x.size and not kind.box[0] <= x.min() <= x.max() <= kind.box[1]
        ):
            raise DataError(f"expected finite numbers{_WITHIN.get(kind, '')}, but got others")
        return x


def _one_hot(tokens: NDArray[Any], words: int) -> Floats:
    """Texts, (N, L), -1 behind the end, to rows with a 1 at their token, (N, L, V)."""
    if tokens.size and not -1 <= tokens.min() <= tokens.max() < words:
        raise DataError(
            f"expected tokens from 0 to {words - 1}, and -1 behind the end, but got "
            f"{tokens.min()} to {tokens.max()}"
        )
    rows: Floats = (tokens[..., None] == np.arange(words)).astype(np.float32)
    return rows


def _chunks(x: Floats, size: int) -> Iterator[Floats]:
    for start in range(0, len(x), size):
        yield x[start : start + size]


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float32)
