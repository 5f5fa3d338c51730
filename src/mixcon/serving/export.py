"""Export: a trained split model as two folders, one for the device and one for the cloud."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from mixcon._files import write_whole
from mixcon.audit import fingerprint
from mixcon.data import load
from mixcon.errors import ConfigError
from mixcon.reports import headline_metric, read_report, summarize
from mixcon.serving import signing
from mixcon.serving.calibrate import scales
from mixcon.serving.contract import (
    Audited,
    Contract,
    NoiseInput,
    Preprocessing,
    TensorSpec,
    sha256,
)
from mixcon.serving.halves import EdgeHalf, edge_onnx, head_onnx
from mixcon.serving.repository import write_repository
from mixcon.serving.runtime import session
from mixcon.serving.wire import Scale, Wire
from mixcon.split import SplitModel
from mixcon.training import RunFolder, load_model

__all__ = ["Exported", "export", "export_run"]

_CALIBRATION = 10_000  # training samples that the ranges are learned from
_TOLERANCE = 1e-4
_EXCEPTIONS = 1e-3  # share of numbers: rounding may fall to the other side of a level


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
) -> Exported:
    """Export the model of a finished run of ``mixcon train``.

    Args:
        run: the run folder.
        out: where to write; see `export`.
        name: what servers call the model; made of data set, network and defense by default.
        report: ``report.json`` of an audit of this run; by default that in ``RUN/audit``, if any.
        key: signing key; made if missing.
        data_dir: where local Parquet files lie; the ranges are learned from training samples.

    Raises:
        RunError: not a finished run, or an unreadable report.
        ConfigError: the report is on other weights than this run's; or see `export`.
    """
    config = RunFolder(run).config
    splits = load(config.data, data_dir=data_dir, seed=config.seed)
    data, model = splits.train, load_model(run, splits)
    found = report or run / "audit" / "report.json"
    audited = _audited(found, model, config.defense.title) if report or found.is_file() else None
    return export(
        model,
        data.floats(slice(_CALIBRATION)),
        out,
        name=name or _name(config.data, config.network, config.defense.name),
        classes=data.classes,
        kind="image" if data.is_image else "vector",
        defense=config.defense.title,
        audit=audited,
        key=key,
    )


def export(
    model: SplitModel,
    samples: Tensor,
    out: Path,
    *,
    name: str,
    classes: Sequence[str],
    kind: Literal["image", "vector"],
    defense: str = "custom",
    audit: Audited | None = None,
    key: Path = signing.DEFAULT_KEY,
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
        kind: what the samples are: images with values in [0, 1], or vectors.
        defense: what the contract says of the defense.
        audit: what an audit of this model found.
        key: signing key; made if missing.

    Raises:
        ConfigError: a folder of other files, a channel that cannot be exported, fewer than two
            samples, or ONNX Runtime disagrees with PyTorch. Then nothing is written.
    """
    _refuse_foreign(out)
    if len(samples) < 2:
        raise ConfigError(f"expected two or more samples, but got {len(samples)}")
    was_training = model.training
    model.eval()
    with torch.random.fork_rng(), torch.no_grad():
        torch.manual_seed(0)
        half = EdgeHalf(model).eval()
        few = samples[:64]
        half.refuse_hidden_noise(few[:2])
        z = torch.cat([model.release(batch) for batch in samples.split(1000)])
        encoder, head = edge_onnx(half, few[:2], z[:2]), head_onnx(model.head, z[:2])
        difference = _compare(half, model, few, encoder, head)
    model.train(was_training)
    signer = signing.private_key(key)
    last = half.parts[-1] if len(half.parts) else None
    codes = scales(z.numpy(), last)
    contract = Contract(
        name=name,
        defense=defense,
        classes=tuple(classes),
        input=TensorSpec(name="x", shape=tuple(samples.shape[1:])),
        noise=tuple(
            NoiseInput(name=f"noise_{i}", distribution=distribution)
            for i, distribution in enumerate(half.distributions)
        ),
        preprocessing=_preprocessing(kind, samples),
        representation=TensorSpec(name="z", shape=tuple(z.shape[1:])),
        low=z.min().item(),
        high=z.max().item(),
        logits=TensorSpec(name="logits", shape=(len(classes),)),
        wire=_lossless(codes, z),
        scales=codes,
        encoder_sha256=sha256(encoder),
        head_sha256=sha256(head),
        audit=audit,
        mixcon=version("mixcon"),
    )
    write_whole(out / "edge" / "encoder.onnx", encoder)
    write_whole(out / "cloud" / "head.onnx", head)
    write_repository(out / "cloud" / "model_repository", contract, head)
    write_whole(out / "public-key.pem", signing.public_pem(signer))
    for folder in ("cloud", "edge"):
        contract.write(out / folder, signer)
    return Exported(out, contract, difference)


