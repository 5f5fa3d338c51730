"""An entry: a run, the audit of its weights, and a signed list of what belongs to it."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, ValidationError

from mixcon._files import write_whole
from mixcon.audit import Report, fingerprint
from mixcon.channels import parts
from mixcon.data import Splits
from mixcon.errors import RunError
from mixcon.leaderboard.tuning import title_of
from mixcon.reports.files import read_report, report_json
from mixcon.serving import signing
from mixcon.serving.compact_json import compact_json
from mixcon.serving.contract import sha256
from mixcon.split import SplitModel, multiply_adds
from mixcon.training import RunFolder, TrainConfig, load_model

__all__ = ["Entry", "Manifest", "add_entry", "entry_name", "read_entries", "read_entry"]

_BUNDLE = ("config.toml", "metrics.jsonl", "model.safetensors", "versions.json")
_REPORT, _MANIFEST, _SIGNATURE, _KEY = "report.json", "entry.json", "entry.sig", "public-key.pem"


class Manifest(BaseModel):
    """What an entry consists of, and what it costs.

    Attributes:
        schema_version: of this record.
        files: SHA-256 of each file of the bundle, in hex.
        wire_bytes: bytes that leave the device for one input: its words, else four a number.
        train_seconds: wall time of the training.
        multiply_adds: of encoder and channel, for one input; None where it was not recorded.
        trained_on: the machine it was first audited on, taken for the one that trained it; empty
            where it was not recorded.
    """

    model_config = ConfigDict(extra="forbid")

    schema_version: int = 1
    files: dict[str, str]
    wire_bytes: int
    train_seconds: float
    multiply_adds: int | None = None
    trained_on: str = ""


@dataclass(frozen=True)
class Entry:
    """An entry, read back.

    Attributes:
        folder: where it lies; also a run folder.
        manifest: its files and costs.
        config: how the model was trained.
        report: the audit of this one model, with its calibration.
    """

    folder: Path
    manifest: Manifest
    config: TrainConfig
    report: Report

    @property
    def trained_on(self) -> str:
        """As in `Manifest`; where it was not recorded, the machine of the audit at hand."""
        return self.manifest.trained_on or self.report.environment.machine


def add_entry(
    run: Path,
    report: Path,
    board: Path,
    splits: Splits,
    key: Ed25519PrivateKey,
    *,
    trained_on: str = "",
) -> Entry:
    """Bundle a finished run with its audit, sign it, and put it on the board.

    Args:
        run: the run folder.
        report: ``report.json`` of an audit that this run was part of.
        board: folder of the leaderboard; the entry goes to ``DATA/NAME`` below it.
        splits: the data of the run.
        key: signs the bundle.
        trained_on: as in `Manifest`; by default the machine of the audit.

    Raises:
        RunError: the run is not finished, or the audit is not of its weights.
    """
    model, source = load_model(run, splits), RunFolder(run)
    alone = _report_of(report, fingerprint(model), run)
    config = source.config
    folder = board / folder_name(config.data) / entry_name(config)
    contents = {name: (run / name).read_bytes() for name in _BUNDLE}
    contents[_REPORT] = _compact(report_json(alone))
    manifest = Manifest(
        files={name: sha256(content) for name, content in contents.items()},
        wire_bytes=_wire_bytes(model, splits),
        train_seconds=round(source.seconds, 1),
        multiply_adds=multiply_adds(model.release, splits.train.shape),
        trained_on=trained_on or alone.environment.machine,
    )
    listed = manifest.model_dump_json(indent=2).encode() + b"\n"
    contents |= {
        _MANIFEST: listed,
        _SIGNATURE: signing.sign(key, listed).encode() + b"\n",
        _KEY: signing.public_pem(key),
    }
    for name, content in contents.items():
        write_whole(folder / name, content)
    return Entry(folder, manifest, config, alone)


def read_entries(board: Path) -> list[Entry]:
    """All entries of a board, in the order of their folders.

    Raises:
        RunError: an entry is damaged.
    """
    return [read_entry(path.parent) for path in sorted(board.glob(f"*/*/{_MANIFEST}"))]


def read_entry(folder: Path, trust: Path | None = None) -> Entry:
    """An entry, after its signature and all hashes were checked.

    Args:
        folder: of the entry.
        trust: public key of who is to have signed it; without one, the key that lies beside it,
            which shows that nothing was changed by accident, and not who made it.

    Raises:
        RunError: a file is missing, or is not the one that was signed.
    """
    listed = _read(folder, _MANIFEST)
    signature = _read(folder, _SIGNATURE).decode("latin1").strip()
    if not signing.verify(signing.public_key(trust or folder / _KEY), listed, signature):
        raise RunError(f"{folder}: expected an entry signed by {trust or _KEY}, but it is not")
    try:
        manifest = Manifest.model_validate_json(listed)
    except ValidationError as error:
        raise RunError(f"{folder}: expected a leaderboard entry, but got {error}") from error
    for name, expected in manifest.files.items():
        if sha256(_read(folder, name)) != expected:
            raise RunError(f"{folder}: expected the {name} that was signed, but it was changed")
    return Entry(folder, manifest, RunFolder(folder).config, read_report(folder / _REPORT))


def _read(folder: Path, name: str) -> bytes:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        raise RunError(f"{folder}: expected a leaderboard entry with {name}: {error}") from error


def _report_of(path: Path, weights: str, run: Path) -> Report:
    """The audit of one model out of a report on several."""
    report = read_report(path)
    own = [model for model in report.models if model.weights == weights]
    if not own:
        raise RunError(
            f"{path}: expected an audit of the weights in {run}, but it is of others; run: "
            f"mixcon audit {run}"
        )
    return report.model_copy(update={"models": own[:1]})


def _compact(text: str) -> bytes:
    return compact_json(json.loads(text)) + b"\n"


def entry_name(config: TrainConfig) -> str:
    """What a run is called on the board."""
    return f"{folder_name(title_of(config))}-{config.network}-s{config.seed}"


def folder_name(title: str) -> str:
    """Words that may hold anything, as the name of a folder."""
    return re.sub(r"[^\w.=]+", "-", title).strip("-")


def _wire_bytes(model: SplitModel, splits: Splits) -> int:
    """One byte for eight bits of a discrete release, four for each number of any other."""
    raw = tuple(model.represent(splits.train.floats(slice(1))).shape[1:])
    bits: float | None = None
    for part in parts(model.channel):
        found = getattr(part, "word_bits", lambda _: None)(raw)
        bits = found if found is not None else bits
        raw = getattr(part, "shape", lambda given: given)(raw)
    return math.ceil((bits if bits is not None else 32 * math.prod(raw)) / 8)
