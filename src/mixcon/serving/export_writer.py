"""Export: a trained split model as two folders, one for the device and one for the cloud."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor, nn

from mixcon._extras import check_extra
from mixcon._files import write_whole
from mixcon.attacks.base import frozen
from mixcon.kinds import Kind
from mixcon.serving import signing
from mixcon.serving.agreement import compare
from mixcon.serving.audit_summary import summary_of
from mixcon.serving.calibrate import integer_codes
from mixcon.serving.contract import (
    AuditSummary,
    Contract,
    NoiseInput,
    Preprocessing,
    TensorSpec,
    sha256,
)
from mixcon.serving.device_formats import DeviceFormat, write_program
from mixcon.serving.export_checks import (
    check_finite,
    check_model,
    check_name,
    check_samples,
)
from mixcon.serving.export_folder import refuse_foreign, staged
from mixcon.serving.sequence import number_of
from mixcon.serving.to_executorch import edge_executorch
from mixcon.serving.to_onnx import EdgeHalf, edge_onnx, head_onnx
from mixcon.serving.triton_repository import write_repository
from mixcon.serving.wire import IntegerCode, Wire
from mixcon.split import SplitModel
from mixcon.training import RunFolder, load_model

__all__ = ["Exported", "export", "export_run"]

_CALIBRATION = 10_000  # training samples that the ranges are learned from


@dataclass(frozen=True)
class Exported:
    """What an export wrote.

    Attributes:
        folder: holds ``edge``, ``cloud`` and ``public-key.pem``.
        contract: the contract of both halves.
        difference: largest difference between the logits of ONNX Runtime and of PyTorch.
    """

    folder: Path
    contract: Contract
    difference: float


def export_run(
    run: Path,
    out: Path,
    *,
    name: str | None = None,
    report: Path | None = None,
    key: Path = signing.DEFAULT_KEY,
    data_dir: Path | None = None,
    sequence: int | None = None,
    valid_days: int | None = None,
    device_format: DeviceFormat = "onnx",
) -> Exported:
    """Export the model of a finished run of ``mixcon train``.

    Args:
        run: the run folder.
        out: where to write; see `export`.
        name: what servers call the model; made of data set, network and defense by default.
        report: ``report.json`` of an audit of this run; by default that in ``RUN/audit``, if any.
        key: signing key; made if missing.
        data_dir: where local Parquet files lie; the ranges are learned from training samples.
        sequence: number of the contract; see `export`.
        valid_days: days until it expires; never by default.
        device_format: ``executorch`` writes an ExecuTorch program beside ``encoder.onnx``.

    Raises:
        RunError: not a finished run, or an unreadable report.
        ConfigError: the report is on other weights than this run's; or see `export`.
    """
    if name is not None:
        check_name(name)
    refuse_foreign(out)
    config = RunFolder(run).config
    splits = config.load_data(data_dir)
    data, model = splits.train, load_model(run, splits)
    found = report or run / "audit" / "report.json"
    audited = summary_of(found, model, str(config.defense)) if report or found.is_file() else None
    return export(
        model,
        data.mixed(_CALIBRATION).floats(),
        out,
        name=_name(config.data_title, config.network, config.defense.name)
        if name is None
        else name,
        classes=data.classes,
        kind=data.kind,
        resize=config.resize is not None,
        defense=str(config.defense),
        audit=audited,
        key=key,
        sequence=sequence,
        valid_days=valid_days,
        device_format=device_format,
    )


def export(  # noqa: PLR0913  each is a choice that a caller may make
    model: SplitModel,
    samples: Tensor,
    out: Path,
    *,
    name: str,
    classes: Sequence[str],
    kind: Kind | str,
    resize: bool = False,
    defense: str = "custom",
    audit: AuditSummary | None = None,
    key: Path = signing.DEFAULT_KEY,
    sequence: int | None = None,
    valid_days: int | None = None,
    device_format: DeviceFormat = "onnx",
) -> Exported:
    """Export any split model.

    Writes ``edge/encoder.onnx`` (with the channel), ``cloud/head.onnx``, the signed contract beside
    each, ``cloud/model_repository`` for Triton and KServe, and ``public-key.pem``. An earlier
    export there is replaced. What the cloud gets holds no weight of the encoder.

    Args:
        model: the model; exported as it is in evaluation mode.
        samples: two or more training samples, (N, ...), which the ranges of z are learned from.
        out: a new or empty folder, or an earlier export.
        name: what servers call the model.
        classes: name of each class.
        kind: what the samples are: images have values in [0, 1]. Other inputs
            of any shape count as vectors: numbers that a device feeds as they are.
        resize: whether devices resize images of another size, as the samples were, or refuse them.
        defense: what the contract says of the defense.
        audit: what an audit of this model found.
        key: signing key; made if missing.
        sequence: number of the contract: devices and servers that used a higher one of this name
            refuse it. By default one more than that of the last export here, or the same if
            nothing changed; name it where exports are made on several machines.
        valid_days: days until it expires; never by default.
        device_format: ``executorch`` writes an ExecuTorch program beside ``encoder.onnx``.

    Raises:
        ConfigError: a bad name, a folder of other files or none that can be written, samples that
            no device prepares, outputs that are no float32 logits of these classes, a layer or a
            channel that cannot be exported, or ONNX Runtime disagrees with PyTorch. Then `out` is
            left as it was, as it is where the disk fills up.
        ContractError: the key cannot be used, or the number of the last export cannot be kept.
    """
    check_name(name)
    refuse_foreign(out)
    if device_format != "onnx":
        check_extra(device_format)
    kind = Kind(kind)
    check_samples(samples, kind)
    signer = signing.private_key(key)
    with staged(out) as stage:
        halves = _convert(model, samples, classes)
        z, codes = halves.z, integer_codes(halves.z.numpy(), halves.last)
        contract = Contract(
            name=name,
            defense=defense,
            classes=tuple(classes),
            input=TensorSpec(name="x", shape=tuple(samples.shape[1:])),
            noise=halves.noise,
            preprocessing=_preprocessing(kind, samples, resize),
            representation=TensorSpec(name="z", shape=tuple(z.shape[1:])),
            low=z.min().item(),
            high=z.max().item(),
            logits=TensorSpec(name="logits", shape=(len(classes),)),
            wire=_lossless(codes, z),
            scales=codes,
            encoder_sha256=sha256(halves.encoder),
            head_sha256=sha256(halves.head),
            audit=audit,
            mixcon=version("mixcon"),
        )
        number = number_of(contract, signer.public_key()) if sequence is None else sequence
        contract = contract.model_copy(
            update={
                "sequence": number,
                "version": str(max(1, number)),
                "expires": _in_days(valid_days),
            }
        )
        write_whole(stage / "edge" / "encoder.onnx", halves.encoder)
        write_whole(stage / "cloud" / "head.onnx", halves.head)
        write_repository(stage / "cloud" / "model_repository", contract, halves.head)
        write_whole(stage / "public-key.pem", signing.public_pem(signer))
        for folder in ("cloud", "edge"):
            contract.write(stage / folder, signer)
        if device_format == "executorch":
            write_program(stage / "edge", _program(model, samples), contract, signer)
    return Exported(out, contract, halves.difference)


@dataclass(frozen=True)
class _Halves:
    """Both halves as ONNX, and what the contract says of what crosses between them."""

    encoder: bytes
    head: bytes
    noise: tuple[NoiseInput, ...]
    last: nn.Module | None
    z: Tensor
    difference: float


def _convert(model: SplitModel, samples: Tensor, classes: Sequence[str]) -> _Halves:
    """Both halves, which ONNX Runtime was seen to run as PyTorch does."""
    with frozen(model), torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        half, few = EdgeHalf(model).eval(), samples[:64]
        check_model(model, few, classes)
        z = torch.cat([model.release(batch) for batch in samples.split(1000)])
        check_finite(z)
        half.refuse_hidden_noise(few[:2])
        encoder, head = edge_onnx(half, few[:2], z[:2]), head_onnx(model.head, z[:2])
        difference = compare(half, model.head, few, encoder, head)
    noise = tuple(
        NoiseInput(name=f"noise_{i}", distribution=distribution, shape=shape[1:])
        for i, (distribution, shape) in enumerate(
            zip(half.distributions, half.noise_shapes(few[:2]), strict=True)
        )
    )
    return _Halves(encoder, head, noise, half.parts[-1] if len(half.parts) else None, z, difference)


def _program(model: SplitModel, samples: Tensor) -> bytes:
    with frozen(model), torch.random.fork_rng():
        torch.manual_seed(0)
        half: EdgeHalf = EdgeHalf(model).eval()
        return edge_executorch(half, samples[:16])


def _in_days(days: int | None) -> datetime | None:
    """Then, in UTC, to the second."""
    return datetime.now(UTC).replace(microsecond=0) + timedelta(days=days) if days else None


def _preprocessing(kind: Kind, samples: Tensor, resize: bool) -> Preprocessing:
    if kind is not Kind.IMAGE:
        return Preprocessing(kind=kind)
    mode: Literal["L", "RGB"] = "L" if samples.shape[1] == 1 else "RGB"
    return Preprocessing(kind=kind, mode=mode, resize="bilinear" if resize else None)


def _lossless(codes: dict[Literal["int8", "int4"], IntegerCode], z: Tensor) -> Wire:
    """The smallest format that changes nothing."""
    numbers = z[:1000].numpy()
    for wire in ("int4", "int8"):
        scale = codes[wire]
        if np.allclose(scale.numbers(scale.codes(numbers)), numbers, atol=scale.step * 1e-3):
            return wire
    return "float32"


def _name(*parts: str) -> str:
    """The parts in letters that every server takes."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", "-".join(parts)).strip("-._")[:128]