def _refuse_foreign(out: Path) -> None:
    earlier = (out / "edge" / "contract.json").is_file()
    if out.exists() and not earlier and (not out.is_dir() or any(out.iterdir())):
        raise ConfigError(
            f"{out}: expected a new or empty folder, or an earlier export, but got other files; "
            "choose another --out"
        )


def _compare(half: EdgeHalf, model: SplitModel, x: Tensor, encoder: bytes, head: bytes) -> float:
    """Run both halves in both runtimes on the same noise; the largest difference of logits."""
    noise = [torch.rand_like(half.encoder(x)) for _ in half.distributions]
    z = half(x, *noise)
    logits = model.head(z)
    feeds = {"x": x, **{f"noise_{i}": drawn for i, drawn in enumerate(noise)}}
    theirs = session(encoder).run(None, {name: t.numpy() for name, t in feeds.items()})[0]
    answer = session(head).run(None, {"z": z.numpy()})[0]
    for what, ours, other in (("encoder", z, theirs), ("head", logits, answer)):
        scale = max(1.0, ours.abs().max().item())
        odd = (np.abs(ours.numpy() - other) > _TOLERANCE * scale).mean()
        if odd > _EXCEPTIONS:
            raise ConfigError(
                f"expected ONNX Runtime to agree with PyTorch on the {what}, but {odd:.1%} of its "
                "numbers differ; a layer of it exports wrongly"
            )
    return float(np.abs(logits.numpy() - answer).max())


def _preprocessing(kind: Literal["image", "vector"], samples: Tensor) -> Preprocessing:
    if kind == "vector":
        return Preprocessing(kind="vector")
    return Preprocessing(kind="image", mode="L" if samples.shape[1] == 1 else "RGB")


def _lossless(codes: dict[Literal["int8", "int4"], Scale], z: Tensor) -> Wire:
    """The smallest format that changes nothing."""
    numbers = z[:1000].numpy()
    for wire in ("int4", "int8"):
        scale = codes[wire]
        if np.allclose(scale.numbers(scale.codes(numbers)), numbers, atol=scale.step * 1e-3):
            return wire
    return "float32"


def _name(*parts: str) -> str:
    """The parts in letters that every server takes."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", "-".join(parts)).strip("-.")[:128]


def _audited(path: Path, model: SplitModel, defense: str) -> Audited:
    """What the report found out about this very model: its weights, under its defense."""
    report, weights = read_report(path), fingerprint(model)
    found = [m for m in report.models if (m.weights, m.defense) == (weights, defense)]
    if not found:
        names = ", ".join(repr(m.name) for m in report.models)
        raise ConfigError(
            f"{path}: expected a report on this run, {defense!r} with weights "
            f"{weights[:8]}..., but it is on other weights: {names}; audit the run again, or pass "
            "the right --report"
        )
    evidence = summarize(found[0], headline_metric(report)).evidence
    if evidence is None:
        raise ConfigError(f"{path}: expected a report of at least one attack, but it has none")
    numbers = (evidence.leakage, evidence.floor, evidence.excess)
    if not all(map(math.isfinite, numbers)):
        raise ConfigError(f"{path}: expected finite leakage, but got {numbers}")
    return Audited(report_sha256=sha256(path.read_bytes()), **evidence.model_dump())
